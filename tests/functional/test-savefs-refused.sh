#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is not libvirt's save is refused; what libvirt is told to do to a saved domain (forget
# it, boot it all the same, undefine it) loses nothing; foresnap resumes and discards it.
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
guest_start web 256 --disk
expect_exit 0 foresnap hooks install
private_libvirt_exec kill -HUP "$(private_libvirt_pid)"
expect_exit 0 foresnap savefs enable web
entry=/run/foresnap/savefs/web.save
uuid=$(guest_virsh domuuid web)

# refused_file : what is read from standard input cannot be written there, and leaves nothing
refused_file ()
{
    local status=0
    cat >"$TEST_DIR/file"
    private_libvirt_exec dd if="$TEST_DIR/file" of="$entry" bs=64k status=none 2>"$TEST_DIR/dd" || status=$?
    [ "$status" != 0 ] || fail "a file was taken that libvirt did not write"
    ! private_libvirt_exec test -e "$entry" || fail "something is left of it"
    ! private_libvirt_exec test -e "$(stub_path web)" || fail "libvirt would find it"
}

echo "anything" | refused_file
head -c 100000 /dev/zero | refused_file
guest_virsh save web "$PRIVATE_LIBVIRT/plain.save" >/dev/null
refused_file <"$PRIVATE_LIBVIRT/plain.save"
{ printf LibvirtQemudPart; head -c 300 "$PRIVATE_LIBVIRT/plain.save" | tail -c +17; } >"$TEST_DIR/part"
refused_file <"$TEST_DIR/part"
wait_until 20 test ! -e "$PRIVATE_LIBVIRT/state/$uuid.journal"
guest_virsh restore "$PRIVATE_LIBVIRT/plain.save" >/dev/null
! private_libvirt_exec sh -c "echo x >/run/foresnap/savefs/other" 2>/dev/null || fail "it takes any file"
expect_exit 0 foresnap list
expect_equal "$expect_out" "there are no snapshots" "the list"

# --- saved, and then … -----------------------------------------------------------------------
guest_virsh managedsave web >/dev/null
await_savefs_state web saved
state=$(foresnap list -q)
for command in "rm -f $entry" "sh -c 'echo x >$entry'" "truncate -s 0 $entry" "mv $entry $entry.old"; do
    ! private_libvirt_exec sh -c "$command" 2>/dev/null || fail "done to what is saved: $command"
done
expect_no_boot_forced ()
{
    ! guest_virsh start --force-boot web 2>"$TEST_DIR/force" || fail "it was booted over its memory"
    expect_match "$(cat "$TEST_DIR/force")" "foresnap resume web" "the hook's error"
}

echo "it is told to boot all the same"
expect_no_boot_forced
expect_equal "$(savefs_state web)" detached "the state"
expect_no_boot web
expect_exit 0 foresnap savefs enable web
expect_equal "$(savefs_state web)" saved "the state"
guest_virsh start web >/dev/null
expect_equal "$(domain_reason web)" "running (restored)" "the state after the start"
guest_verify web
await_savefs_state web ready

echo "its managed save is removed"
guest_virsh managedsave web >/dev/null
await_savefs_state web saved
guest_virsh managedsave-remove web >/dev/null
expect_equal "$(savefs_state web)" detached "the state"
expect_no_boot web
now=$(now_us)
expect_exit 0 foresnap resume web --wait
guest_time_of_first_heartbeat_after web "$now" >/dev/null
guest_verify web
await_savefs_state web ready

echo "resumed by foresnap while libvirt calls it saved, then discarded"
guest_virsh managedsave web >/dev/null
await_savefs_state web saved
expect_exit 0 foresnap resume web --wait
guest_verify web
await_savefs_state web ready
guest_virsh managedsave web >/dev/null
await_savefs_state web saved
expect_exit 0 foresnap discard web
await_savefs_state web ready
guest_virsh start web >/dev/null
guest_wait_heartbeat web 60
expect_equal "$(domain_reason web)" "running (booted)" "the state after a discard"

echo "undefined"
guest_virsh managedsave web >/dev/null
await_savefs_state web saved
! guest_virsh undefine web 2>/dev/null || fail "it was undefined with its save"
guest_virsh dumpxml web --inactive >"$TEST_DIR/web.xml"
guest_virsh undefine --managed-save web >/dev/null
expect_equal "$(savefs_state web)" detached "the state"
guest_virsh define "$TEST_DIR/web.xml" >/dev/null
expect_no_boot web
expect_exit 0 foresnap savefs enable web
guest_virsh start web >/dev/null
guest_verify web

echo "not through here any more"
expect_exit 0 foresnap savefs disable web
guest_virsh managedsave web >/dev/null
[ ! -L "$(stub_path web)" ] || fail "the save is not libvirt's own"
expect_exit 1 foresnap savefs enable web
expect_match "$expect_err" "managed save image of libvirt" "the error"
guest_virsh start web >/dev/null
[ "$(foresnap list -q | grep -c .)" -ge 1 ] || fail "the snapshots are gone"
[ -n "$state" ]
private_libvirt_alive
