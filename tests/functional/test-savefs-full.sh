#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The repository is full while libvirt saves into it: libvirt says that the save has failed, the
# guest runs on, nothing half is left, and with room the next save succeeds.
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
mkdir -p "$PRIVATE_LIBVIRT/small"
private_libvirt_exec mount -t tmpfs -o size=8M,mode=700 tmpfs "$PRIVATE_LIBVIRT/small"
FORESNAP_REPO=$PRIVATE_LIBVIRT/small/repo
# random, so that it takes its room
guest_start web 128 --fill 40
expect_exit 0 foresnap savefs enable web
uuid=$(guest_virsh domuuid web)

for _ in 1 2; do
    ! guest_virsh managedsave web >"$TEST_DIR/save.out" 2>&1 || fail "40 MiB went into 8 MiB"
    cat "$TEST_DIR/save.out"
    expect_domain web running
    guest_wait_heartbeat web 30
    wait_until 60 test ! -e "$PRIVATE_LIBVIRT/state/$uuid.journal" || fail "the save was not settled"
    await_savefs_state web ready
done
expect_exit 0 foresnap list
expect_equal "$expect_out" "there are no snapshots" "the list"
guest_verify web

private_libvirt_exec mount -o remount,size=256M "$PRIVATE_LIBVIRT/small"
guest_virsh managedsave web >/dev/null
await_savefs_state web saved
guest_virsh start web >/dev/null
expect_equal "$(domain_reason web)" "running (restored)" "the state after the start"
guest_verify web
await_savefs_state web ready
private_libvirt_alive
