#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# restore onto block devices: written over and identical; one that is too small is refused;
# a snapshot that is damaged is found out before the first byte is written; a restore that is
# killed while it writes is completed.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
. "$top_srcdir"/tests/functional/stored-disk.sh
requires "nbdkit is not installed" nbdkit --version
private_libvirt_requires
requires "no loop device" losetup -f
private_libvirt_start
REPO=$PRIVATE_LIBVIRT/repo
id=0123456789abcdef0123456789abcdef
then=$PRIVATE_LIBVIRT/then
make_disk "$then" 48

# loop FILE SIZE : a device of SIZE bytes; sets $device
loop ()
{
    truncate -s "$2" "$1"
    device=$(losetup --show -f "$1") || skip "no loop device"
    cleanup_fn losetup -d "$device"
    # the private libvirt has a /dev of its own
    private_libvirt_exec sh -c "[ -e $device ] || mknod $device b 7 ${device#/dev/loop}"
}

loop "$PRIVATE_LIBVIRT/small" $((40 << 20))
small=$device
loop "$PRIVATE_LIBVIRT/large" $((56 << 20))
large=$device

# define_on DEVICE
define_on ()
{
    cat >"$PRIVATE_LIBVIRT/web.xml" <<END
<domain type='qemu'>
  <name>web</name><uuid>0f0e0d0c-0b0a-0908-0706-050403020100</uuid>
  <memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <disk type='block' device='disk'><driver name='qemu' type='raw'/>
      <source dev='$1'/><target dev='vda' bus='virtio'/></disk>
  </devices>
</domain>
END
    guest_virsh define "$PRIVATE_LIBVIRT/web.xml" >/dev/null
}

spoil ()
{
    dd if=/dev/urandom of="$1" bs=1M count=8 conv=notrunc status=none
    dd if=/dev/urandom of="$1" bs=1M count=8 seek=30 conv=notrunc status=none
}

# Part of a device's first bytes; what is behind the disk stays.
expect_device ()
{
    cmp -n "$(stat -c %s "$then")" "$large" "$then"
    cmp -i "$(stat -c %s "$then")" "$large" "$PRIVATE_LIBVIRT/behind"
}

define_on "$large"
store_disks $id web 0f0e0d0c-0b0a-0908-0706-050403020100 "$PRIVATE_LIBVIRT/web.xml" -- vda "$then" raw "$large"
dd if=/dev/urandom of="$large" bs=1M count=56 status=none
cp "$large" "$PRIVATE_LIBVIRT/behind"

echo "too small"
define_on "$small"
spoil "$small"
sum=$(sha256sum <"$small")
expect_exit 1 foresnap restore $id --no-keep
expect_match "$expect_err" "bytes are needed|are needed" "the reason"
expect_equal "$(sha256sum <"$small")" "$sum" "the small device"

echo "written over"
define_on "$large"
expect_exit 0 foresnap restore $id --no-keep
expect_device

echo "killed before and while it is written"
spoil "$large"
expect_exit 137 private_libvirt_exec env FORESNAP_TEST_KILL_AT=replacing FORESNAP_REPO="$REPO" \
    "$_build/foresnap" restore $id --no-keep
expect_exit 0 foresnap recover
expect_match "$expect_out" "the disks are restored" "what recover says"
expect_device
spoil "$large"
foresnap restore $id --no-keep >/dev/null 2>&1 &
restoring=$!
sleep 0.2
kill_inside KILL foresnap 2>/dev/null || :
wait "$restoring" || :
expect_exit 0 foresnap recover
expect_exit 0 foresnap restore $id --no-keep
expect_device

echo "damaged"
pack=$(find "$REPO/packs" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
flip_byte "$pack" $(($(stat -c %s "$pack") / 2))
spoil "$large"
sum=$(sha256sum <"$large")
expect_exit 1 foresnap restore $id --no-keep
expect_equal "$(sha256sum <"$large")" "$sum" "the device"
private_libvirt_alive
