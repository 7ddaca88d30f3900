#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest reads first of a disk is learned by a lazy restore, shown, and asked for first
# by the next one, so that the same reads need no waiting any more.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
. "$top_srcdir"/tests/functional/stored-disk.sh
. "$top_srcdir"/tests/functional/lazy.sh
requires "nbdkit is not installed" nbdkit --version
requires "qemu-img is not installed" qemu-img --version
private_libvirt_requires
private_libvirt_start
lazy_start
export FORESNAP_TEST_LEARN_MS=4000

# round [CONDITION…] : restore it, read what a guest would in the beginning, let it be filled
round ()
{
    expect_exit 0 foresnap restore $id --lazy --as new --dir "$disks" --start
    [ $# -eq 0 ] || wait_until 10 "$@" || fail "not $*"
    read_disk virtio-disk0 "read 2M 16k" >/dev/null
    read_disk virtio-disk0 "read 256k 64k" >/dev/null
    wait_until 30 no_fill || fail "it is not filled: $(foresnap --json status)"
    no_fill_is_left
    guest_virsh destroy new >/dev/null
    has_disks new
}

expect_exit 1 foresnap workingset web
expect_match "$expect_err" "nothing has been learned" "what is known before"
round
expect_exit 0 foresnap --json workingset web
expect_json "$expect_out" disks.0.target vda
expect_json "$expect_out" disks.0.history.0.predicted 0
pages=$(json "$expect_out" disks.0.pages)
# 80 KiB, and what the firmware looks at
expect_at_most 20 "$pages" "the blocks that were read"
expect_at_most "$pages" 40 "the blocks that were learned"
expect_exit 0 foresnap workingset web
expect_match "$expect_out" "disk vda" "what is shown"

# Now there is no time to learn, and what is known comes first: a guest takes longer to boot.
round no_fill
expect_exit 0 foresnap --json workingset web
expect_json "$expect_out" disks.0.resumes 2
expect_json "$expect_out" disks.0.history.0.predicted 1
expect_json "$expect_out" disks.0.history.0.list_pages "$pages"
# It is all there when it is read.
expect_at_most "$(json "$expect_out" disks.0.history.0.faults)" 4 "the blocks that were waited for"
private_libvirt_alive
