#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots around which things break: the repository fills up, libvirtd goes away, the agent
# says nothing, the domain is suspended. The guest runs on and nothing half is listed.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
agent="<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
make_disk one-a.qcow2 qcow2 256M
make_disk one-b.raw raw 128M
guest_start one 128 --fill 40 --devices \
    "$(disk_xml vda one-a.qcow2 qcow2)$(disk_xml vdb one-b.raw raw)$agent"
guest_ask one "fill 0 16 8 5" "FILLED" 30 >/dev/null

echo "the repository fills up while it is read"
private_libvirt_exec mkdir "$IMAGES/small"
private_libvirt_exec mount -t tmpfs -o size=96M tmpfs "$IMAGES/small"
FORESNAP_REPO=$IMAGES/small/repo foresnap -q snapshot one --no-memory --bandwidth 1M --scratch "$IMAGES" \
    2>"$PRIVATE_LIBVIRT/full" &
slow=$!
wait_until 20 is_reading || fail "nothing is read"
private_libvirt_exec sh -c 'head -c 96M /dev/zero >"$1"/rest 2>/dev/null || :' sh "$IMAGES/small"
! wait "$slow" || fail "a full repository took a snapshot"
expect_match "$(cat "$PRIVATE_LIBVIRT/full")" "space" "the message"
private_libvirt_exec rm "$IMAGES/small/rest"
FORESNAP_REPO=$IMAGES/small/repo expect_exit 0 foresnap --json list
expect_json "$expect_out" snapshots.length 0
expect_as_before one

echo "the agent says nothing"
guest_ask one 'agent silent' 'AGENT silent' >/dev/null
# shellcheck disable=SC2016
wait_until 20 private_libvirt_exec sh -c 'virsh dumpxml one | grep -q "state=.connected."' ||
    fail "the agent's channel is not connected"
expect_exit 1 foresnap snapshot one --no-memory --quiesce require
expect_match "$expect_err" "cannot be frozen" "the refusal"
expect_as_before one
snapshot --no-memory
expect_json "$expect_out" consistency crash
expect_match "$(json "$expect_out" warnings.0)" "could not be frozen" "the warning"
first=$snapshot

for signal in TERM KILL; do
    echo "libvirtd goes away by SIG$signal while it is read, and comes back"
    guest_ask one "fill 0 16 8 $RANDOM" "FILLED" 30 >/dev/null
    foresnap -q snapshot one --bandwidth 1M 2>/dev/null &
    slow=$!
    wait_until 20 is_reading || fail "nothing is read"
    private_libvirt_kill $signal
    private_libvirt_start_again
    wait "$slow" || :
    wait_until 60 no_journal || fail "nobody has cleared up"
    expect_as_before one
done

echo "a domain that is suspended: its disks, and it can be resumed"
expect_exit 0 foresnap suspend one
snapshot
expect_json "$expect_out" memory none
expect_json "$expect_out" disks.0.base "$first"
expect_disk "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_exit 0 foresnap resume one --wait
guest_wait_heartbeat one 20
guest_verify one
snapshot --no-memory
expect_as_before one
private_libvirt_alive
