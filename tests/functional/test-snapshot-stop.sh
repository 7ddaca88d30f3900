#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where QEMU may not write-protect memory a snapshot is refused with the ways out; --stop stops
# the guest while everything is read, which is of one instant then too, and thaws it afterwards.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
guest_requires_agent
emulator=$IMAGES/no-userfaultfd
install -m 755 "$_foresnap_dir/tests/functional/no-userfaultfd" "$emulator"
if kvm_works; then
    ln -s /usr/bin/qemu-system-x86_64 "$emulator.real"
else
    ln -s /run/foresnap-test/guest/qemu-odd "$emulator.real"
fi
FSN_EMULATOR=$emulator guest_with_disks one 192 --fill 40 --agent
guest_ask one "disk-every 1" "DISK-EVERY" 10 >/dev/null

expect_exit 1 foresnap snapshot one
for way in "check-host --fix" --stop --no-memory; do
    expect_match "$expect_err" "$way" "the refusal"
done
expect_as_before one

snapshot --stop
stopped=$snapshot
expect_json "$expect_out" memory stopped
expect_match "$(json "$expect_out" resources.0.reason)" "may be stopped" "the reason"
[ "$(json "$expect_out" pause_us)" -gt 0 ] || fail "there was no pause"
ignore_descriptors=1 expect_as_before one

echo "with a database at rest, which the agent lets go when the guest runs again"
expect_exit 0 foresnap policy one set \
    'database.declare=db on=vda quiesce="/bin/sh -c \"exit 0\"" release="/bin/sh -c \"echo DB go >/dev/ttyS0\""'
wait_until 60 guest_virsh qemu-agent-command one '{"execute":"guest-ping"}' >/dev/null 2>&1 ||
    fail "the agent does not answer"
snapshot --stop --quiesce require
expect_json "$expect_out" memory stopped
expect_json "$expect_out" consistency application
[[ $expect_out != *'"warnings"'* ]] || fail "there is a warning: $expect_out"
wait_until 20 grep -q 'DB go' "$(guest_log one)" || fail "the database is still at rest"
ignore_descriptors=1 expect_as_before one

echo "killed while it is stopped"
FORESNAP_TEST_KILL_AT=reading expect_exit 137 foresnap snapshot one --stop
wait_until 40 domain_is one running || fail "the guest stands still"
expect_exit 0 foresnap recover
wait_until 20 no_journal || fail "the journal is still there"
ignore_descriptors=1 expect_as_before one

echo "memory and disks are of one instant"
guest_virsh destroy one >/dev/null
expect_exit 0 foresnap restore "$stopped" --no-keep
wait_loaded one 60
guest_wait_heartbeat one 30
guest_verify one
! grep -q ' DISK ' "$(guest_log one)" || fail "the guest has met: $(grep ' DISK ' "$(guest_log one)")"
private_libvirt_alive
