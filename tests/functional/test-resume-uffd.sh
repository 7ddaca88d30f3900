#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where QEMU may not use userfaultfd, the resume loads all memory first and says what helps.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow # what forbids it here is the emulator itself
emulator=$PRIVATE_LIBVIRT/images/no-userfaultfd
install -m 755 "$_foresnap_dir/tests/functional/no-userfaultfd" "$emulator"
if kvm_works; then
    ln -s /usr/bin/qemu-system-x86_64 "$emulator.real"
else
    ln -s /run/foresnap-test/guest/qemu-odd "$emulator.real"
fi
FSN_EMULATOR=$emulator
guest_start one 192 --fill 96

for mode in predicted lazy; do
    expect_exit 0 foresnap suspend one
    expect_exit 0 foresnap resume one --mode "$mode" --json
    expect_equal "$(json "$expect_out" mode)" eager "the mode"
    expect_match "$expect_err" "warning: .*userfaultfd.*foresnap check-host --fix" "the warning"
    expect_match "$expect_out" '"warnings" : \[[^]]*userfaultfd' "the warning in the document"
    wait_loaded one
    guest_verify one
    expect_clean
done
