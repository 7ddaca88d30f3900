#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The web page in a real Chromium, over TLS with a token: a guest is suspended and resumed by
# clicking, a profile edited. The pictures are kept in web-pictures of the build folder.
. "${top_srcdir:-.}"/tests/functional/resume.sh
. "$top_srcdir"/tests/functional/api.sh
requires "chromium is not installed" chromium --version
requires "chromedriver (chromium-driver) is not installed" chromedriver --version
requires "certtool (gnutls-bin) is not installed" certtool --version
requires "python3 is not installed" python3 --version
# shellcheck disable=SC2119 # it has no options here
resume_start
userfaultfd_allow
guest_start shop 192 --fill 32 --disk
guest_domain archive 128 >"$PRIVATE_LIBVIRT/archive.xml"
guest_virsh define "$PRIVATE_LIBVIRT/archive.xml"
export FORESNAP_HISTORY=$PRIVATE_LIBVIRT/history.db
pictures=$top_builddir/web-pictures
mkdir -p "$pictures"
rm -f "$pictures"/*.png

expect_exit 0 foresnap sample --once
now=$(date +%s)
awk -v now="$now" 'BEGIN {
    srand(7)
    print "time,cpu,memory.used,disk.write.bytes"
    for (t = now - 7 * 86400; t < now - 300; t += 300) {
        hour = t / 3600 % 24
        busy = hour > 7 && hour < 18 ? .55 : .04
        printf "%d,%.3f,%d,%d\n", t, busy * (.6 + .8 * rand()), (40 + 90 * busy + 8 * rand()) * 1048576, busy * 4e6 * rand()
    } }' >"$PRIVATE_LIBVIRT/week.csv"
expect_exit 0 foresnap history shop --import "$PRIVATE_LIBVIRT/week.csv"

# A change map, while something writes here and there.
expect_exit 0 foresnap policy shop set changemap.enabled=yes
foresnap --json changemap shop --interval 1 --rounds 3 >"$PRIVATE_LIBVIRT/map.json" &
mapping=$!
i=0
while ! process_ended $mapping; do
    i=$((i + 1))
    guest_virsh qemu-monitor-command shop --hmp \
        "qemu-io -d virtio-disk0/virtio-backend \"write -P 7 $((i * 7 % 61))M 64k\"" >/dev/null
done
wait $mapping || fail "no map: $(cat "$PRIVATE_LIBVIRT/map.json")"
expect_exit 0 foresnap policy archive set "schedule.when=*:00" profile=standard

secret=5555555555555555555555555555555555555555555555555555555555555555
printf '{"version": 1, "tokens": [{"id": "00000000000000dd", "name": "test", "scope": "admin",
    "created_us": 1, "expires_us": 0, "sha256": "%s"}]}' \
    "$(printf %s $secret | sha256sum | cut -d' ' -f1)" >"$PRIVATE_LIBVIRT/tokens.json"
chmod 600 "$PRIVATE_LIBVIRT/tokens.json"
certtool --generate-privkey --outfile "$PRIVATE_LIBVIRT/key.pem" 2>/dev/null
printf 'cn = localhost\ndns_name = localhost\nexpiration_days = 2\ntls_www_server\nsigning_key\nencryption_key\n' \
    >"$PRIVATE_LIBVIRT/template"
certtool --generate-self-signed --load-privkey "$PRIVATE_LIBVIRT/key.pem" \
    --template "$PRIVATE_LIBVIRT/template" --outfile "$PRIVATE_LIBVIRT/cert.pem" 2>/dev/null
api_start tcp=127.0.0.1:0 certificate="$PRIVATE_LIBVIRT/cert.pem" key="$PRIVATE_LIBVIRT/key.pem"

mkdir -p "$PRIVATE_LIBVIRT/home"
private_libvirt_exec env HOME="$PRIVATE_LIBVIRT/home" TMPDIR="$PRIVATE_LIBVIRT/home" \
    chromedriver --port=9515 >"$PRIVATE_LIBVIRT/driver.out" 2>&1 &
_drives ()
{
    private_libvirt_exec curl -s -o /dev/null http://127.0.0.1:9515/status
}
wait_until 30 _drives || fail "chromedriver: $(cat "$PRIVATE_LIBVIRT/driver.out")"
private_libvirt_exec python3 "$top_srcdir/tests/functional/web-drive.py" http://127.0.0.1:9515 \
    "https://localhost:$API_PORT" "fsn_00000000000000dd_$secret" "$(guest_virsh domuuid shop)" \
    "$(cd "$pictures" && pwd)" || fail "$(tail -n 3 "$PRIVATE_LIBVIRT/api.err")"
wait_loaded shop
guest_verify shop
grep -q base=raw "$PRIVATE_LIBVIRT/config/profiles/weekend.profile" || fail "the profile was not saved"
! grep -E 'WARNING|CRITICAL' "$PRIVATE_LIBVIRT/api.err" || fail "it has complained"
private_libvirt_alive
