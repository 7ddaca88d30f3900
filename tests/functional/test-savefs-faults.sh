#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever becomes of the server, a saved domain is never booted cold and libvirtd never hangs:
# stopped, killed, stuck, unmounted, a host that starts with autostart before the server.
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
guest_start web 256 --disk
expect_exit 0 foresnap savefs enable web

# --- during a save: libvirt reports the failure, the guest runs on --------------------------
worker ()
{
    savefs_pids | tail -n 1
}

serving ()
{
    private_libvirt_exec grep -q ' /run/foresnap/savefs .* fuse.foresnap ' /proc/self/mountinfo
}

writing ()
{
    [ -n "$(find "$PRIVATE_LIBVIRT/repo/packs" -newer "$TEST_DIR/before" -type f 2>/dev/null)" ]
}

# interrupt_save COMMAND… : run it once the save is writing
interrupt_save ()
{
    local pid
    touch "$TEST_DIR/before"
    guest_virsh managedsave web >"$TEST_DIR/save.out" 2>&1 &
    pid=$!
    wait_until 20 test -e "$PRIVATE_LIBVIRT/state/$(guest_uuid).journal" || fail "the save did not begin"
    "$@"
    ! wait "$pid" || fail "a save that was broken off counts as done"
    cat "$TEST_DIR/save.out"
}

guest_uuid ()
{
    echo "$uuid"
}
uuid=$(guest_virsh domuuid web)

echo "killed during a save"
interrupt_save kill_inside KILL foresnap-savefs
expect_domain web running
guest_wait_heartbeat web 30
expect_exit 0 foresnap savefs start
wait_until 30 test ! -e "$PRIVATE_LIBVIRT/state/$uuid.journal" || fail "the save was not settled"
expect_exit 0 foresnap list
expect_equal "$expect_out" "there are no snapshots" "the list"
await_savefs_state web ready

echo "stuck during a save: the watchdog ends it, and another one serves"
interrupt_save private_libvirt_exec kill -STOP "$(worker)"
expect_domain web running
guest_wait_heartbeat web 30
wait_until 30 serving || fail "there is no server again"
wait_until 30 test ! -e "$PRIVATE_LIBVIRT/state/$uuid.journal" || fail "the save was not settled"
await_savefs_state web ready

# --- saved -----------------------------------------------------------------------------------
guest_virsh managedsave web >/dev/null
await_savefs_state web saved

echo "stuck"
private_libvirt_exec kill -STOP "$(worker)"
expect_no_boot web
await_served web

echo "killed"
kill_inside KILL foresnap-savefs
expect_no_boot web
guest_virsh list --all >/dev/null

echo "killed and unmounted"
private_libvirt_exec umount -l "$PRIVATE_LIBVIRT/state/saved/web.save"
private_libvirt_exec umount -l /run/foresnap/savefs
expect_no_boot web
expect_match "$(cat "$TEST_DIR/start.out")" "foresnap savefs start" "libvirt's error"

echo "the host is started, with autostart before the server"
guest_virsh autostart web
private_libvirt_kill TERM
private_libvirt_exec rm -f /run/libvirt/qemu/autostarted
private_libvirt_start_again
domain_is web "shut off" || fail "autostart: $(domain_reason web)"
guest_virsh autostart --disable web

echo "stopped"
expect_exit 0 foresnap savefs start
expect_exit 0 foresnap --json savefs stop
expect_json "$expect_out" stopped 1
expect_no_boot web
! private_libvirt_exec grep -q /run/foresnap/savefs /proc/self/mountinfo || fail "something is still mounted"

echo "served again"
expect_exit 0 foresnap savefs start
now=$(now_us)
guest_virsh start web >/dev/null
expect_equal "$(domain_reason web)" "running (restored)" "the state after the start"
guest_time_of_first_heartbeat_after web "$now" >/dev/null
guest_verify web
await_savefs_state web ready
private_libvirt_alive
