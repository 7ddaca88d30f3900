#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices that make a difference to memory and disks: a ROM that has grown, a disk that is not
# on this host, a balloon that tells QEMU which pages are free, so that they are not sent.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
requires "qemu-nbd is not installed" command -v qemu-nbd
userfaultfd_allow

rom=$PRIVATE_LIBVIRT/images/nic.rom
export_file=$PRIVATE_LIBVIRT/images/far.raw
socket=$PRIVATE_LIBVIRT/images/far.sock
chmod 755 "$PRIVATE_LIBVIRT/images"
truncate -s 64K "$rom"
truncate -s 16M "$export_file"
qemu-nbd --persistent --shared 4 --format raw --socket "$socket" "$export_file" &
cleanup_fn _end_child "$!"
wait_until 10 test -S "$socket" || fail "qemu-nbd does not listen"
chmod 666 "$socket"

guest_start one 256 --fill 64 --devices "
    <disk type='network' device='disk'><driver name='qemu' type='raw'/>
      <source protocol='nbd' name=''><host transport='unix' socket='$socket'/></source>
      <target dev='vda' bus='virtio'/></disk>
    <interface type='user'><model type='virtio'/><rom file='$rom'/></interface>" \
    --domain "<iothreads>1</iothreads>
    <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
      <qemu:arg value='-global'/><qemu:arg value='virtio-balloon-device.free-page-hint=on'/>
      <qemu:arg value='-global'/><qemu:arg value='virtio-balloon-device.iothread=iothread1'/>
      <qemu:arg value='-global'/><qemu:arg value='virtio-balloon-device.free-page-reporting=on'/>
    </qemu:commandline>"

echo "pages that are free are not sent, and zero afterwards"
guest_ask one "litter 120" ' LITTERED ' 60 >/dev/null
expect_exit 0 foresnap suspend one --json
read=$(json "$expect_out" bytes_read)
echo "  read $read bytes"
expect_at_most "$read" $((190 << 20)) "what QEMU has sent of 64 MiB, its own and 120 MiB of litter"

echo "a ROM of another size"
truncate -s 128K "$rom"
for mode in predicted eager; do
    expect_exit 1 foresnap resume one --mode "$mode"
    expect_match "$expect_err" "cannot resume 'one': QEMU says '.*nic|rom" "the refusal"
    off one || fail "the guest is $(reason one)"
    expect_equal "$(ls "$REPO/marks")" "$(newest).armed" "the marks of the state"
    ! guest_virsh start one 2>/dev/null || fail "the domain was booted over its memory"
done
truncate -s 64K "$rom"

echo "a disk that cannot be looked at"
expect_exit 0 foresnap show --json "$(newest)"
expect_json "$expect_out" manifest.disks.0.target vda
expect_json "$expect_out" manifest.disks.0.kind network
expect_exit 0 foresnap resume one
expect_match "$expect_err" "warning: .*disk vda was written since the suspend cannot be seen" "the warning"
wait_loaded one
guest_verify one
# What was not sent is used again, for more than was ever filled.
guest_ask one "litter 120" ' LITTERED ' 60 >/dev/null
guest_verify one
expect_clean
