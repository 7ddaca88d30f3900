#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ctrl-C ends the demo and all that it has started, wherever it is, and nothing is left.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
requires "jq is not installed" command -v jq
test_dir
mkdir -m 711 "$TEST_DIR/tmp"
FSN_DEMO_BUILD=$(cd "$top_builddir" && pwd)
export FSN_DEMO_BUILD

# inside PROGRAM : the pids of it in the demo's namespaces
inside ()
{
    local init
    init=$(cat "$TEST_DIR"/tmp/foresnap-libvirt.*/init.pid 2>/dev/null) || return 0
    pgrep --ns "$init" --nslist pid "$1" || :
}

has_come ()
{
    ! process_ended "$demo" || fail "the demo has ended: $(cat "$TEST_DIR/out")"
    [ -n "$(inside "$1")" ]
}

# interrupted_at PROGRAM : once that is there. A terminal sends the signal to the whole group.
interrupted_at ()
{
    local demo pids pid status=0
    TMPDIR=$TEST_DIR/tmp env --default-signal=INT setsid \
        bash "$top_srcdir/scripts/demo" 256 >"$TEST_DIR/out" 2>&1 &
    demo=$!
    cleanup_fn pkill -KILL -s "$demo"
    wait_until 90 has_come "$1" || fail "$1 was not started: $(cat "$TEST_DIR/out")"
    pids=$(inside .)
    kill -INT -- "-$demo"
    wait "$demo" || status=$?
    expect_equal "$status" 130 "the exit status of the demo"
    for pid in $pids; do
        wait_until 5 process_ended "$pid" || fail "left behind: $(ps -o args= -p "$pid")"
    done
    expect_equal "$(pgrep -s "$demo" -a || :)" "" "the processes that are left"
    expect_equal "$(ls "$TEST_DIR/tmp")" "" "the files that are left"
    expect_equal "$(grep -F "$TEST_DIR" /proc/mounts || :)" "" "the mounts that are left"
    [ ! -e "/run/lock/foresnap-userfaultfd/pid-$demo" ] || fail "userfaultfd stays permitted"
}

for moment in qemu-system-x86 foresnap-pager; do
    echo "while $moment is at work"
    interrupted_at "$moment"
done
