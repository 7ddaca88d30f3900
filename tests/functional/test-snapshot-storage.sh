#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Storage that fails around a snapshot, and others' work on it: a disk with an I/O error, scratch
# space that is gone, a block job of libvirt's. The guest runs on, and nothing half is listed.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
PATH=$PATH:/sbin:/usr/sbin
requires "mkfs.ext4 is not installed" mkfs.ext4 -V
snapshot_start
private_libvirt_exec mkdir "$IMAGES/tiny"
private_libvirt_exec mount -t tmpfs -o size=4M,mode=777 tmpfs "$IMAGES/tiny"
private_libvirt_exec qemu-img create -q -f raw "$IMAGES/tiny/c.raw" 64M
private_libvirt_exec chmod 666 "$IMAGES/tiny/c.raw"
make_disk one-a.qcow2 qcow2 256M
make_disk one-b.raw raw 128M
guest_start one 128 --fill 40 --devices \
    "$(disk_xml vda one-a.qcow2 qcow2)$(disk_xml vdb one-b.raw raw)$(disk_xml vdc tiny/c.raw raw)"
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
guest_ask one "fill 0 16 16 1" "FILLED disk=0" 30 >/dev/null

listed ()
{
    expect_exit 0 foresnap --json list
    expect_json "$expect_out" snapshots.length "$1"
}

echo "a block job is under way"
private_libvirt_exec chmod 777 "$IMAGES"
guest_virsh blockcopy one vda "$IMAGES/copy.qcow2" --transient-job --bandwidth 1 --bytes >/dev/null
expect_exit 75 foresnap snapshot one
expect_match "$expect_err" "a block job on disk vda" "the refusal"
expect_exit 75 foresnap snapshot one --no-memory --disk vdb
guest_virsh blockjob one vda --abort >/dev/null
listed 0
expect_as_before one

echo "the scratch space fails while it is read"
# As QEMU reports it when a write to it fails: the job ends, and the export shows no instant.
foresnap -q snapshot one --no-memory --bandwidth 1M 2>"$PRIVATE_LIBVIRT/said" &
slow=$!
wait_until 20 is_reading || fail "nothing is read"
job=$(qmp one '{"execute":"query-jobs"}' | grep -o 'fsn-[0-9a-f]*-vda' | head -n 1)
qmp one "{\"execute\":\"job-cancel\",\"arguments\":{\"id\":\"$job\"}}" | grep -q '"return":{}' ||
    fail "the job was not ended"
! wait "$slow" || fail "a snapshot was taken without an instant"
expect_match "$(cat "$PRIVATE_LIBVIRT/said")" "scratch space of disk 'vda' has failed" "the message"
listed 0
expect_as_before one

echo "a disk with an I/O error"
guest_send one "fill 2 0 16 3"
wait_until 30 domain_is one paused || fail "the guest's disk is not full"
expect_match "$(domain_reason one)" "I/O error" "the state"
for with in "" --no-memory; do
    # shellcheck disable=SC2086
    expect_exit 1 foresnap snapshot one $with
    expect_match "$expect_err" "disks have errors: vdc" "the refusal"
done
listed 0
[ -z "$(find "$STATE" -name '*.journal')" ] || fail "a journal is left"
private_libvirt_exec mount -o remount,size=128M "$IMAGES/tiny"
guest_virsh resume one >/dev/null
guest_wait_heartbeat one 30
snapshot --no-memory
expect_disk "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_as_before one

echo "scratch space on storage that gives I/O errors"
# QEMU before 10.1 lets the guest's write fail then. What is stored must be of the instant
# nevertheless, or nothing is, and the guest must run on.
truncate -s 600M "$PRIVATE_LIBVIRT/loop"
if loop=$(losetup --show -f "$PRIVATE_LIBVIRT/loop" 2>/dev/null); then
    cleanup_fn losetup -d "$loop"
    mkfs.ext4 -q -E lazy_itable_init=0 "$loop"
    # shellcheck disable=SC2016
    private_libvirt_exec sh -c '[ -e "$1" ] || mknod "$1" b 7 "${1#/dev/loop}"; mkdir "$2" && mount "$1" "$2"' \
        sh "$loop" "$IMAGES/scratch"
    guest_ask one "fill 0 48 16 2" "FILLED disk=0" 30 >/dev/null
    cp "$IMAGES/one-a.qcow2" "$PRIVATE_LIBVIRT/then.qcow2"
    foresnap -q --json snapshot one --no-memory --bandwidth 2M --scratch "$IMAGES/scratch" --disk vda \
        >"$PRIVATE_LIBVIRT/out" 2>/dev/null &
    slow=$!
    wait_until 20 is_reading || fail "nothing is read"
    truncate -s 0 "$PRIVATE_LIBVIRT/loop"
    losetup -c "$loop"
    guest_ask one "scatter 0 300 5" "SCATTERED" 60 >/dev/null
    if wait "$slow"; then
        expect_disk "$(json "$(cat "$PRIVATE_LIBVIRT/out")" snapshot)" vda "$PRIVATE_LIBVIRT/then.qcow2" qcow2
    else
        listed 1
    fi
    expect_equal "$(qemu_leftovers one)" "" "what is left in QEMU"
    expect_domain one running
    guest_wait_heartbeat one 20
    guest_verify one
    private_libvirt_exec umount -l "$IMAGES/scratch"
fi
private_libvirt_alive
