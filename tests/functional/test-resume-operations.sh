#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# After a resume the domain is an ordinary one: each of libvirt's own operations works at
# once, and the guest's memory is still right.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow
guest_start one 128 --fill 40 --disk --maxvcpus 2
images=$PRIVATE_LIBVIRT/images

virsh_ok ()
{
    expect_exit 0 guest_virsh "$@"
}

# resumed WHAT : a resume that has just ended, for the operation to come.
resumed ()
{
    echo "$1"
    expect_exit 0 foresnap suspend one
    expect_exit 0 foresnap resume one --wait
}

# beats : it runs and its memory is right.
beats ()
{
    guest_wait_heartbeat one 20
    guest_verify one
}

resumed "suspend and resume"
virsh_ok suspend one
virsh_ok resume one
beats

resumed "save and restore"
virsh_ok save one "$images/one.save"
virsh_ok restore "$images/one.save"
beats

resumed "managedsave and start"
virsh_ok managedsave one
virsh_ok start one
beats

resumed "internal snapshot and revert"
virsh_ok snapshot-create-as one inner
virsh_ok snapshot-revert one inner
beats
virsh_ok snapshot-delete one inner

resumed "vCPUs and memory"
virsh_ok setvcpus one 2 --live
expect_match "$(guest_virsh vcpucount one --live --active)" '^2$' "the number of vCPUs"
virsh_ok setmem one 120M --live
virsh_ok setmem one 128M --live
beats

resumed "blockcopy"
virsh_ok blockcopy one vda "$images/copy.qcow2" --wait --pivot --transient-job
expect_match "$(guest_virsh domblklist one)" "vda +$images/copy.qcow2" "the disk"
beats

resumed "external snapshot"
virsh_ok snapshot-create-as one outer --disk-only --no-metadata \
    --diskspec "vda,file=$images/outer.qcow2"
beats

resumed "foresnap's own suspend"
cycle one
expect_clean

resumed "reboot"
now=$(now_us)
virsh_ok reboot one
guest_await one "$now" ' READY pages=' 60 >/dev/null
beats

resumed "shutdown"
virsh_ok shutdown one
wait_until 30 off one || fail "after shutdown the guest is $(reason one)"
expect_clean
virsh_ok start one
expect_match "$(reason one)" '^running \(booted\)$' "a start after the shutdown"
