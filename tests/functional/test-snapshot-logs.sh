#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Logs and what was measured go with a snapshot as its profile says: the newest part, or all; what
# cannot be read is said, and they come out again as they were.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
# shellcheck disable=SC2119
resume_start
logs=$PRIVATE_LIBVIRT/log/qemu
out=$PRIVATE_LIBVIRT/out
IMAGES=$PRIVATE_LIBVIRT/images
make_disk one.qcow2 qcow2 8M
cat >"$PRIVATE_LIBVIRT/one.xml" <<END
<domain type='qemu'><name>one</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>$(disk_xml vda one.qcow2 qcow2)
<serial type='null'><log file='$IMAGES/serial.log'/></serial>
<serial type='null'><log file='$IMAGES/pipe.log'/></serial>
<serial type='null'><log file='$IMAGES/none.log'/></serial>
</devices></domain>
END
guest_virsh define "$PRIVATE_LIBVIRT/one.xml" >/dev/null
guest_virsh start one >/dev/null
guest_virsh destroy one >/dev/null
grep -q qemu-system "$logs/one.log" || fail "libvirt wrote no log"
echo "an older log" >"$logs/one.log.0"
seq 200000 >"$IMAGES/serial.log"
rm -f "$IMAGES/pipe.log" "$IMAGES/none.log"
mkfifo "$IMAGES/pipe.log"

# kept NAME : of the manifest, "SIZE OFFSET MISSING"
kept ()
{
    perl -MJSON::PP -e 'for (@{decode_json($ARGV[0])->{manifest}{logs} // []}) {
        print join(" ", $_->{size} // "-", $_->{offset} // "-", $_->{missing} // ""), "\n" if $_->{name} eq $ARGV[1] }' \
        "$(foresnap --json show "$snapshot")" "$1"
}

now=$(date +%s)
{
    echo "time,metric,value"
    for i in {1..60}; do echo "$((now - 60 * i)),cpu,$i"; done
} >"$PRIVATE_LIBVIRT/values.csv"
expect_exit 0 foresnap history one --import "$PRIVATE_LIBVIRT/values.csv"

echo "standard: the newest part"
expect_exit 0 foresnap policy one set profile=standard log.tail=1K
snapshot
size=$(stat -c %s "$IMAGES/serial.log")
expect_equal "$(kept serial0)" "1024 $((size - 1024)) " "the newest part"
expect_equal "$(kept serial1)" "- - it is no regular file" "what is a pipe"
expect_equal "$(kept serial2)" "- - No such file or directory" "what is not there"
expect_equal "$(kept qemu.0)" "" "an older one"
expect_exit 0 foresnap export "$snapshot" --log serial0 "$out"
tail -c 1024 "$IMAGES/serial.log" | cmp - "$out"
expect_equal "$(stat -c %a "$out")" 600 "the mode of the file"
expect_exit 1 foresnap export "$snapshot" --log serial0 "$out"
expect_exit 0 foresnap export "$snapshot" --log qemu --force "$out"
# virtlogd may have had something more to write meanwhile
perl -e 'local $/; open A, $ARGV[0]; open B, $ARGV[1]; exit(index(<A>, <B>) < 0)' "$logs/one.log" "$out" ||
    fail "QEMU's log does not have what was kept of it"
expect_exit 1 foresnap export "$snapshot" --log serial2 --force "$out"
expect_match "$expect_err" "no log 'serial2'; there are: qemu, serial0" "the refusal"
expect_exit 2 foresnap export "$snapshot" --log qemu --disk vda "$out"
expect_exit 2 foresnap export "$snapshot" --log qemu
expect_exit 0 foresnap show "$snapshot"
expect_match "$expect_out" "log: +serial0, the last 1.0 KiB of " "what show prints"
expect_match "$expect_out" "log: +serial1, missing: it is no regular file of " "what show prints"

echo "detailed: all"
expect_exit 0 foresnap history one --add cpu=7.5
snapshot --profile detailed
expect_equal "$(kept serial0)" "$size 0 " "all of it"
expect_equal "$(kept qemu.0)" "13 0 " "an older one"
expect_exit 0 foresnap export "$snapshot" --log serial0 --force "$out"
cmp "$IMAGES/serial.log" "$out"
expect_exit 0 foresnap export "$snapshot" --log qemu.0 --force "$out"
expect_equal "$(cat "$out")" "an older log" "the older one"
expect_exit 0 foresnap verify "$snapshot"
expect_exit 0 foresnap export "$snapshot" --samples "$PRIVATE_LIBVIRT/samples.csv"
expect_match "$(cat "$PRIVATE_LIBVIRT/samples.csv")" "^time,span,metric,value"$'\n'"[0-9.]+,0.000,cpu,7.5$" "the samples"

echo "minimal: none"
snapshot --profile minimal
expect_equal "$(kept qemu)" "" "a log"
expect_exit 1 foresnap export "$snapshot" --log qemu --force "$out"
expect_match "$expect_err" "there are: none" "the refusal"
expect_exit 1 foresnap export "$snapshot" --samples "$out"
expect_match "$expect_err" "has no samples" "the refusal"
expect_exit 0 foresnap --json show "$snapshot"
expect_match "$expect_out" '"history"' "what the manifest has"
private_libvirt_alive
