#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnap is killed at each step of a snapshot: the guard lets the guest run within a second,
# recovery leaves nothing in QEMU, the next snapshot misses nothing.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
guest_with_disks one 128 --fill 40
guest_ask one "disk-every 1" "DISK-EVERY" 10 >/dev/null
snapshot
last=$snapshot

# killed STEP ARG… : killed there, and brought to an end by whoever comes first
killed ()
{
    local step=$1 began
    shift
    began=$(now_us)
    FORESNAP_TEST_KILL_AT=$step expect_exit 137 foresnap snapshot one "$@"
    wait_until 20 domain_is one running || fail "the guest does not run"
    expect_exit 0 foresnap recover
    wait_until 20 no_journal || fail "the journal is still there"
    expect_as_before one
    expect_at_most "$(guest_max_gap one "$began" "$(now_us)")" 2500000 "the longest silence of the guest (us)"
}

for step in begun preparing stopping reading; do
    echo "killed at: $step"
    killed "$step"
    expect_exit 0 foresnap --json list
    expect_json "$expect_out" snapshots.length 1
done
echo "killed at: preparing, reading, without memory"
killed preparing --no-memory
killed reading --no-memory

echo "what was written meanwhile is in the next one, which needs not read all"
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
guest_ask one "scatter 0 100 3" "SCATTERED" 30 >/dev/null
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.base "$last"
expect_disk "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_disk "$snapshot" vdb "$IMAGES/one-b.raw" raw

echo "killed at: durable, which is whole"
killed durable
expect_exit 0 foresnap --json list
expect_json "$expect_out" snapshots.length 3
expect_exit 0 foresnap verify --all
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
private_libvirt_alive
