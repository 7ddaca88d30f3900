#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guard of a suspended domain: no ordinary start boots it over its saved memory, whatever
# libvirtd goes through; a start by force makes the memory void for good; discard lifts it.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
private_libvirt_requires
guest_requires
private_libvirt_start
userfaultfd_allow
guest_start one 128 --fill 40 --disk

# An ordinary start fails, names the way out, and leaves the guard.
expect_start_refused ()
{
    local message
    ! message=$(guest_virsh start one 2>&1) || fail "a suspended domain was booted over its memory"
    expect_match "$message" "foresnap resume one" "the refusal of a start"
    expect_match "$message" "foresnap discard one" "the refusal of a start"
    expect_guarded
}

expect_guarded ()
{
    expect_domain one "shut off"
    [ -s "$(stub_path one)" ] || fail "the guard has gone"
    [ -s "$(marker_path one)" ] || fail "the marker for the hook has gone"
}

# Waits for the boot of a guest that has been started; its memory is new.
wait_booted ()
{
    guest_await one "$1" ' READY pages=' 60 >/dev/null
    guest_verify one
}

expect_exit 0 foresnap suspend one
expect_guarded
expect_start_refused
expect_start_refused

echo "libvirtd restarted, autostart"
guest_virsh autostart one >/dev/null
private_libvirt_restart
expect_match "$(guest_virsh list --all --with-managed-save --name)" one "domains with a saved state"
expect_start_refused
# Autostart takes place once per boot of the host; libvirt remembers it in a file of /run.
private_libvirt_kill TERM
private_libvirt_exec rm -f /run/libvirt/qemu/autostarted
private_libvirt_start_again
autostart_tried ()
{
    private_libvirt_exec test -e /run/libvirt/qemu/autostarted &&
        private_libvirt_exec grep -q "foresnap resume one" /var/log/libvirt/libvirtd.log
}
wait_until 10 autostart_tried || fail "libvirtd has not tried to start the domain by itself"
expect_guarded
guest_virsh autostart one --disable >/dev/null
expect_start_refused

echo "resume after all that"
expect_exit 0 foresnap resume one --wait
guest_wait_heartbeat one 20
guest_verify one
expect_equal "$(leftovers)" "" "what is left after a resume"

echo "started by force"
expect_exit 0 foresnap suspend one
snapshot=$(foresnap list -q | head -n 1)
began=$(now_us)
guest_virsh start one --force-boot >/dev/null
wait_booted "$began"
for target in one "$snapshot"; do
    expect_exit 1 foresnap --json resume "$target"
    expect_json "$expect_out" error.code state
done
expect_domain one running
guest_virsh destroy one >/dev/null
# The domain is off again, but its disk has moved on: the memory stays void.
for target in one "$snapshot"; do
    expect_exit 1 foresnap --json resume "$target"
    expect_json "$expect_out" error.code state
done
expect_match "$expect_err" "one.qcow2' was changed since the suspend" "the refusal of memory over a disk that was written"
expect_domain one "shut off"
began=$(now_us)
guest_virsh start one --force-boot >/dev/null
wait_booted "$began"

echo "suspended again after that, and discarded"
expect_exit 0 foresnap suspend one
expect_start_refused
expect_exit 1 foresnap resume "$snapshot"
expect_guarded
expect_exit 0 foresnap discard one
expect_equal "$(leftovers)" "" "what is left after a discard"
expect_exit 1 foresnap discard one
expect_exit 1 foresnap resume one
began=$(now_us)
guest_virsh start one >/dev/null
wait_booted "$began"

echo "an image of libvirt's own is never touched"
guest_virsh managedsave one >/dev/null
before=$(sha256sum <"$(stub_path one)")
expect_exit 1 foresnap suspend one
expect_exit 1 foresnap discard one
expect_exit 1 foresnap resume one
expect_exit 0 foresnap recover
expect_equal "$(sha256sum <"$(stub_path one)")" "$before" "libvirt's managed save image"
guest_virsh start one >/dev/null
guest_wait_heartbeat one 20
guest_verify one
private_libvirt_alive
