#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk with a partition that changes much and one that does not: the first is read whole, the
# second by what has changed, the manifest says how each was read, and the disk is byte by byte
# what it was. A dry run says the same, and leaves nothing in QEMU.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
requires "sfdisk is not installed" command -v sfdisk
snapshot_start
export ignore_descriptors=1 # QEMU closes them when the guest runs, which it does not
export FORESNAP_CONFIG_DIR=$PRIVATE_LIBVIRT/config
mkdir -p "$FORESNAP_CONFIG_DIR/profiles"
printf '[profile]\ninherit=standard\n[disk]\nfull-above=128K/s\n' >"$FORESNAP_CONFIG_DIR/profiles/hot.profile"
raw=$PRIVATE_LIBVIRT/images/one.raw
mib=1048576

# write OFFSET MIB PATTERN : by QEMU, as if the guest had; and in the file to compare with
write ()
{
    guest_virsh qemu-monitor-command one --hmp "qemu-io -d virtio-disk0/virtio-backend \"write -P $3 $1 $2\"" >/dev/null
    perl -e 'print chr($ARGV[1]) x $ARGV[0]' "$2" "$3" |
        dd of="$raw" bs=1M seek="$1" oflag=seek_bytes conv=notrunc status=none
}

same ()
{
    rm -f "$PRIVATE_LIBVIRT/out"
    expect_exit 0 foresnap export "$snapshot" --disk vda --format raw "$PRIVATE_LIBVIRT/out"
    cmp "$PRIVATE_LIBVIRT/out" "$raw" || fail "the disk is not as the snapshot"
}

no_maps ()
{
    expect_equal "$(find "$STATE" -name '*.map')" "" "markers"
}

truncate -s 68M "$raw"
sfdisk -q "$raw" <<'END'
label: gpt
start=2048, size=65536, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=hot
start=67584, size=65536, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=cold
END
for part in 1 33; do
    head -c $((32 * mib)) /dev/urandom | dd of="$raw" bs=1M seek=$part conv=notrunc status=none
done
qemu-img convert -O qcow2 "$raw" "$IMAGES/one.qcow2"
chmod 666 "$IMAGES/one.qcow2"
guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>one</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>
$(disk_xml vda one.qcow2 qcow2)</devices></domain>
XML
guest_virsh start --paused one >/dev/null

echo "the first one is full"
snapshot --profile hot
expect_json "$expect_out" disks.0.mode full
same

echo "what is hot is read whole, what is cold is not"
write $((2 * mib)) $((24 * mib)) 7
write $((40 * mib)) 65536 8
sleep 1 # 64 KiB in less than half a second would be hot too
expect_exit 0 foresnap --json snapshot one --profile hot --dry-run
expect_json "$expect_out" disks.0.mode hybrid
expect_match "$(json "$expect_out" disks.0.reason)" "not less than 128 KiB/s, and so do only its partitions 1$" "the plan"
expect_equal "$(qemu_leftovers one)" "" "what the look has left"
no_maps
snapshot --profile hot
expect_json "$expect_out" disks.0.mode hybrid
expect_match "$(json "$expect_out" disks.0.reason)" "and so do only its partitions 1$" "the reason"
expect_json "$expect_out" disks.0.partitions.0.mode full
expect_json "$expect_out" disks.0.partitions.0.read $((32 * mib))
expect_json "$expect_out" disks.0.partitions.1.mode incremental
expect_json "$expect_out" disks.0.partitions.1.read 65536
expect_at_most "$(json "$expect_out" disks.0.bytes.changed)" $((25 * mib)) "what has changed"
expect_match "$expect_out" "\"dirty\" : 65536" "the inputs"
same
expect_exit 0 foresnap explain "$snapshot"
expect_match "$(tr '\n' ' ' <<<"$expect_out")" "Disk vda: mode hybrid; mode-rule=rate: it changes by" "the explanation"
expect_equal "$(qemu_leftovers one)" "" "what is left in QEMU"
no_maps

echo "both hot: all of it"
write $((2 * mib)) $((24 * mib)) 9
write $((40 * mib)) $((20 * mib)) 10
snapshot --profile hot
expect_json "$expect_out" disks.0.mode full
same

echo "while another tool has QEMU's server, partitions are not known"
write $((2 * mib)) $((24 * mib)) 11
sleep 1
qmp one '{"execute":"nbd-server-start","arguments":{"addr":{"type":"unix","data":{"path":"/tmp/other.sock"}}}}' |
    grep -q '"return":{}' || fail "the other server does not start"
expect_exit 0 foresnap --json snapshot one --profile hot --dry-run
expect_json "$expect_out" disks.0.mode full
qmp one '{"execute":"nbd-server-stop"}' | grep -q '"return":{}' || fail "the other server was ended"
expect_equal "$(qemu_leftovers one)" "" "what is left in QEMU"

echo "a domain that is off"
guest_virsh destroy one >/dev/null
snapshot --profile hot
expect_json "$expect_out" disks.0.mode hybrid
expect_json "$expect_out" disks.0.partitions.1.read 0
same
private_libvirt_alive
