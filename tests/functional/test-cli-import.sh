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

# Cut in its header, its description, at the begin, in the middle and at the end of the stream.
size=$(stat -c %s "$image")
for length in 0 20 92 5000 70000 200000 $((size / 2)) $((size - 1)); do
    head -c "$length" "$image" >"$TEST_DIR/cut.save"
    expect_exit 1 foresnap import web "$TEST_DIR/cut.save"
    expect_match "$expect_err" "cannot import .*: " "the refusal of $length bytes of $size"
done
private_libvirt_exec touch -d 'now + 1 hour' "$disk"
expect_exit 1 foresnap --json import web "$image"
expect_match "$expect_out" 'was written after the image' "the document"
private_libvirt_exec touch -r "$TEST_DIR/time" "$disk"
expect_exit 0 foresnap list
expect_equal "$expect_out" "there are no snapshots" "the list"

stub=$PRIVATE_LIBVIRT/lib/qemu/save/web.save

# expect_off_and_free : as if nothing had been; an ordinary start would boot it.
expect_off_and_free ()
{
    expect_exit 0 foresnap list
    expect_equal "$expect_out" "there are no snapshots" "the list"
    [ ! -e "$stub" ] || fail "a guard without a state is left"
    expect_exit 0 foresnap recover
    expect_equal "$expect_out" "nothing to recover" "what recover says"
}

expect_suspended ()
{
    expect_exit 0 foresnap status
    expect_match "$expect_out" "web.*suspended" "the status"
    [ -e "$stub" ] || fail "a state without a guard"
}

echo "killed, or failing, while it imports"
FORESNAP_TEST_KILL_AT=storing expect_exit 137 foresnap import web "$image"
expect_exit 0 foresnap recover
expect_match "$expect_out" "the import had stored nothing" "what recover says"
expect_off_and_free
for step in storing durable guarded; do
    FORESNAP_TEST_FAIL_AT=$step expect_exit 1 foresnap import web "$image"
    expect_off_and_free
done
for point in undo:manifest undo:guard; do
    FORESNAP_TEST_FAIL_AT=guarded FORESNAP_TEST_KILL_AT=$point \
        expect_exit 137 foresnap import web "$image"
    FORESNAP_TEST_KILL_AT=recover:remove-stub expect_exit 137 foresnap recover
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "the import had stored nothing" "what recover says"
    expect_off_and_free
done
# What is imported is discarded again, which is killed too.
steps=(begun consumed unguarded)
for step in durable guarded; do
    FORESNAP_TEST_KILL_AT=$step expect_exit 137 foresnap import web "$image"
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "the import was completed; the domain is suspended" "recover"
    expect_suspended
    FORESNAP_TEST_KILL_AT=${steps[0]} expect_exit 137 foresnap discard web
    steps=("${steps[@]:1}")
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "the discard was completed" "what recover says"
    expect_off_and_free
done
expect_exit 0 foresnap import web "$image"
FORESNAP_TEST_KILL_AT=${steps[0]} expect_exit 137 foresnap discard web
expect_exit 0 foresnap recover
expect_off_and_free

echo "a state that was deleted by force leaves its guard"
expect_exit 0 foresnap import web "$image"
expect_exit 1 foresnap delete "$(foresnap list -q)"
expect_exit 0 foresnap delete --force "$(foresnap list -q)"
[ -e "$stub" ] || fail "there is no guard to be discarded"
expect_exit 0 foresnap discard web
expect_off_and_free

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
