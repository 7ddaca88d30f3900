#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory and disks of a snapshot are of one instant, though the guest writes all the time: it
# finds out itself after the restore, since it reads back each counter that it wrote. What was
# there before the restore is kept and can be had again; the next snapshot is incremental.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
guest_with_disks one 128 --fill 40
guest_ask one "disk-every 1" "DISK-EVERY" 10 >/dev/null
guest_ask one "fill 0 16 8 1" "FILLED disk=0" 30 >/dev/null

echo "a snapshot in the midst of writing"
snapshot
first=$snapshot
guest_ask one "scatter 0 200 7" "SCATTERED" 30 >/dev/null
guest_ask one "scatter 1 200 8" "SCATTERED" 30 >/dev/null
snapshot
second=$snapshot
expect_json "$expect_out" disks.0.mode incremental
expect_as_before one

expect_exit 1 foresnap restore "$first"
expect_match "$expect_err" "is running" "the refusal"
guest_virsh destroy one >/dev/null

for id in "$first" "$second" "$first"; do
    echo "restore of ${id:0:8}"
    expect_exit 0 foresnap --json restore "$id"
    kept=$(json "$expect_out" kept)
    [ -n "$kept" ] || fail "the state from before was not kept"
    expect_json "$expect_out" memory 1
    wait_loaded one 60
    guest_wait_heartbeat one 30
    guest_ask one "ping there" "PONG there" 20 >/dev/null
    expect_as_before one
    guest_virsh destroy one >/dev/null
done

echo "the next one is incremental to the one that was restored"
guest_virsh start one >/dev/null
guest_wait_heartbeat one 60
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.base "$first"
private_libvirt_alive
