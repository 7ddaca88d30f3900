#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Partitions that are left out read as zeroes and are declared; a swap area stays one; all else
# is byte by byte as on the disk. A later snapshot that wants what an earlier one left out reads
# it, though nothing says that it has changed. With memory, and in doubt, nothing is left out.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
requires "sfdisk is not installed" command -v sfdisk
requires "mkswap is not installed" command -v mkswap
snapshot_start
raw=$PRIVATE_LIBVIRT/images/one.raw

# write OFFSET LENGTH PATTERN : by QEMU, as if the guest had
write ()
{
    guest_virsh qemu-monitor-command one --hmp "qemu-io -d virtio-disk0/virtio-backend \"write -P $3 $1 $2\"" >/dev/null
}

# left_out INDEX MEMBER : of disk vda in the last document
left_out ()
{
    json "$expect_out" "disks.0.left_out.$1.$2"
}

nothing_left_out ()
{
    perl -MJSON::PP -e 'exit exists decode_json($ARGV[0])->{disks}[0]{left_out}' "$expect_out" ||
        fail "something was left out: $expect_out"
}

# disk_of SNAPSHOT : its vda, as a raw file
disk_of ()
{
    rm -f "$PRIVATE_LIBVIRT/out"
    foresnap -q export "$1" --disk vda --format raw "$PRIVATE_LIBVIRT/out"
}

# same OFFSET LENGTH FILE : the exported disk is as FILE there
same ()
{
    cmp -s -i "$1" -n "$2" "$PRIVATE_LIBVIRT/out" "$3" || fail "bytes $1+$2 are not as in $3"
}

zeroes ()
{
    cmp -s -n "$2" -i "$1:0" "$PRIVATE_LIBVIRT/out" /dev/zero || fail "bytes $1+$2 are not zeroes"
}

mib=1048576
truncate -s 64M "$raw"
sfdisk -q "$raw" <<'END'
label: gpt
start=2048, size=32768, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=root
start=34816, size=32768, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, name=swap
start=67584, size=32768, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=scratch
END
for part in 1 17 33; do
    head -c $((16 * mib)) /dev/urandom | dd of="$raw" bs=1M seek=$part conv=notrunc status=none
done
mkswap -q --offset $((17 * mib)) "$raw" 2>/dev/null ||
    printf SWAPSPACE2 | dd of="$raw" bs=1 seek=$((17 * mib + 4086)) conv=notrunc status=none
qemu-img convert -O qcow2 "$raw" "$IMAGES/one.qcow2"
chmod 666 "$IMAGES/one.qcow2"
guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>one</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>
$(disk_xml vda one.qcow2 qcow2)</devices></domain>
XML
guest_virsh start --paused one >/dev/null

echo "swap is left out at level standard"
snapshot --profile standard
standard=$snapshot
expect_equal "$(left_out 0 partition)" 2 "the partition"
expect_equal "$(left_out 0 reason)" "it is swap, which level standard leaves out" "the reason"
expect_json "$expect_out" disks.0.left_out.length 1
expect_at_most "$(json "$expect_out" disks.0.bytes.read)" $((36 * mib)) "what was read"
disk_of "$standard"
same 0 $((17 * mib + 65536)) "$raw"
zeroes $((17 * mib + 65536)) $((16 * mib - 65536))
same $((33 * mib)) $((31 * mib)) "$raw"
expect_exit 0 foresnap explain "$standard"
expect_match "$(tr '\n' ' ' <<<"$expect_out")" "Partition vda:2 was left out, and reads as zeroes: it is swap" "the explanation"
expect_match "$(tr '\n' ' ' <<<"$expect_out")" "disk vda: the contents of partition 2 are zeroes" "the explanation"
expect_exit 0 foresnap verify "$standard"

echo "the next one, incremental, leaves out a partition by its name and takes swap in again"
write $((2 * mib)) 64k 7
printf '\7%.0s' {1..65536} | dd of="$raw" bs=1M seek=2 conv=notrunc status=none
mkdir -p "$PRIVATE_LIBVIRT/config/profiles"
export FORESNAP_CONFIG_DIR=$PRIVATE_LIBVIRT/config
printf '[profile]\ninherit=standard\n[partition]\nexclude=label:scr*\ninclude=type:swap\n' \
    >"$PRIVATE_LIBVIRT/config/profiles/web.profile"
snapshot --profile web
expect_json "$expect_out" disks.0.mode incremental
expect_equal "$(left_out 0 partition)" 3 "the partition"
expect_equal "$(left_out 0 reason)" "the profile excludes label:scr*" "the reason"
disk_of "$snapshot"
same 0 $((33 * mib)) "$raw"
zeroes $((33 * mib)) $((16 * mib))
same $((49 * mib)) $((15 * mib)) "$raw"

echo "the same again reads little, and has as little"
snapshot --profile web
expect_at_most "$(json "$expect_out" disks.0.bytes.read)" $((mib / 2)) "what was read"
expect_equal "$(left_out 0 partition)" 3 "the partition"
disk_of "$snapshot"
same 0 $((33 * mib)) "$raw"
zeroes $((33 * mib)) $((16 * mib))

echo "what was left out is not compared with the disk"
expect_exit 0 foresnap verify --against-disk "$snapshot"

echo "all of it again"
snapshot --profile detailed --no-memory
expect_json "$expect_out" disks.0.mode incremental
whole=$snapshot
nothing_left_out
disk_of "$whole"
same 0 $((64 * mib)) "$raw"

echo "swap that a hibernated guest has written itself to is taken"
write $((17 * mib)) 4096 83
tail -c +$((17 * mib + 1)) "$raw" | head -c 4096 >"$PRIVATE_LIBVIRT/page" || :
chmod 644 "$PRIVATE_LIBVIRT/page"
snapshot --profile standard
nothing_left_out
guest_virsh qemu-monitor-command one --hmp "qemu-io -d virtio-disk0/virtio-backend \"write -s $PRIVATE_LIBVIRT/page $((17 * mib)) 4096\"" >/dev/null

echo "with memory nothing is left out"
expect_exit 0 foresnap policy one set profile=standard memory.base=detailed
snapshot
expect_json "$expect_out" memory stopped
nothing_left_out
expect_exit 0 foresnap explain "$snapshot"
expect_match "$(tr '\n' ' ' <<<"$expect_out")" "Partition vda:2 was kept: .*but the memory may refer to it" "the explanation"

echo "a restore says what it lacks, and writes zeroes there"
guest_virsh destroy one >/dev/null
expect_exit 0 foresnap --json restore "$standard"
expect_match "$(json "$expect_out" warnings)" "disk vda: the contents of partition 2 are zeroes" "the warning"
disk_of "$standard"
qemu-img compare -q -f raw -F qcow2 "$PRIVATE_LIBVIRT/out" "$IMAGES/one.qcow2" || fail "the disk is not as the snapshot"
private_libvirt_alive
