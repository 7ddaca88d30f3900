#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# verify --against-disk finds what no record and no hash has noticed, of a running domain and of
# one that is off, and leaves everything as it was.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
guest_with_disks one 128 --fill 40
guest_ask one "fill 0 16 8 1" "FILLED disk=0" 30 >/dev/null
guest_ask one "fill 1 0 8 2" "FILLED disk=1" 30 >/dev/null
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
snapshot --no-memory
first=$snapshot

# behind_the_back OFFSET : a write to vdb that QEMU does not know of
behind_the_back ()
{
    printf junk | dd of="$IMAGES/one-b.raw" bs=1 seek="$1" conv=notrunc status=none
}

echo "of a running domain"
expect_exit 0 foresnap --json verify "$first" --against-disk
expect_json "$expect_out" disks.0.mode unchanged
expect_json "$expect_out" disks.0.passed_over 0
expect_json "$expect_out" disks.1.compared $((128 << 20))
guest_ask one "scatter 0 50 3" "SCATTERED" 30 >/dev/null
expect_exit 0 foresnap --json verify "$first" --against-disk
[ "$(json "$expect_out" disks.0.passed_over)" -gt 0 ] || fail "what was written is not passed over"
behind_the_back 1000000
expect_exit 1 foresnap --json verify "$first" --against-disk
expect_json "$expect_out" error.code corrupt
expect_json "$expect_out" disks.0.differing 0
expect_json "$expect_out" disks.1.n_ranges 1
expect_json "$expect_out" disks.1.ranges.0.offset $((1000000 / 4096 * 4096))
expect_json "$expect_out" disks.1.ranges.0.length 4096
expect_exit 1 foresnap verify "$first" --against-disk
expect_match "$expect_out" "disk vdb differs at 999424, 4096 bytes" "the output"
expect_as_before one
expect_exit 0 foresnap --json list
expect_json "$expect_out" snapshots.length 1

echo "the record goes on"
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.base "$first"
expect_exit 1 foresnap verify "$first" --against-disk
expect_match "$expect_err" "records the changes since" "the refusal"
expect_as_before one

echo "interrupted"
for signal in TERM KILL; do
    foresnap -q verify "$snapshot" --against-disk 2>/dev/null &
    pid=$!
    stop_once "step reading" || fail "the moment never came"
    kill_inside $signal foresnap
    go_on
    ! wait "$pid" || fail "SIG$signal did not end it"
    wait_until 20 no_journal || fail "something is under way"
    expect_as_before one
done
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_as_before one

echo "of a domain that is off"
guest_virsh destroy one >/dev/null
expect_exit 1 foresnap --json verify "$snapshot" --against-disk
expect_json "$expect_out" disks.1.mode all
expect_json "$expect_out" disks.1.n_ranges 1
expect_exit 2 foresnap verify --against-disk
expect_exit 1 foresnap verify "$snapshot" --against-disk
[ ! -e "$(find "$STATE" -name '*.journal')" ] || fail "a journal is left"
private_libvirt_alive
