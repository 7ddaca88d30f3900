# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots of disks without a guest, for the tests of what becomes of them.
#
#   store_disks ID NAME UUID [XML] -- TARGET FILE FORMAT [SOURCE]…   see store-disk.c
#   make_disk FILE MIB        a disk with data of many kinds, zeros, holes, and an odd end
#   plain_foresnap ARG…       foresnap without libvirt; $REPO is its repository
#   flip_byte FILE OFFSET     turn the byte around

_build=$(cd "${top_builddir:?source functions.sh first}" && pwd)

store_disks ()
{
    "$_build/tests/functional/store-disk" "$REPO" "$@"
}

make_disk ()
{
    local i
    truncate -s "$2M" "$1"
    truncate -s +1536 "$1"
    dd if=/dev/urandom of="$1" bs=64K count=40 seek=3 conv=notrunc status=none
    for ((i = 1; i < 40; i++)); do
        printf 'granule %d of a scattered kind' "$i" |
            dd of="$1" bs=4096 seek=$((1000 + 7 * i)) conv=notrunc status=none
    done
    printf 'at the very end' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 15)) conv=notrunc status=none
}

plain_foresnap ()
{
    "$_build/run" "$_build/foresnap" -r "$REPO" "$@"
}

flip_byte ()
{
    local byte
    byte=$(od -An -N1 -tu1 -j "$2" "$1")
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((byte ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# The following need foresnap.sh and a private libvirt.
#   disk_domain NAME VDA VDB   define a domain with these disks (qcow2, raw), which boots nothing
#   snapshot_of NAME ID VDA VDB   store the contents of these raw files as a snapshot of it
#   expect_disk FILE FORMAT RAW   FILE has the contents of RAW
#   put_junk FILE FORMAT          write something into the disk

disk_domain ()
{
    cat >"$PRIVATE_LIBVIRT/$1.xml" <<END
<domain type='qemu'>
  <name>$1</name>
  <genid>3e3fce45-4f53-4fa7-bb32-11f34168b82b</genid>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>
      <source file='$2'/><target dev='vda' bus='virtio'/><serial>one</serial></disk>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/>
      <source file='$3'/><target dev='vdb' bus='virtio'/></disk>
    <interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/></interface>
  </devices>
</domain>
END
    guest_virsh define "$PRIVATE_LIBVIRT/$1.xml" >/dev/null
}

snapshot_of ()
{
    guest_virsh dumpxml "$1" --inactive >"$PRIVATE_LIBVIRT/$1.inactive.xml"
    store_disks "$2" "$1" "$(guest_virsh domuuid "$1" | tr -d '\n')" "$PRIVATE_LIBVIRT/$1.inactive.xml" \
        -- vda "$3" qcow2 -- vdb "$4" raw
}

expect_disk ()
{
    qemu-img compare -q -f "$2" -F raw "$1" "$3" || fail "$1 is not as $3"
    [ "$2" = qcow2 ] || cmp "$1" "$3"
}

put_junk ()
{
    qemu-io -f "$2" -c 'write -P 0x5a 0 1M' -c 'write -P 0xa5 20M 64k' "$1" >/dev/null
}
