#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A lazy restore with memory: the guest goes on from the instant over a disk that is filled
# when its memory is loaded, and the next snapshot is incremental to the one restored.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
. "$top_srcdir"/tests/functional/lazy.sh
snapshot_start
guest_start one 128 --fill 40 --disk
disk=$PRIVATE_LIBVIRT/guests/one.qcow2
disks=$PRIVATE_LIBVIRT/guests
qmp one '{"execute":"human-monitor-command","arguments":{"command-line":
    "qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend \"write -P 7 8M 3M\""}}' >/dev/null
snapshot
first=$snapshot
expect_exit 0 foresnap export "$first" --disk vda --format raw "$PRIVATE_LIBVIRT/then"
guest_virsh destroy one >/dev/null
qemu-io -f qcow2 -c 'write -P 9 4M 8M' "$disk" >/dev/null

for kill in '' nbdkit foresnap-fill; do
    echo "in place${kill:+, and $kill is killed meanwhile}"
    expect_exit 0 foresnap --json restore "$first" --lazy --no-keep
    expect_json "$expect_out" memory 1
    expect_json "$expect_out" lazy 1
    [ -z "$kill" ] || kill_inside KILL "$kill" 2>/dev/null || :
    wait_loaded one 60
    filled one
    guest_wait_heartbeat one 30
    guest_verify one
    is_standalone one
    guest_virsh dumpxml one | grep -q "$disk" || fail "it has another disk"
    expect_as_before one
    guest_virsh destroy one >/dev/null
    # The guest writes to the beginning of its disk, and to nothing else.
    qemu-img convert -f qcow2 -O raw "$disk" "$PRIVATE_LIBVIRT/now"
    cmp -i 65536 "$PRIVATE_LIBVIRT/now" "$PRIVATE_LIBVIRT/then"
done

echo "the next one is incremental to the one that was restored"
guest_virsh start one >/dev/null
guest_wait_heartbeat one 60
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_json "$expect_out" disks.0.base "$first"
private_libvirt_alive
