#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A domain that is off: the record that its qcow2 images keep is used and left behind for the
# next snapshot, whether that finds it off or running. Of a disk with a raw data file the record
# lasts as long as QEMU.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
image=$IMAGES/one-a.qcow2
make_disk one-c.raw raw 64M
private_libvirt_exec qemu-img create -q -f qcow2 -o "data_file=$IMAGES/tmp.raw,data_file_raw=on" "$IMAGES/one-c.qcow2" 64M
private_libvirt_exec qemu-img amend -f qcow2 -o "data_file=$IMAGES/one-c.raw,data_file_raw=on" "$IMAGES/one-c.qcow2"
private_libvirt_exec rm "$IMAGES/tmp.raw"
private_libvirt_exec chmod 666 "$IMAGES/one-c.qcow2"
make_disk one-a.qcow2 qcow2 256M
make_disk one-b.raw raw 128M
guest_start one 128 --fill 40 --devices \
    "$(disk_xml vda one-a.qcow2 qcow2)$(disk_xml vdb one-b.raw raw)$(disk_xml vdc one-c.qcow2 qcow2)"
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
guest_ask one "fill 0 16 8 1" "FILLED disk=0" 30 >/dev/null

# ours : how many records of ours the image has
ours ()
{
    private_libvirt_exec qemu-img info -U "$image" | grep -c 'name: foresnap-' || :
}

echo "while it runs, the disk with a data file too"
snapshot --no-memory
expect_json "$expect_out" disks.2.mode full
guest_ask one "scatter 0 20 3" "SCATTERED" 30 >/dev/null
snapshot --no-memory
expect_json "$expect_out" disks.2.mode incremental
running=$snapshot
guest_ask one "scatter 0 20 4" "SCATTERED" 30 >/dev/null
guest_virsh destroy one >/dev/null
private_libvirt_exec qemu-img bitmap --add "$image" theirs

echo "off: what was written since"
expect_exit 0 foresnap --json snapshot one --dry-run
expect_json "$expect_out" disks.0.mode incremental
[ "$(json "$expect_out" disks.0.estimate)" -gt 0 ] || fail "nothing is to be read"
snapshot
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.base "$running"
[ "$(json "$expect_out" disks.0.bytes.read)" -gt 0 ] || fail "nothing was read"
expect_at_most "$(json "$expect_out" disks.0.bytes.read)" $((22 * 65536)) "what was read"
expect_json "$expect_out" disks.1.mode full
expect_json "$expect_out" disks.2.mode full
expect_disk "$snapshot" vda "$image" qcow2
expect_equal "$(ours)" 1 "the records of ours"

echo "off again: nothing, and what another tool has written"
snapshot
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.bytes.read 0
private_libvirt_exec qemu-io -f qcow2 -c "write -q -P 7 10M 4k" "$image"
expect_exit 0 foresnap --json verify "$snapshot" --against-disk
expect_json "$expect_out" disks.0.mode unchanged
expect_json "$expect_out" disks.0.passed_over 65536
snapshot
expect_json "$expect_out" disks.0.bytes.read 65536
expect_disk "$snapshot" vda "$image" qcow2
expect_equal "$(ours)" 1 "the records of ours"

echo "killed, and failing"
for point in offline:marked durable; do
    FORESNAP_TEST_KILL_AT=$point expect_exit 137 foresnap snapshot one
    expect_equal "$(ours)" 2 "the records of ours"
    expect_exit 0 foresnap recover
    expect_equal "$(ours)" 1 "the records of ours"
done
private_libvirt_exec mkdir "$IMAGES/small"
private_libvirt_exec mount -t tmpfs -o size=700M tmpfs "$IMAGES/small"
FORESNAP_REPO=$IMAGES/small/repo foresnap -q snapshot one --bandwidth 1M 2>"$PRIVATE_LIBVIRT/full" &
slow=$!
has_two () { [ "$(ours)" = 2 ]; }
wait_until 20 has_two || fail "the disk was not marked"
private_libvirt_exec sh -c 'head -c 700M /dev/zero >"$1"/rest 2>/dev/null || :' sh "$IMAGES/small"
! wait "$slow" || fail "a full repository took a snapshot"
private_libvirt_exec umount "$IMAGES/small"
expect_equal "$(ours)" 1 "the records of ours"
snapshot
expect_json "$expect_out" disks.0.mode incremental
last=$snapshot

echo "running again"
guest_virsh start one >/dev/null
guest_wait_heartbeat one 60
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
guest_ask one "scatter 0 20 5" "SCATTERED" 30 >/dev/null
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.base "$last"
expect_json "$expect_out" disks.2.mode full
expect_disk "$snapshot" vda "$image" qcow2
expect_as_before one
private_libvirt_exec qemu-img info -U "$image" | grep -q 'name: theirs' || fail "another tool's record is gone"

echo "suspended: not a byte of its images is written"
expect_exit 0 foresnap suspend one
sha256sum "$IMAGES"/one-* >"$PRIVATE_LIBVIRT/sums"
snapshot
expect_json "$expect_out" disks.0.mode incremental
sha256sum --quiet -c "$PRIVATE_LIBVIRT/sums"
expect_exit 0 foresnap resume one --wait
guest_wait_heartbeat one 20
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_disk "$snapshot" vda "$image" qcow2
expect_exit 0 foresnap verify --all --read-data
private_libvirt_alive
