#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Parts of disks: partitions and ranges that were asked for are byte by byte as on the disk, the rest
# reads as zeroes, is declared and warned of, and is never restored over a disk that has it.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
requires "sfdisk is not installed" command -v sfdisk
requires "nbdkit is not installed" nbdkit --version
# shellcheck disable=SC2119
resume_start
IMAGES=$PRIVATE_LIBVIRT/images
raw=$IMAGES/one.raw
out=$PRIVATE_LIBVIRT/out
mib=1048576
head -c $((64 * mib)) /dev/urandom >"$raw"
sfdisk -q "$raw" <<'END'
label: gpt
start=2048, size=32768, name=root
start=34816, size=32768, name=data
END
qemu-img convert -O qcow2 "$raw" "$IMAGES/one.qcow2"
make_disk two.qcow2 qcow2 16M
chmod 666 "$IMAGES/one.qcow2"
guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>one</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
$(disk_xml vda one.qcow2 qcow2)$(disk_xml vdb two.qcow2 qcow2)</devices></domain>
XML

# disk_of SNAPSHOT : its vda, as a raw file
disk_of ()
{
    expect_exit 0 foresnap export "$1" --disk vda --format raw --force "$out"
}

same ()
{
    cmp -s -i "$1" -n "$2" "$out" "$raw" || fail "bytes $1+$2 are not as on the disk"
}

zeroes ()
{
    cmp -s -n "$2" -i "$1:0" "$out" /dev/zero || fail "bytes $1+$2 are not zeroes"
}

echo "one partition"
snapshot --partition vda:2
parts=$snapshot
expect_json "$expect_out" disks.0.partial 1
expect_json "$expect_out" disks.0.left_out.0.offset $mib
expect_json "$expect_out" disks.0.left_out.0.length $((16 * mib))
expect_json "$expect_out" disks.1.skipped "not asked for"
expect_at_most "$(json "$expect_out" disks.0.bytes.read)" $((18 * mib)) "what was read"
disk_of "$parts"
expect_match "$expect_err" "disk vda: bytes 1048576 to 17825791 are zeroes" "the warning"
same 0 $mib
zeroes $mib $((16 * mib))
same $((17 * mib)) $((16 * mib))
zeroes $((33 * mib)) $((31 * mib - 65536))
same $((64 * mib - 65536)) 65536
expect_exit 0 foresnap explain "$parts"
expect_match "$(tr '\n' ' ' <<<"$expect_out")" "bytes 1048576 to 17825791 are zeroes" "the explanation"
expect_exit 0 foresnap verify --read-data "$parts"
expect_exit 0 foresnap verify --against-disk "$parts"

echo "it is not restored over the disk, but as a new domain"
sum=$(sha256sum <"$IMAGES/one.qcow2")
expect_exit 1 foresnap restore "$parts"
expect_match "$expect_err" "only parts of disk vda" "the refusal"
expect_equal "$(sha256sum <"$IMAGES/one.qcow2")" "$sum" "the disk"
expect_exit 0 foresnap restore "$parts" --as new --dir "$IMAGES"
expect_match "$expect_err" "bytes 1048576 to 17825791 are zeroes" "the warning"

echo "ranges; the next whole one reads what was left out, though nothing says that it changed"
snapshot --range vda:40M+1M --range vda:41M+5000 --disk vdb
ranges=$snapshot
expect_equal "$(json "$expect_out" disks.1.skipped)" "" "why the other disk is skipped"
disk_of "$ranges"
zeroes $mib $((39 * mib))
same $((40 * mib)) $((mib + 8192))
zeroes $((41 * mib + 8192)) $mib
snapshot
expect_json "$expect_out" disks.0.mode incremental
disk_of "$snapshot"
same 0 $((64 * mib))
expect_exit 0 foresnap diff "$ranges" "$snapshot"
expect_match "$expect_err" "snapshot ${ranges:0:8}: disk vda: bytes .* are zeroes" "the warning"

echo "what cannot be"
expect_exit 2 foresnap snapshot one --partition vda
expect_exit 2 foresnap snapshot one --range vda:1
expect_exit 1 foresnap snapshot one --partition vdz:1
expect_exit 2 foresnap snapshot one --partition vda:3
expect_match "$expect_err" "no partition 3" "the refusal"
expect_exit 2 foresnap snapshot one --range vda:60M+10M
expect_match "$expect_err" "ends behind the disk" "the refusal"
expect_equal "$(leftovers)" "" "what is left"
expect_exit 0 foresnap show "$parts"
expect_match "$expect_out" "left out 16.0 MiB at 1.0 MiB: only parts" "what show prints"
private_libvirt_alive
