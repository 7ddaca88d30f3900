#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# virsh managedsave goes into the repository, virsh start brings the guest back from there
# with every page, and again; what is listed and what is left at each step.
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

expect_exit 0 foresnap --json savefs status
expect_json "$expect_out" running 0
expect_json "$expect_out" domains.length 0
expect_exit 0 foresnap --json savefs enable web
expect_json "$expect_out" domains.0 web
expect_exit 0 foresnap --json savefs start
expect_json "$expect_out" started 0
expect_equal "$(savefs_state web)" ready "the state"
# that it is to be saved there changes nothing for libvirt
private_libvirt_restart
expect_match "$(guest_virsh dominfo web)" "Managed save: *no" "what libvirt says"
guest_virsh destroy web
guest_virsh start web
guest_wait_heartbeat web 60

uuid=$(guest_virsh domuuid web)
for _ in 1 2; do
    guest_virsh managedsave web >/dev/null
    expect_domain web "shut off"
    expect_match "$(guest_virsh dominfo web)" "Managed save: *yes" "what libvirt says"
    await_savefs_state web saved
    expect_exit 0 foresnap --json list
    expect_json "$expect_out" snapshots.0.kind suspend
    expect_exit 0 foresnap status
    expect_match "$expect_out" "web.*suspended" "the status"
    [ -e "$PRIVATE_LIBVIRT/state/guard/$uuid" ] || fail "there is no marker for the hook"

    # what is served is a whole image, and reading it does not use it up
    private_libvirt_exec cat "$(stub_path web)" >"$TEST_DIR/copy.save"
    size=$(private_libvirt_exec stat -Lc %s "$(stub_path web)")
    expect_equal "$(stat -c %s "$TEST_DIR/copy.save")" "$size" "the length of the image"
    expect_equal "$(head -c 16 "$TEST_DIR/copy.save")" LibvirtQemudSave "its magic"
    wait_until 30 test ! -e "$PRIVATE_LIBVIRT/state/$uuid.journal" || fail "the copy left a journal"
    private_libvirt_exec sh -c "head -c 16 '$(stub_path web)'" >/dev/null

    now=$(now_us)
    guest_virsh start web >/dev/null
    expect_equal "$(domain_reason web)" "running (restored)" "the state after the start"
    guest_time_of_first_heartbeat_after web "$now" >/dev/null
    guest_verify web
    await_savefs_state web ready
    [ ! -e "$PRIVATE_LIBVIRT/state/guard/$uuid" ] || fail "the marker is left"
    expect_exit 0 foresnap recover
    expect_equal "$expect_out" "nothing to recover" "what recover says"
    expect_exit 1 foresnap resume web
done
private_libvirt_alive
