#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# src/virt on a real libvirtd: a guest is saved through the monitor with a descriptor passed
# to QEMU, and loaded again by libvirt's own incoming migration, running and paused. A load
# that is given up, or whose client dies before the end, leaves the domain off, defined and
# startable, and libvirtd alive.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
tool=$(cd "$top_builddir" && pwd)/tests/functional/virt-tool
private_libvirt_requires
guest_requires
private_libvirt_start
saved=$PRIVATE_LIBVIRT/saved
socket=$PRIVATE_LIBVIRT/in/sock
mkdir -p "$saved" "$PRIVATE_LIBVIRT/in"
chown libvirt-qemu "$PRIVATE_LIBVIRT/in"
guest_start one 256

state ()
{
    guest_virsh domstate --reason one
}

in_libvirt "$tool" check >"$saved/check"
expect_match "$(cat "$saved/check")" 'uri=qemu:///system .* recover=[01]' "what is available"

# Saved and loaded running; what libvirt shows has no trace of how.
in_libvirt "$tool" save one "$saved" >/dev/null
expect_equal "$(state)" "shut off (destroyed)" "the state after the save"
in_libvirt "$tool" load "$saved" "$socket" >/dev/null
expect_equal "$(state)" "running (migrated)" "the state after the load"
guest_wait_heartbeat one 20
guest_verify one
[[ $(guest_virsh dumpxml one) != *incoming* ]] || fail "an argument of the load is left behind"
guest_virsh save one "$PRIVATE_LIBVIRT/one.save" >/dev/null
guest_virsh restore "$PRIVATE_LIBVIRT/one.save" >/dev/null
guest_verify one

# Loaded paused, and continued by libvirt.
in_libvirt "$tool" save one "$saved" >/dev/null
in_libvirt "$tool" load "$saved" "$socket" --paused >/dev/null
expect_match "$(state)" '^paused' "the state after a paused load"
guest_virsh resume one >/dev/null
guest_wait_heartbeat one 20
guest_verify one

# Given up, and its client killed: nothing remains, and it can be loaded again.
in_libvirt "$tool" save one "$saved" >/dev/null
in_libvirt "$tool" load "$saved" "$socket" --cancel >/dev/null
expect_match "$(state)" '^shut off' "the state after a load that was given up"
in_libvirt "$tool" load "$saved" "$socket" --stay >"$saved/out" &
client=$!
wait_until 20 grep -q prepared "$saved/out" || fail "the load was not prepared"
expect_match "$(state)" '^paused' "the state of a prepared load"
pid=$(in_libvirt pgrep -f -- "virt-tool load $saved")
in_libvirt kill -KILL $pid
wait "$client" || :
is_off () { [[ $(state) == "shut off"* ]]; }
wait_until 20 is_off || fail "the domain of a dead client is still $(state)"
in_libvirt "$tool" load "$saved" "$socket" >/dev/null
guest_wait_heartbeat one 20
guest_verify one

# A stream that is cut: an error, the domain off, not lost.
in_libvirt "$tool" save one "$saved" >/dev/null
truncate -s 20000000 "$saved/stream"
expect_exit 1 in_libvirt "$tool" load "$saved" "$socket"
expect_match "$(state)" '^shut off' "the state after a cut stream"
expect_match "$(guest_virsh list --all --persistent --name)" 'one' "the domains"
private_libvirt_alive
