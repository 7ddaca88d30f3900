#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A domain that foresnap has suspended starts from libvirt too, where its managed save goes
# through foresnap-savefs: with every page, once, and foresnap resumes or discards it as ever.
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
uuid=$(guest_virsh domuuid web)
journal=$PRIVATE_LIBVIRT/state/$uuid.journal

# started_by_libvirt : it goes on where it was, and nothing can be resumed any more
started_by_libvirt ()
{
    local now
    await_served web
    now=$(now_us)
    guest_virsh start web >/dev/null
    expect_equal "$(domain_reason web)" "running (restored)" "the state after the start"
    guest_time_of_first_heartbeat_after web "$now" >/dev/null
    guest_verify web
    await_savefs_state web ready
    [ ! -e "$(marker_path web)" ] || fail "the marker is left"
    expect_exit 0 foresnap recover
    expect_equal "$expect_out" "nothing to recover" "what recover says"
    expect_exit 1 foresnap resume web
    expect_match "$expect_err" "has been used" "the error"
}

echo "suspended before it is saved through here: the stub gives way"
expect_exit 0 foresnap suspend web
[ ! -L "$(stub_path web)" ] || fail "there is a link for a domain that is not enabled"
! guest_virsh start web 2>/dev/null || fail "a stub was started"
expect_exit 0 foresnap savefs enable web
await_savefs_state web saved
started_by_libvirt

for how in "" --paused; do
    echo "suspended: $how"
    # shellcheck disable=SC2086
    expect_exit 0 foresnap suspend web $how
    expect_equal "$(savefs_state web)" saved "the state"
    expect_exit 0 foresnap status
    expect_match "$expect_out" "web.*suspended" "the status"
    private_libvirt_exec cat "$(stub_path web)" >"$TEST_DIR/copy.save"
    expect_equal "$(head -c 16 "$TEST_DIR/copy.save")" LibvirtQemudSave "the magic of what is served"
    wait_until 30 test ! -e "$journal" || fail "the copy left a journal"
    started_by_libvirt
done

echo "resumed by foresnap"
expect_exit 0 foresnap suspend web
now=$(now_us)
expect_exit 0 foresnap resume web --wait
guest_time_of_first_heartbeat_after web "$now" >/dev/null
guest_verify web
await_savefs_state web ready

echo "suspended while there is no server"
expect_exit 0 foresnap savefs stop
expect_exit 0 foresnap suspend web
expect_no_boot web
expect_match "$(cat "$TEST_DIR/start.out")" "foresnap savefs start" "libvirt's error"
expect_exit 0 foresnap savefs start
expect_exit 0 foresnap savefs start
started_by_libvirt

echo "suspended into another repository: no server forgets its guard"
FORESNAP_REPO=$PRIVATE_LIBVIRT/other expect_exit 0 foresnap suspend web
[ ! -L "$(stub_path web)" ] || fail "there is a link for a state that is not served"
expect_no_boot web
expect_exit 0 foresnap savefs enable web
expect_no_boot web
FORESNAP_REPO=$PRIVATE_LIBVIRT/other expect_exit 0 foresnap resume web --wait
guest_verify web
await_savefs_state web ready
expect_exit 0 foresnap suspend web
expect_exit 0 foresnap savefs stop
FORESNAP_REPO=$PRIVATE_LIBVIRT/other expect_exit 0 foresnap savefs start
expect_no_boot web
expect_exit 0 foresnap savefs stop
expect_exit 0 foresnap savefs start
started_by_libvirt

echo "libvirt calls it saved when it is started"
expect_exit 0 foresnap suspend web
private_libvirt_restart
expect_match "$(guest_virsh dominfo web)" "Managed save: *yes" "what libvirt says"
started_by_libvirt

echo "imported"
guest_virsh save web "$TEST_DIR/web.save" >/dev/null
chmod 644 "$TEST_DIR/web.save"
expect_exit 0 foresnap import web "$TEST_DIR/web.save"
started_by_libvirt

echo "discarded"
expect_exit 0 foresnap suspend web
expect_exit 0 foresnap discard web
await_savefs_state web ready
guest_virsh start web >/dev/null
guest_wait_heartbeat web 60
expect_equal "$(domain_reason web)" "running (booted)" "the state after a discard"
private_libvirt_alive
