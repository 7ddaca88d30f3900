#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The harness itself: two private libvirtds side by side share nothing, restart and die
# as told, a crash is noticed, and nothing stays behind.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
private_libvirt_requires

before=$(cat /proc/sys/vm/unprivileged_userfaultfd 2>/dev/null || echo none)
private_libvirt_start
one=$PRIVATE_LIBVIRT
private_libvirt_start --lockd --qemu-user root
two=$PRIVATE_LIBVIRT

define ()
{
    private_libvirt_exec virsh -q define /dev/stdin <<END
<domain type='qemu'><name>$1</name><memory>65536</memory><os><type>hvm</type></os></domain>
END
}
PRIVATE_LIBVIRT=$one define only-in-one
PRIVATE_LIBVIRT=$two define only-in-two
PRIVATE_LIBVIRT=$one
expect_equal "$(private_libvirt_exec virsh -q list --all --name)" only-in-one "list of the first"
PRIVATE_LIBVIRT=$two
expect_equal "$(private_libvirt_exec virsh -q list --all --name)" only-in-two "list of the second"

# A restart is another process that knows the same domains, and no crash.
pid=$(private_libvirt_pid)
private_libvirt_restart
[ "$(private_libvirt_pid)" != "$pid" ] || fail "libvirtd was not restarted"
expect_equal "$(private_libvirt_exec virsh -q list --all --name)" only-in-two "list after a restart"
private_libvirt_kill KILL
private_libvirt_alive || fail "an ordered end was taken for a crash"
private_libvirt_start_again
private_libvirt_alive || fail "not alive after a new start"

# A crash is one that was not ordered.
private_libvirt_exec kill -SEGV "$(private_libvirt_pid)"
wait_until 10 test -e "$two/libvirtd.status" || fail "libvirtd survived SIGSEGV"
! message=$(private_libvirt_alive 2>&1) || fail "a crash was not noticed"
expect_match "$message" SIGSEGV "the message about the crash"

if [ "$before" != none ]; then
    userfaultfd_allow
    expect_equal "$(cat /proc/sys/vm/unprivileged_userfaultfd)" 1 "the sysctl meanwhile"
    # A test that is killed cleans nothing up; somebody else does.
    bash -c '. "$0/tests/functional/private-libvirt.sh"; userfaultfd_allow; echo $$; kill -KILL $$' \
        "$top_srcdir" >"$one/killed" || :
    wait_until 10 test ! -e "$_uffd_state/pid-$(cat "$one/killed")" ||
        fail "a killed test still holds the permission for userfaultfd"
    expect_equal "$(cat /proc/sys/vm/unprivileged_userfaultfd)" 1 "the sysctl for those who live"
fi

# Whoever is told to stop by a signal cleans up as well.
"$top_srcdir/tests/functional/private-libvirt.sh" sh -c 'echo "$PRIVATE_LIBVIRT"; exec sleep 60' \
    >"$one/third" &
wait_until 20 test -s "$one/third" || fail "the third did not come up"
third=$(cat "$one/third")
init=$(cat "$third/init.pid")
kill -TERM $!
wait $! 2>/dev/null || status=$?
expect_equal "$status" 143 "exit status after SIGTERM"
[ ! -e "$third" ] || fail "$third was left behind"
process_ended "$init" || fail "pid 1 of the third lives on"
