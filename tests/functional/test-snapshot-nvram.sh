#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A variable store of the firmware that is a qcow2 image: of the instant, put back as such an
# image, also as a new domain's, and read of a domain that is off.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
code=/usr/share/OVMF/OVMF_CODE_4M.fd
requires "OVMF is not installed" test -e "$code"
snapshot_start
nvram=$IMAGES/one_VARS.qcow2
convert ()
{
    private_libvirt_exec qemu-img convert -f raw -O qcow2 "$1" "$2"
    private_libvirt_exec chmod 666 "$2"
}
convert "$code" "$IMAGES/code.qcow2"
convert /usr/share/OVMF/OVMF_VARS_4M.fd "$nvram"
make_disk one-a.qcow2 qcow2 64M
guest_console one
guest_domain one 192 --fill 20 --devices "$(disk_xml vda one-a.qcow2 qcow2)" |
    sed "s,<kernel>,<loader readonly='yes' type='pflash' format='qcow2'>$IMAGES/code.qcow2</loader><nvram format='qcow2'>$nvram</nvram><kernel>," \
        >"$PRIVATE_LIBVIRT/one.xml"
guest_virsh define "$PRIVATE_LIBVIRT/one.xml" >/dev/null
guest_virsh start one >/dev/null
guest_wait_heartbeat one 120

# write_nvram PATTERN : through the node that QEMU has of it
write_nvram ()
{
    ! qmp one '{"execute":"human-monitor-command","arguments":{"command-line":
        "qemu-io libvirt-pflash1-format \"write -P '"$1"' 0x60000 4k\""}}' | grep -q error ||
        fail "the variable store was not written"
}

# has PATTERN [FILE] : FILE is a whole qcow2 image, with such bytes where write_nvram put them
has ()
{
    local file=${2:-$nvram}
    private_libvirt_exec qemu-img check -q -f qcow2 "$file" || fail "'$file' is no sound image"
    private_libvirt_exec qemu-io -r -f qcow2 -c "read -q -P $1 0x60000 4k" "$file" |
        grep -q . && fail "'$file' has not the bytes $1"
    return 0
}

echo "of a running guest"
write_nvram 0x11
snapshot --no-memory
first=$snapshot
expect_json "$expect_out" resources.2.kind nvram
expect_match "$(json "$expect_out" resources.2.reason)" "from QEMU" "how it was read"
write_nvram 0x22
expect_as_before one

echo "put back"
expect_exit 0 guest_virsh destroy one
has 0x22
expect_exit 0 foresnap --json restore "$first"
kept=$(json "$expect_out" kept)
has 0x11
expect_exit 0 foresnap restore "$kept" --no-keep
has 0x22

echo "as a new domain's"
expect_exit 0 foresnap restore "$first" --as two --dir "$IMAGES"
has 0x11 "$IMAGES/two-nvram.qcow2"
guest_virsh dumpxml two --inactive | grep -q "two-nvram.qcow2" || fail "it has the original's variable store"

echo "the guest starts with it"
guest_virsh start one >/dev/null
guest_wait_heartbeat one 120
expect_as_before one
