#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Jobs: a real snapshot that goes on by itself, is seen, waited for and forgotten; one that
# fails; one that is stopped in its middle and leaves the guest as it was.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
test_dir
snapshot_start
# Enough on a disk for a slow snapshot to be caught in its middle.
make_disk one.raw raw 64M
private_libvirt_exec dd if=/dev/urandom of="$IMAGES/one.raw" bs=1M count=48 conv=notrunc status=none
guest_start one 128 --fill 32 --devices "$(disk_xml vda one.raw raw)"

job_state ()
{
    foresnap --json jobs | jq -r ".jobs[] | select(.job == \"$1\").state"
}

has_state ()
{
    [ "$(job_state "$1")" = "$2" ]
}

echo "what makes no sense"
expect_exit 2 foresnap list --detach
expect_match "$expect_err" "'list' is no long work" "the error of a short command"
expect_exit 2 foresnap snapshot one --nonsense --detach
expect_exit 2 foresnap jobs shred
expect_exit 2 foresnap jobs cancel
expect_exit 1 foresnap jobs show abcdef
expect_exit 0 foresnap --json jobs
expect_json "$expect_out" jobs.length 0

echo "one that is stopped in its middle"
expect_exit 0 foresnap snapshot one --no-memory --bandwidth 1M --detach
id=$expect_out
wait_until 60 is_reading || fail "it does not begin to read: $(foresnap jobs show "$id")"
has_state "$id" running || fail "it is not seen to run"
expect_exit 1 foresnap jobs remove "$id"
expect_match "$expect_err" "is running" "the error of a removal"
expect_exit 0 foresnap jobs cancel "$id"
expect_exit 1 foresnap jobs wait "$id" --timeout 60
expect_match "$expect_err" "is cancelled" "the error of what waits"
expect_exit 1 foresnap jobs cancel "$id"
expect_exit 0 foresnap -q recover
expect_domain one running
guest_verify one

echo "a snapshot as a job"
expect_exit 0 foresnap snapshot one --name night --detach
id=$expect_out
expect_match "$id" '^[0-9a-f]{32}$' "the id"
expect_exit 0 foresnap --json jobs wait "${id:0:8}" --timeout 60
expect_json "$expect_out" jobs.0.state "done"
expect_json "$expect_out" jobs.0.exit_status 0
expect_json "$expect_out" jobs.0.domain one
expect_json "$expect_out" jobs.0.result.domain one
snapshot=$(json "$expect_out" jobs.0.result.snapshot)
expect_exit 0 foresnap --json show "$snapshot"
expect_match "$(jq -r '.. | .name? // empty' <<<"$expect_out")" night "the snapshot's name"
expect_exit 0 foresnap --json jobs show "$id"
expect_equal "$(jq -r '.progress.unit' <<<"$expect_out")" bytes "what its progress counts"

echo "one that fails says why"
expect_exit 0 foresnap --json snapshot nobody --detach
failed=$(json "$expect_out" job)
expect_exit 1 foresnap jobs wait "$failed"
expect_match "$expect_err" "is failed: .*nobody" "the error of what waits"

echo "two on one domain: the second is busy, and so is who waits for it"
uuid=$(guest_virsh domuuid one)
hold_domain "$uuid"
expect_exit 0 foresnap snapshot one --detach
expect_exit 75 foresnap jobs wait "$expect_out"
let_domain_go

echo "forgotten"
expect_exit 0 foresnap --json jobs remove --ended
expect_json "$expect_out" removed 4
expect_exit 0 foresnap --json jobs
expect_json "$expect_out" jobs.length 0
expect_as_before one
private_libvirt_alive
