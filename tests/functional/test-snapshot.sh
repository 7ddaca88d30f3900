#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots of a running guest: its disks are byte by byte as they were, the second one reads
# what has changed and stores what differs, the guest notices nothing, nothing is left behind.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
guest_with_disks one 128 --fill 40
guest_ask one "fill 0 16 8 1" "FILLED disk=0" 30 >/dev/null
guest_ask one "fill 1 0 8 2" "FILLED disk=1" 30 >/dev/null

echo "the plan touches nothing"
expect_exit 0 foresnap --json snapshot one --dry-run
expect_json "$expect_out" snapshot ""
expect_json "$expect_out" disks.0.mode full
expect_json "$expect_out" resources.0.mode background
expect_exit 0 foresnap --json list
expect_json "$expect_out" snapshots.length 0

echo "full"
snapshot --name first
first=$snapshot
expect_json "$expect_out" parent ""
expect_json "$expect_out" memory background
expect_json "$expect_out" disks.0.mode full
expect_json "$expect_out" disks.1.mode full
expect_at_most "$(json "$expect_out" pause_us)" 2000000 "the pause (us)"
expect_as_before one

echo "incremental, with the writing still"
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
guest_ask one "scatter 0 100 3" "SCATTERED" 30 >/dev/null
guest_ask one "scatter 1 50 4" "SCATTERED" 30 >/dev/null
snapshot --no-memory --quiesce none
second=$snapshot
expect_json "$expect_out" parent "$first"
expect_json "$expect_out" memory none
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.1.mode incremental
expect_json "$expect_out" pause_us 0
read=$(json "$expect_out" disks.0.bytes.read)
changed=$(json "$expect_out" disks.0.bytes.changed)
echo "vda: read $read, changed $changed, stored $(json "$expect_out" disks.0.bytes.stored)"
expect_at_most "$read" $((101 * 65536)) "what was read"
expect_at_most "$changed" $((102 * 4096)) "what was stored of it"
expect_at_most $((90 * 4096)) "$changed" "what was changed"
private_libvirt_exec sync
expect_disk "$second" vda "$IMAGES/one-a.qcow2" qcow2
expect_disk "$second" vdb "$IMAGES/one-b.raw" raw

echo "nothing has changed"
snapshot --no-memory
expect_json "$expect_out" disks.0.bytes.read 0
expect_at_most "$(json "$expect_out" bytes_stored)" 65536 "the bytes stored for nothing"

echo "one disk of them"
snapshot --no-memory --disk vdb
expect_json "$expect_out" disks.0.skipped "not asked for"
expect_json "$expect_out" disks.1.mode incremental
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_exit 1 foresnap snapshot one --disk vdx
expect_match "$expect_err" "has no disk 'vdx'" "the refusal"
expect_as_before one
expect_exit 0 foresnap verify --all --read-data

echo "a snapshot is no suspend state"
expect_exit 1 foresnap resume "$first"
expect_match "$expect_err" "foresnap restore" "the refusal"
expect_exit 1 foresnap export "$first" --save-image "$PRIVATE_LIBVIRT/image"
expect_match "$expect_err" "foresnap restore" "the refusal"

echo "told as it goes on, and pruned with its space"
expect_exit 0 foresnap -v verify
expect_match "$expect_err" "looking at snapshots" "the progress"
expect_exit 0 foresnap --json prune --keep-last 1 --gc --dry-run
! json "$expect_out" gc >/dev/null 2>&1 || fail "a dry run has freed something"
expect_exit 0 foresnap --json prune --keep-last 1 --gc --grace 0
[ "$(json "$expect_out" deleted.length)" -gt 0 ] || fail "nothing was deleted: $expect_out"
[ "$(json "$expect_out" gc.objects_removed)" -gt 0 ] || fail "nothing was freed: $expect_out"
expect_exit 0 foresnap verify --all --read-data
private_libvirt_alive
