#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's file systems are frozen for the instant, through its agent, and run on at once: the
# snapshot has one that is clean, without an entry in its journal. A guest whose memory was
# taken frozen is thawed after its restore, and one whose foresnap was killed by whoever
# clears up; the same with a database that was at rest.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
PATH=$PATH:/sbin:/usr/sbin
requires "mkfs.ext4 is not installed" mkfs.ext4 -V
requires "dumpe2fs is not installed" dumpe2fs -V
snapshot_start
guest_requires_agent
make_disk one-a.qcow2 qcow2 64M
make_disk one-b.raw raw 64M
mkfs.ext4 -q "$IMAGES/one-b.raw"
guest_start one 192 --fill 40 --agent --mount 2 \
    --devices "$(disk_xml vda one-a.qcow2 qcow2)$(disk_xml vdb one-b.raw raw)"
grep -q 'MOUNT /dev/vdb: done' "$(guest_log one)" || fail "the guest has not mounted its disk"
wait_until 30 guest_virsh guestinfo one --filesystem >/dev/null 2>&1 || fail "the agent does not answer"

log ()
{
    guest_ask one "log $1" "LOGGED $1" 20 >/dev/null
}

# has_journal SNAPSHOT : its file system has to be recovered
has_journal ()
{
    local out=$PRIVATE_LIBVIRT/exported
    rm -f "$out"
    expect_exit 0 foresnap export "$1" --disk vdb --format raw "$out"
    e2fsck -fn "$out" >"$PRIVATE_LIBVIRT/fsck" 2>&1 || :
    dumpe2fs -h "$out" 2>/dev/null | grep -q needs_recovery
}

log 10
echo "frozen, if nothing else is said and no memory is taken"
snapshot --no-memory
expect_json "$expect_out" consistency filesystem
! has_journal "$snapshot" || fail "the file system was not clean"
expect_match "$(cat "$PRIVATE_LIBVIRT/fsck")" "0.[0-9]% non-contiguous|files \(" "what fsck says"
log 11
expect_as_before one

echo "not frozen"
snapshot --no-memory --quiesce none
expect_json "$expect_out" consistency crash
has_journal "$snapshot" || fail "it is clean without having been frozen"
snapshot
expect_json "$expect_out" consistency crash
log 12

# released US : the database was let go since
released ()
{
    awk -v since="$1" '$1 > since && /DB go/ { found = 1 } END { exit !found }' "$(guest_log one)"
}

echo "frozen, with memory, and a database at rest"
expect_exit 0 foresnap policy one set 'database.declare=db on=vda quiesce="/bin/sh -c \"echo DB rest >/dev/ttyS0\"" release="/bin/sh -c \"echo DB go >/dev/ttyS0\""'
began=$(now_us)
snapshot --quiesce require
frozen=$snapshot
expect_json "$expect_out" consistency application
expect_json "$expect_out" disks.0.consistency application
expect_json "$expect_out" disks.1.consistency filesystem
wait_until 20 released "$began" || fail "the database is still at rest"
! has_journal "$frozen" || fail "the file system was not clean"
log 13
expect_as_before one

for step in preparing stopping; do
    echo "killed at: $step"
    began=$(now_us)
    FORESNAP_TEST_KILL_AT=$step expect_exit 137 foresnap snapshot one --quiesce require
    expect_exit 0 foresnap recover
    wait_until 20 no_journal || fail "the journal is still there"
    log 14
    [ "$step" = preparing ] || wait_until 20 released "$began" || fail "the database is still at rest"
    expect_as_before one
done

echo "a guest that is restored frozen is thawed, and its database let go"
guest_virsh destroy one >/dev/null
began=$(now_us)
expect_exit 0 foresnap restore "$frozen" --no-keep
wait_loaded one 60
guest_wait_heartbeat one 30
log 15
wait_until 30 released "$began" || fail "the database is still at rest"
guest_verify one
private_libvirt_alive
