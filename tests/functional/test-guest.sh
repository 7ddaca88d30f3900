#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The test guest itself: it verifies its memory, finds wrong pages when there are some,
# and goes on after a save and restore, a reboot and a change of its memory's content.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
private_libvirt_start
guest_start one 256 --disk --vcpus 2
guest_verify one

guest_ask one 'dirty 100' ' DIRTY rate=100$' >/dev/null
guest_wait_heartbeat one 5
guest_ask one 'dirty 0' ' DIRTY rate=0$' >/dev/null
guest_verify one

# libvirt's own save and restore keep it, and the log shows the time it was away.
began=$(now_us)
guest_virsh save one "$PRIVATE_LIBVIRT/one.save" >/dev/null
saved=$(now_us)
guest_virsh restore "$PRIVATE_LIBVIRT/one.save" >/dev/null
first=$(guest_time_of_first_heartbeat_after one "$saved")
read -r last _ <<<"$(guest_last_heartbeat one "$saved")"
[ "$last" -gt "$began" ] || [ "$saved" -gt "$last" ] || fail "the guest beat while it was saved"
gap=$(guest_max_gap one "$began" "$first")
expect_equal "$gap" $((first - last)) "the longest gap"
guest_verify one

# One flipped bit and one outdated page are found, by the whole check and by name.
guest_ask one 'corrupt 7' ' CORRUPTED 7$' >/dev/null
guest_ask one 'outdate 99' ' OUTDATED 99$' >/dev/null
answer=$(guest_ask one verify ' VERIFY ')
expect_match "$answer" ' bad=1 stale=1 ' "the answer of a guest with two wrong pages"
! (guest_verify one) 2>/dev/null || fail "guest_verify accepted wrong pages"

# The disk has been written to.
grep -qa 'memguest seq=' "$PRIVATE_LIBVIRT/guests/one.qcow2" || fail "nothing was written to the disk"

# Power button and reboot.
now=$(now_us)
guest_send one reboot
guest_await one "$now" ' READY pages=' 60 >/dev/null
guest_verify one
guest_virsh shutdown one >/dev/null
wait_until 20 eval '[ "$(guest_virsh domstate one)" = "shut off" ]' || fail "the power button did nothing"
private_libvirt_alive
