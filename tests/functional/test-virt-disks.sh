#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# src/virt on a real libvirtd: another tool's backup job is seen while it is open, a domain
# that does not run or has no agent is told so, and an agent that is not there or says
# nothing is waited for no longer than allowed.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
tool=$(cd "$top_builddir" && pwd)/tests/functional/virt-tool
private_libvirt_requires
guest_requires
private_libvirt_start
folder=$PRIVATE_LIBVIRT/disks
mkdir -p "$folder"
qemu-img create -q -f qcow2 "$folder/a" 16M
chown -R libvirt-qemu "$folder"

# define NAME DEVICES
define ()
{
    guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>$1</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>$2</devices></domain>
XML
}

# refused REGEX COMMAND… : virt-tool fails with these words within 15 s
refused ()
{
    local regex=$1 said status=0
    shift
    said=$(in_libvirt timeout 15 "$tool" "$@" 2>&1) || status=$?
    expect_equal "$status" 1 "the exit status of $*"
    expect_match "$said" "$regex" "what $* says"
}

agent="<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
define one "<disk type='file'><driver name='qemu' type='qcow2'/><source file='$folder/a'/>
    <target dev='vda' bus='virtio'/></disk>
    $agent"
define plain ""
refused "'one'.*not running" freeze one 1
guest_virsh start one >/dev/null
guest_virsh start plain >/dev/null

# An agent that nobody runs, and none at all.
refused "cannot freeze .*'one'.* not connected$" freeze one 1
refused "cannot freeze .*'plain'.* not configured" freeze plain 1

# One that is there and says nothing, as while a guest is very busy: the call ends in time,
# and the next one does, too.
guest_start silent 96 --fill 16 --devices "$agent"
guest_ask silent 'agent silent' '^.* AGENT silent' >/dev/null
connected () { [[ $(guest_virsh dumpxml silent) == *"state='connected'"* ]]; }
wait_until 20 connected || fail "the agent's channel is not connected"
refused "cannot freeze .*'silent'.*virsh domfsthaw silent" freeze silent 1
refused "cannot freeze .*'silent'.*virsh domfsthaw silent" freeze silent 1

# A backup of another tool.
expect_match "$(in_libvirt "$tool" disks one)" 'backup=0 errors=none' "before the backup"
cat >"$folder/backup.xml" <<XML
<domainbackup mode='pull'><server transport='unix' socket='$folder/nbd'/>
<disks><disk name='vda' type='file'><scratch file='$folder/scratch'/></disk></disks>
</domainbackup>
XML
guest_virsh backup-begin one "$folder/backup.xml" >/dev/null
expect_match "$(in_libvirt "$tool" disks one)" 'backup=1 errors=none' "during the backup"
guest_virsh domjobabort one
no_backup () { [[ $(in_libvirt "$tool" disks one) == *backup=0* ]]; }
wait_until 20 no_backup || fail "the backup is still there"
