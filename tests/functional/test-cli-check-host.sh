#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check-host beside a real libvirtd: finds all it needs, says what is missing when libvirtd
# has gone, and makes no repository.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
private_libvirt_requires
test_dir
private_libvirt_start
userfaultfd_allow

check_host ()
{
    private_libvirt_exec "$top_builddir/foresnap" -c qemu:///system -r "$TEST_DIR/repo" \
        check-host "$@"
}

expect_exit 0 check_host
for item in libvirt incoming qemu userfaultfd repository memory; do
    expect_match "$expect_out" "ok +$item: " "the report on a good host"
done
expect_match "$expect_out" "with driver QEMU at qemu:///system" "the item libvirt"
[ ! -e "$TEST_DIR/repo" ] || fail "check-host has made a repository"

expect_exit 2 check_host --persist
private_libvirt_kill
expect_exit 1 check_host --json
expect_match "$expect_out" '"name" : "libvirt",[[:space:]]*"state" : "fail"' "the document"
expect_match "$expect_out" '"code" : "failed"' "the document"
expect_match "$expect_err" "foresnap: this host lacks" "the error"
