#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What export writes, plain virsh restores, and the guest finds every page as it was.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
test_dir
private_libvirt_start
guest_start web 256

foresnap ()
{
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$top_builddir" FORESNAP_REPO="$TEST_DIR/repo" \
        "$top_builddir/foresnap" -c qemu:///system "$@"
}

expect_exit 0 foresnap suspend web --paused
expect_exit 0 foresnap list -q
snapshot=$expect_out

expect_exit 2 foresnap export "$snapshot"
expect_exit 1 foresnap export "$snapshot" --save-image "$TEST_DIR"
expect_exit 0 foresnap export "$snapshot" --save-image "$TEST_DIR/web.save" --json
expect_match "$expect_out" "\"snapshot\" : \"$snapshot\"" "the document"
expect_match "$expect_out" "\"bytes_written\" : $(stat -c %s "$TEST_DIR/web.save")" "the document"
expect_match "$expect_err" "only one of the two may ever run" "the warning"
expect_exit 1 foresnap export "$snapshot" --save-image "$TEST_DIR/web.save" --json
expect_match "$expect_out" '"code" : "exists"' "the document"

expect_exit 0 foresnap discard web
now=$(now_us)
guest_virsh restore "$TEST_DIR/web.save" >/dev/null
guest_time_of_first_heartbeat_after web "$now" >/dev/null
guest_verify web
private_libvirt_alive
