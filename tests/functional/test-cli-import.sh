#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An image of plain virsh save becomes a suspend state; resumed, the guest finds every page
# as it was. Images of other domains and of disks that moved on are refused.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
test_dir
private_libvirt_start
userfaultfd_allow
guest_start web 256 --disk

foresnap ()
{
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$top_builddir" FORESNAP_REPO="$TEST_DIR/repo" \
        "$top_builddir/foresnap" -c qemu:///system "$@"
}

image=$PRIVATE_LIBVIRT/web.save
expect_exit 1 foresnap import web /dev/null
guest_virsh save web "$image" >/dev/null
disk=$(guest_virsh domblklist web | sed -n 's/^ *vda  *//p')
private_libvirt_exec touch -r "$disk" "$TEST_DIR/time"

head -c 200000 "$image" >"$TEST_DIR/cut.save"
expect_exit 1 foresnap import web "$TEST_DIR/cut.save"
private_libvirt_exec touch -d 'now + 1 hour' "$disk"
expect_exit 1 foresnap --json import web "$image"
expect_match "$expect_out" 'was written after the image' "the document"
private_libvirt_exec touch -r "$TEST_DIR/time" "$disk"
expect_exit 0 foresnap list
expect_equal "$expect_out" "there are no snapshots" "the list"

expect_exit 0 foresnap --json import web "$image"
for key in total_us bytes_read bytes_changed bytes_stored; do
    expect_match "$expect_out" "\"$key\" : [1-9]" "the document"
done
expect_match "$expect_out" '"domain" : "web"' "the document"
expect_exit 1 foresnap import web "$image"
expect_match "$expect_err" "suspended already" "the error"
! guest_virsh start web 2>/dev/null || fail "a suspended domain was booted over its memory"

now=$(now_us)
expect_exit 0 foresnap --json resume web --wait
for key in domain_created_us running_us loaded_us; do
    expect_match "$expect_out" "\"$key\" : [1-9]" "the document"
done
expect_match "$expect_out" '"mode" : "(predicted|lazy)"' "the document"
guest_time_of_first_heartbeat_after web "$now" >/dev/null
guest_verify web
expect_exit 1 foresnap resume web
private_libvirt_alive
