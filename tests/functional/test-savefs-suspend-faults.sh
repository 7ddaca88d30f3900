#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A suspended domain that libvirt may start: foresnap and the server are killed at each step
# that makes it so or uses it, and libvirt is told to forget it or to boot all the same. It is
# never booted over its memory, and never used twice.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
. "$top_srcdir"/tests/functional/savefs.sh
private_libvirt_requires
guest_requires
savefs_requires
test_dir
private_libvirt_start
cleanup_fn savefs_show_log
userfaultfd_allow
guest_start web 128 --fill 40 --disk
expect_exit 0 foresnap hooks install
private_libvirt_exec kill -HUP "$(private_libvirt_pid)"
uuid=$(guest_virsh domuuid web)
journal=$PRIVATE_LIBVIRT/state/$uuid.journal

started_by_libvirt ()
{
    await_served web
    guest_virsh start web >/dev/null
    expect_equal "$(domain_reason web)" "running (restored)" "the state after the start"
    guest_verify web
    await_savefs_state web ready
    expect_exit 1 foresnap resume web
}

# killed_at STEP ARG…
killed_at ()
{
    FORESNAP_TEST_KILL_AT=$1
    shift
    export FORESNAP_TEST_KILL_AT
    ! foresnap "$@" >"$TEST_DIR/out" 2>&1 || fail "foresnap $* was not killed: $(cat "$TEST_DIR/out")"
    unset FORESNAP_TEST_KILL_AT
}

suspended ()
{
    domain_is web "shut off" && [ ! -e "$journal" ]
}

echo "killed while a stub gives way"
expect_exit 0 foresnap suspend web
killed_at guard:place savefs enable web
expect_no_boot web
expect_exit 0 foresnap savefs enable web
await_savefs_state web saved
started_by_libvirt

for step in durable guard:place guarded ended; do
    echo "the suspend is killed at '$step'"
    killed_at "$step" suspend web
    wait_until 60 suspended || fail "$step: the domain is $(domain_reason web), left: $(leftovers)"
    await_savefs_state web saved
    started_by_libvirt
done

echo "the suspend is undone"
FORESNAP_TEST_FAIL_AT=guarded expect_exit 1 foresnap suspend web
expect_domain web running
await_savefs_state web ready
guest_wait_heartbeat web 30

echo "the resume is killed before the guest runs"
expect_exit 0 foresnap suspend web
killed_at claimed resume web
expect_no_boot web
expect_exit 0 foresnap recover
expect_equal "$(savefs_state web)" saved "the state"
started_by_libvirt

echo "the server is killed while libvirt reads"
expect_exit 0 foresnap suspend web
state=$(foresnap list -q | head -n 1)
await_served web
guest_virsh start web >"$TEST_DIR/start.out" 2>&1 &
start=$!
wait_until 30 private_libvirt_exec test -e "$PRIVATE_LIBVIRT/repo/marks/$state.claim" || fail "it was not claimed"
kill_inside KILL foresnap-savefs
if wait "$start"; then
    echo "the start was faster"
    expect_equal "$(domain_reason web)" "running (restored)" "the state after the start"
    expect_exit 0 foresnap savefs start
else
    expect_domain web "shut off"
    expect_exit 0 foresnap savefs start
    wait_until 60 test ! -e "$journal" || fail "the load was not settled"
    await_savefs_state web saved
    await_served web
    guest_virsh start web >/dev/null
fi
guest_verify web
await_savefs_state web ready

echo "it is told to boot all the same"
expect_exit 0 foresnap suspend web
! guest_virsh start --force-boot web 2>"$TEST_DIR/force" || fail "it was booted over its memory"
expect_match "$(cat "$TEST_DIR/force")" "foresnap resume web" "the hook's error"
expect_equal "$(savefs_state web)" detached "the state"
expect_no_boot web
expect_exit 0 foresnap savefs enable web
started_by_libvirt

echo "its managed save is removed"
expect_exit 0 foresnap suspend web
# virsh does that only to what libvirt calls saved
private_libvirt_restart
guest_virsh managedsave-remove web >/dev/null
expect_equal "$(savefs_state web)" detached "the state"
expect_no_boot web
expect_exit 0 foresnap resume web --wait
guest_verify web
await_savefs_state web ready

echo "undefined"
expect_exit 0 foresnap suspend web
guest_virsh dumpxml web --inactive >"$TEST_DIR/web.xml"
! guest_virsh undefine web 2>/dev/null || fail "it was undefined with its memory"
! guest_virsh undefine --managed-save web 2>/dev/null || fail "it was undefined although nothing calls it saved"
private_libvirt_restart
guest_virsh undefine --managed-save web >/dev/null
expect_equal "$(savefs_state web)" detached "the state"
guest_virsh define "$TEST_DIR/web.xml" >/dev/null
expect_no_boot web
expect_exit 0 foresnap savefs enable web
started_by_libvirt
private_libvirt_alive
