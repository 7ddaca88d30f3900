#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The hook for libvirt: no start of any kind boots a suspended domain, and each is told the
# way out; foresnap's own resume passes, by either way; discard lifts it.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
test_dir
private_libvirt_start
userfaultfd_allow
builddir=$(cd "$top_builddir" && pwd)
hook=$PRIVATE_LIBVIRT/etc/hooks/qemu.d/foresnap
markers=$PRIVATE_LIBVIRT/state/guard

foresnap ()
{
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$builddir" FORESNAP_REPO="$TEST_DIR/repo" \
        FORESNAP_TEST_WAY="${way:-}" FORESNAP_TEST_KILL_AT="${kill_at:-}" \
        "$builddir/foresnap" -c qemu:///system "$@"
}

at_rest ()
{
    [ -z "$(private_libvirt_exec pgrep foresnap)" ]
}

# resumed [ARG…] : the domain runs again, all is loaded and exact
resumed ()
{
    expect_exit 0 foresnap -q resume web "$@"
    wait_until 60 at_rest || fail "the load does not end"
    guest_verify web
    [ ! -e "$markers/$uuid" ] || fail "a marker is left of a domain that runs"
}

expect_exit 0 foresnap check-host
expect_match "$expect_out" "warn +hook: .*/etc/libvirt/hooks/qemu.d/foresnap' is not installed" \
    "the report without a hook"
mkdir -p "${hook%/*}"
sed "s|^guard=/var/lib/foresnap/state/guard\$|guard='$markers'|" \
    "$top_srcdir/scripts/hooks/foresnap" >"$hook"
chmod 755 "$hook"
grep -q "^guard='$markers'\$" "$hook" || fail "the hook looks elsewhere"
private_libvirt_restart
expect_exit 0 foresnap check-host
expect_match "$expect_out" "ok +hook: " "the report with it"

# --- a domain that is not suspended is none of its business --------------------------------
guest_start web 256
uuid=$(guest_virsh domuuid web)
guest_virsh autostart web

# --- every start of a suspended one is refused ---------------------------------------------
foresnap suspend web
[ -e "$markers/$uuid" ] || fail "there is no marker"
expect_exit 1 guest_virsh start web
expect_match "$expect_err" "run 'foresnap resume web'" "the error of a start"
expect_exit 1 guest_virsh start web --force-boot
expect_match "$expect_err" "domain 'web' is suspended by foresnap.*run 'foresnap resume web', or 'foresnap discard web'" \
    "the error of a forced boot"
# That has deleted the stub: the hook is all there is now.
expect_exit 1 guest_virsh start web
expect_match "$expect_err" "run 'foresnap resume web'" "the error without the stub"
private_libvirt_restart
expect_equal "$(guest_virsh domstate web)" "shut off" "the state after an autostart"
grep -q "foresnap resume web" "$PRIVATE_LIBVIRT/log/libvirtd.log" || fail "the autostart was not refused"

# --- the resume passes; one that dies on its way leaves the domain guarded ------------------
kill_at=claimed expect_exit 137 foresnap resume web
kill_at=loading expect_exit 137 foresnap resume web
expect_exit 0 foresnap recover
[ -e "$markers/$uuid" ] || fail "recovery did not put the marker back"
expect_exit 1 guest_virsh start web --force-boot
resumed
foresnap suspend web
way=monitor resumed --mode eager

# --- discard lifts it -----------------------------------------------------------------------
foresnap suspend web
expect_exit 0 foresnap discard web
[ ! -e "$markers/$uuid" ] || fail "the marker outlived the state"
guest_virsh start web
guest_wait_heartbeat web 60
guest_virsh destroy web

# --- it is quick and takes no harm from what it does not expect -----------------------------
sh "$hook" web prepare begin - </dev/null
echo "<uuid>../../x</uuid>" | sh "$hook" web prepare begin -
echo "  <uuid>$uuid</uuid>" | sh "$hook" web release end -
guest_virsh dumpxml web --inactive >"$TEST_DIR/xml"
start=$(now_us)
for _ in {1..20}; do
    sh "$hook" web prepare begin - <"$TEST_DIR/xml"
done
expect_at_most $((($(now_us) - start) / 20)) 20000 "the time of one call, us,"
private_libvirt_alive
