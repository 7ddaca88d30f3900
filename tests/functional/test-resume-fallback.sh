#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A resume through the monitor, as where libvirt does not offer its migration calls: every
# mode, what it leaves behind, a load whose source dies, and a start that fails.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
test_dir
private_libvirt_start
userfaultfd_allow
builddir=$(cd "$top_builddir" && pwd)
guest_start web 512

# foresnap_from LIBEXEC ARG…
foresnap_from ()
{
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$1" FORESNAP_REPO="$TEST_DIR/repo" \
        FORESNAP_TEST_WAY="${way-monitor}" FORESNAP_TEST_KILL_AT="${FSN_KILL_AT:-}" \
        "$builddir/foresnap" -c qemu:///system "${@:2}"
}

foresnap ()
{
    foresnap_from "$builddir" "$@"
}

pids ()
{
    private_libvirt_exec pgrep -x "$1" || :
}

# The load is over, and what a resume keeps while it lasts is gone.
at_rest ()
{
    [ -z "$(pids 'foresnap.*')" ] && [[ $(foresnap --json status) != *'"resume"'* ]]
}

wait_loaded ()
{
    wait_until 90 at_rest || fail "the load does not end: $(foresnap --json status)"
    expect_match "$(guest_virsh domstate web)" "^$1\$" "the state of the domain"
    private_libvirt_alive
}

qemu_says ()
{
    guest_virsh qemu-monitor-command web '{"execute":"query-migrate"}'
}

has_argument ()
{
    [[ $(guest_virsh dumpxml web) == *"'-incoming'"* ]]
}

# cycle [OPTION]… : suspended, resumed through the monitor, loaded, exact
cycle ()
{
    local now
    expect_exit 0 foresnap suspend web
    now=$(now_us)
    expect_exit 0 foresnap --json resume web "$@"
    expect_match "$expect_out" 'incoming defer' "the warning"
    expect_match "$expect_out" '"running_us" : [1-9]' "the time to run"
    guest_time_of_first_heartbeat_after web "$now" 10 >/dev/null
    wait_loaded running
    guest_verify web
}

# --- each mode; the second one uses the working set of the first ---------------------------
cycle --mode lazy
expect_match "$(qemu_says)" '"completed"' "QEMU's word"
cycle --mode predicted
cycle --mode eager
has_argument || fail "the live description does not have the argument"
[[ $(guest_virsh dumpxml --inactive web) != *incoming* ]] || fail "the argument is persistent"
foresnap suspend web
expect_exit 0 foresnap --json resume web --paused
wait_loaded paused
guest_virsh resume web
guest_verify web

# --- libvirt's own ways afterwards, and its own migration again ----------------------------
guest_virsh suspend web
guest_virsh resume web
guest_virsh save web "$TEST_DIR/image"
guest_virsh restore "$TEST_DIR/image"
guest_verify web
foresnap suspend web
way='' expect_exit 0 foresnap --json resume web
wait_loaded running
guest_verify web
! has_argument || fail "the argument was kept over a suspend"

# --- all that serves the load dies; the guard continues it on a new connection -------------
# kill_during_load NAME… : true if such a process was there to be killed
kill_during_load ()
{
    local pid name
    foresnap suspend web
    foresnap resume web --mode lazy
    pid=$(for name; do pids "$name"; done)
    # shellcheck disable=SC2086
    [ -z "$pid" ] || private_libvirt_exec kill -KILL $pid || pid=''
    wait_loaded running
    guest_wait_heartbeat web 20
    guest_verify web
    [ -n "$pid" ]
}

wait_until 60 kill_during_load foresnap-pager foresnap-superv ||
    fail "the load ends before it can be cut"
for one in foresnap-pager foresnap-superv; do
    kill_during_load "$one" || echo "$one had ended before it could be killed"
done

# --- the pager fails before the guest has run: the domain goes, the state stays -------------
foresnap suspend web
mkdir "$TEST_DIR/libexec"
cp "$builddir/foresnap-guard" "$TEST_DIR/libexec/"
printf '#!/bin/sh\nexit 1\n' >"$TEST_DIR/libexec/foresnap-pager"
chmod 755 "$TEST_DIR/libexec/foresnap-pager"
expect_exit 1 foresnap_from "$TEST_DIR/libexec" resume web
expect_equal "$(guest_virsh domstate web)" "shut off" "the state of the domain"
expect_exit 0 foresnap --json status
expect_match "$expect_out" '"suspended"' "the status"

# --- and foresnap itself dies before the domain is made --------------------------------------
FSN_KILL_AT=loading expect_exit 137 foresnap resume web
expect_exit 0 foresnap recover
expect_exit 0 foresnap --json resume web
wait_loaded running
guest_verify web
