#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnap is killed at each step of a suspend, alone and after a prepare: its guard brings
# the domain to a safe end at once, without help. Before the manifest the guest runs on,
# after it the domain is suspended and can be resumed; nothing else is left.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
private_libvirt_requires
guest_requires
private_libvirt_start
userfaultfd_allow
guest_start one 128 --fill 40

# The guard starts its work at once; the rest is what libvirt takes to end a domain.
limit_us=1500000
slowest_us=0
# A guest that was stopped runs again within this, counted from the death of foresnap.
stood_limit_us=1000000
stood_us=0

# Without its guard's help the domain would stay as it was when foresnap died.
is_settled ()
{
    case $1 in
    undone) domain_is one running ;;
    done) domain_is one "shut off" ;;
    esac && [ ! -e "$(echo "$PRIVATE_LIBVIRT"/state/*.journal)" ]
}

# expect_settled OUTCOME SINCE_US
expect_settled ()
{
    local took
    if [ "$1/$step" = undone/storing ]; then
        wait_until 20 domain_is one running || fail "$step: the domain is $(domain_reason one)"
        took=$(($(now_us) - $2))
        [ "$took" -le "$stood_us" ] || stood_us=$took
    fi
    wait_until 20 is_settled "$1" ||
        fail "$step: the domain is $(domain_reason one), left: $(leftovers)"
    took=$(($(now_us) - $2))
    [ "$took" -le "$slowest_us" ] || slowest_us=$took
}

# killed_at STEP ARG… : foresnap ARG… kills itself there
killed_at ()
{
    FORESNAP_TEST_KILL_AT=$1
    shift
    export FORESNAP_TEST_KILL_AT
    ! foresnap "$@" >"$PRIVATE_LIBVIRT/out" 2>&1 ||
        fail "foresnap $* succeeded although it was to be killed: $(cat "$PRIVATE_LIBVIRT/out")"
    unset FORESNAP_TEST_KILL_AT
}

undone ()
{
    expect_no_trace
    guest_wait_heartbeat one 20
    guest_verify one
}

completed ()
{
    expect_exit 0 foresnap recover
    expect_equal "$expect_out" "nothing to recover" "what recover says"
    expect_exit 0 foresnap --json status
    expect_json "$expect_out" domains.0.state suspended
    expect_equal "$(leftovers)" "$(marker_path one)"$'\n'"$(stub_path one)" "what is left"
    expect_exit 0 foresnap verify --read-data
    ! guest_virsh start one 2>/dev/null || fail "a suspended domain was booted over its memory"
    expect_exit 0 foresnap resume one --wait
    guest_wait_heartbeat one 20
    guest_verify one
}

# try STEP OUTCOME ARG… : foresnap ARG… is killed at STEP
try ()
{
    local step=$1 outcome=$2 since
    shift 2
    echo "$* killed at '$step'"
    killed_at "$step" "$@"
    since=$(now_us)
    if [ "$step" = begun ]; then
        # Nothing has been touched and there is no guard yet: recovery removes the journal.
        expect_domain one running
        expect_exit 0 foresnap recover
        expect_match "$expect_out" "the suspend was undone; the domain runs on" "recover"
    else
        expect_settled "$outcome" "$since"
    fi
    if [ "$outcome" = undone ]; then undone; else completed; fi
}

# The suspend that follows a prepare: its holder is the one that dies.
try_prepared ()
{
    local step=$1 outcome=$2 since
    echo "prepared suspend killed at '$step'"
    FORESNAP_TEST_KILL_AT=$step expect_exit 0 foresnap prepare one
    ! foresnap suspend one 2>/dev/null || fail "the suspend succeeded without its holder"
    since=$(now_us)
    expect_settled "$outcome" "$since"
    if [ "$outcome" = undone ]; then undone; else completed; fi
}

collect ()
{
    local snapshot
    for snapshot in $(foresnap list -q); do
        expect_exit 0 foresnap delete "$snapshot"
    done
    expect_exit 0 foresnap gc --grace 0
    # The working set belongs to the VM and outlives its snapshots.
    expect_equal "$(find "$PRIVATE_LIBVIRT/repo" -type f ! -name superblock \
        ! -path '*/refs/workingset/*')" "" "what gc has left of the repository"
}

for step in begun migrating held stopping storing; do
    try "$step" undone suspend one
done
collect
for step in migrating held; do
    try "$step" undone prepare one
done
for step in stopping storing; do
    try_prepared "$step" undone
done
try stopping undone suspend one --paused
if slow_tests; then
    for step in begun storing; do
        try "$step" undone suspend one --paused
    done
fi
for step in durable guarded ended; do
    try "$step" completed suspend one
done
if slow_tests; then
    for step in durable guarded ended; do
        try "$step" completed suspend one --paused
        try_prepared "$step" completed
    done
fi

# try_undoing FAIL_AT KILL_AT : foresnap undoes a suspend that fails there, and dies of that
try_undoing ()
{
    local step=$2 since
    echo "failed at '$1', killed at '$2' of the undoing"
    FORESNAP_TEST_FAIL_AT=$1 killed_at "$2" suspend one
    since=$(now_us)
    expect_settled undone "$since"
    undone
}

# try_recovering STEP ACTION OUTCOME : the guard dies too, right behind that action
try_recovering ()
{
    local step=$1
    echo "killed at '$1', its guard behind '$2'"
    killed_at "$1,recover:$2" suspend one
    wait_until 20 _no_guard || fail "the guard lives: $(leftovers)"
    [ -e "$(echo "$PRIVATE_LIBVIRT"/state/*.journal)" ] || fail "the guard was not killed"
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "^one: suspend was interrupted \($1\)" "recover"
    if [ "$3" = undone ]; then undone; else completed; fi
}

_no_guard ()
{
    [[ $(leftovers) != *foresnap-guard* ]]
}

collect
try_undoing storing undo:migration
try_undoing storing undo:guest
try_undoing guarded withdraw:manifest
try_undoing guarded withdraw:guard
try_recovering storing continue-guest undone
try_recovering guarded end-qemu completed
if slow_tests; then
    collect
    try_recovering migrating remove-stub undone
    try_recovering storing remove-stub undone
    try_recovering durable write-stub completed
    try_recovering guarded arm completed
fi
collect

# Before the stream is whole the guest is lost as by a power cut, and nothing is kept of it;
# after that its end is only what the suspend was about to do.
for step in migrating stopping storing; do
    echo "QEMU killed at '$step'"
    foresnap suspend one >"$PRIVATE_LIBVIRT/out" 2>&1 &
    suspend=$!
    stop_once "step $step" || fail "the moment never came: $(cat "$PRIVATE_LIBVIRT/out")"
    private_libvirt_exec pkill -KILL -f '^[^ ]*qemu-system-x86_64 -name guest=one,'
    go_on
    status=0
    wait "$suspend" || status=$?
    case $step-$status in
    migrating-1 | stopping-1)
        expect_no_trace
        began=$(now_us)
        guest_virsh start one >/dev/null
        guest_await one "$began" ' READY pages=' 60 >/dev/null
        ;;
    # The stream may have been whole when the stop came.
    stopping-0 | storing-0) completed ;;
    *) fail "it ended with $status: $(cat "$PRIVATE_LIBVIRT/out")" ;;
    esac
done
collect

# Whoever kills both leaves a journal; QEMU ends the broken migration by itself.
echo "guard and holder killed"
expect_exit 0 foresnap prepare one
kill_inside KILL foresnap-guard
kill_inside KILL foresnap-holder
guest_wait_heartbeat one 5
expect_exit 0 foresnap recover
expect_match "$expect_out" "^one: suspend was interrupted \(held\): .* runs on" "recover"
undone

echo "slowest end of an interrupted suspend: $slowest_us us"
expect_at_most "$slowest_us" "$limit_us" "the slowest end of an interrupted suspend (us)"
echo "a stopped guest ran again after at most $stood_us us"
expect_at_most "$stood_us" "$stood_limit_us" "how long a stopped guest stood (us)"
private_libvirt_alive
