#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A resume through the monitor where QEMU may not use userfaultfd: the domain that was made
# for a postcopy goes, and one that loads all memory first takes its place.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
emulator=$PRIVATE_LIBVIRT/images/no-userfaultfd
install -m 755 "$_foresnap_dir/tests/functional/no-userfaultfd" "$emulator"
if kvm_works; then
    ln -s /usr/bin/qemu-system-x86_64 "$emulator.real"
else
    ln -s /run/foresnap-test/guest/qemu-odd "$emulator.real"
fi
FSN_EMULATOR=$emulator
guest_start one 192 --fill 96
export FORESNAP_TEST_WAY=monitor

expect_exit 0 foresnap suspend one
expect_exit 0 foresnap resume one --mode lazy --json
expect_equal "$(json "$expect_out" mode)" eager "the mode"
expect_match "$expect_out" 'userfaultfd.*foresnap check-host --fix' "the warning about userfaultfd"
expect_match "$expect_out" 'incoming defer.* stays in its live description' "the warning about the monitor"
wait_until 60 _at_rest || fail "the load does not end"
expect_match "$(reason one)" "^running" "the state"
guest_verify one
expect_clean
