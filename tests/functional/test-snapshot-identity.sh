#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What looks like the same disk, and is not: an image that another one has taken the place of; and
# what looks like another domain, and is the same disk: one that was undefined and is defined
# again. Nothing that has changed is left out.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
guest_with_disks one 128 --fill 40
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
guest_ask one "fill 0 16 8 1" "FILLED disk=0" 30 >/dev/null
guest_ask one "fill 1 16 8 2" "FILLED disk=1" 30 >/dev/null
snapshot --no-memory
first=$snapshot

# again [UUID] : undefined, and defined again
again ()
{
    guest_virsh dumpxml one --inactive >"$PRIVATE_LIBVIRT/again.xml"
    guest_virsh destroy one >/dev/null 2>&1 || :
    guest_virsh undefine one >/dev/null
    [ $# = 0 ] || sed -i "s,<uuid>.*</uuid>,<uuid>$1</uuid>," "$PRIVATE_LIBVIRT/again.xml"
    guest_virsh define "$PRIVATE_LIBVIRT/again.xml" >/dev/null
}

echo "defined again, with the same UUID"
again
snapshot
expect_json "$expect_out" parent "$first"
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.base "$first"
expect_disk "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_disk "$snapshot" vdb "$IMAGES/one-b.raw" raw
second=$snapshot

echo "defined again, with another UUID"
again 11111111-2222-3333-4444-555555555555
snapshot
expect_json "$expect_out" parent ""
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.base "$second"
expect_json "$expect_out" disks.1.mode full
expect_disk "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_disk "$snapshot" vdb "$IMAGES/one-b.raw" raw

echo "another image of the same name"
make_disk one-a.qcow2 qcow2 256M
make_disk one-b.raw raw 128M
private_libvirt_exec qemu-io -f qcow2 -c "write -q -P 3 40M 1M" "$IMAGES/one-a.qcow2"
private_libvirt_exec qemu-io -f raw -c "write -q -P 4 60M 1M" "$IMAGES/one-b.raw"
snapshot
expect_json "$expect_out" disks.0.mode full
expect_match "$(json "$expect_out" disks.0.reason)" "no record of the changes" "the reason"
expect_disk "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_disk "$snapshot" vdb "$IMAGES/one-b.raw" raw

echo "while it runs: taken out, and another one put in"
guest_virsh start one >/dev/null
guest_wait_heartbeat one 60
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
make_disk other.qcow2 qcow2 256M
private_libvirt_exec qemu-io -f qcow2 -c "write -q -P 5 90M 1M" "$IMAGES/other.qcow2"
guest_virsh destroy one >/dev/null
private_libvirt_exec mv "$IMAGES/other.qcow2" "$IMAGES/one-a.qcow2"
guest_virsh start one >/dev/null
guest_wait_heartbeat one 60
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
guest_ask one "scatter 0 1 3" "SCATTERED" 30 >/dev/null # and flushed
snapshot --no-memory
expect_json "$expect_out" disks.0.mode full
expect_disk "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2

echo "a copy of the image with its record"
guest_virsh destroy one >/dev/null
private_libvirt_exec cp "$IMAGES/one-a.qcow2" "$IMAGES/copy.qcow2"
private_libvirt_exec qemu-io -f qcow2 -c "write -q -P 6 100M 1M" "$IMAGES/copy.qcow2"
private_libvirt_exec mv "$IMAGES/copy.qcow2" "$IMAGES/one-a.qcow2"
private_libvirt_exec chmod 666 "$IMAGES/one-a.qcow2"
snapshot
expect_json "$expect_out" disks.0.mode incremental
expect_disk "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_exit 0 foresnap verify --all --read-data
private_libvirt_alive
