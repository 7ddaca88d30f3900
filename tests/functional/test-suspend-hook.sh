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
expect_exit 0 foresnap hooks status
expect_match "$expect_out" "not installed" "the status without a hook"

# --- it is installed beside those that are there, which go on to work -----------------------
mkdir -p "${hook%/*}"
printf '%s\n' '#!/bin/sh' "echo \"\$1 \$2\" >>'$TEST_DIR/other.log'" >"${hook%/*}/10-other"
chmod 755 "${hook%/*}/10-other"
expect_exit 0 foresnap --json hooks install
expect_equal "$(jq -r '"\(.state) \(.changed) \(.other_hooks) \(.reload_needed)"' <<<"$expect_out")" \
    "installed true true false" "the document of install"
rm "${hook%/*}/10-other"
expect_exit 0 foresnap --json hooks remove
expect_equal "$(jq -r '"\(.state) \(.changed)"' <<<"$expect_out")" "absent true" "the document of remove"
expect_exit 0 foresnap hooks install
expect_match "$expect_err" "SIGHUP" "the warning of the first hook"
expect_exit 0 foresnap hooks install
expect_match "$expect_out" "is installed already" "a second install"
cp "$hook" "$TEST_DIR/hook"
echo '# of a former version' >>"$hook"
expect_exit 0 foresnap hooks status
expect_match "$expect_out" "of another version" "the status of an old one"
expect_exit 0 foresnap hooks install
cmp "$hook" "$TEST_DIR/hook" || fail "the old one stayed"
chmod 644 "$hook"
expect_exit 0 foresnap hooks install
[ -x "$hook" ] || fail "the hook cannot be executed"
echo '#!/bin/true' >"$hook"
expect_exit 1 foresnap hooks install
expect_match "$expect_err" "is not foresnap's" "the error of a foreign file"
expect_exit 1 foresnap hooks remove
expect_equal "$(cat "$hook")" '#!/bin/true' "the foreign file"
rm "$hook"
expect_exit 0 foresnap hooks install
printf '%s\n' '#!/bin/sh' "echo \"\$1 \$2\" >>'$TEST_DIR/other.log'" >"${hook%/*}/10-other"
chmod 755 "${hook%/*}/10-other"
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
expect_exit 0 foresnap hooks remove
expect_match "$expect_err" "booting 1 suspended domain when" "the warning of remove"
expect_exit 0 foresnap hooks install
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
grep -q '^web prepare$' "$TEST_DIR/other.log" || fail "the other hook was not called any more"
program=$builddir/foresnap-hook
"$program" web prepare begin - </dev/null
"$program" </dev/null
echo "<uuid>../../x</uuid>" | "$program" web prepare begin -
echo "  <uuid>$uuid</uuid>" | "$program" web release end -
guest_virsh dumpxml web --inactive >"$TEST_DIR/xml"
mkdir -p "$TEST_DIR/state/guard"
printf '%s\nweb\n' 0123456789abcdef0123456789abcdef >"$TEST_DIR/state/guard/$uuid"
expect_exit 1 env FORESNAP_STATE_DIR="$TEST_DIR/state" "$program" web prepare begin - <"$TEST_DIR/xml"
expect_match "$expect_err" "\(0123456789ab\): run" "its own error"
# with megabytes of XML, of which it needs the beginning
{ cat "$TEST_DIR/xml"; head -c 3000000 /dev/zero | tr '\0' x; } |
    FORESNAP_STATE_DIR="$TEST_DIR/state" "$program" web prepare begin - 2>/dev/null && fail "it let the start pass"
# somebody who keeps the pipe open, and a daemon that reads nothing, do not hold it up
exec 8< <(sleep 3)
start=$(now_us)
"$program" web started begin - <&8
expect_at_most $(($(now_us) - start)) 400000 "the time with an open pipe, us,"
exec 8<&-
for _ in {1..20}; do
    start=$(now_us)
    "$program" web prepare begin - <"$TEST_DIR/xml"
    echo $(($(now_us) - start))
done | sort -n | sed -n 10p >"$TEST_DIR/median"
expect_at_most "$(cat "$TEST_DIR/median")" 20000 "the median time of one call, us,"
private_libvirt_alive
