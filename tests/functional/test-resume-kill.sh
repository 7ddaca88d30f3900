#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever takes part in a resume is killed in the middle of it. The guest waits or is as
# suspended as before; nothing wrong reaches it, and one more command brings all to an end.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow
guest_start one 128 --fill 40 --disk

suspended ()
{
    expect_exit 0 foresnap suspend one
    snapshot=$(newest)
}

# whole : the guest runs, all its memory is loaded and right, nothing is left.
whole ()
{
    wait_loaded one
    guest_wait_heartbeat one 20
    guest_verify one
    expect_clean
    has_mark "$snapshot" consumed || fail "a state that has run is not marked as used"
}

# Killed at a step of its journal; brought to an end by recover, or by the next resume.
for step in begun claimed loading; do
    for way in recover resume; do
        # Both ways lead through the same recovery.
        [ "$step-$way" != begun-recover ] && [ "$step-$way" != claimed-resume ] || slow_tests || continue
        echo "foresnap killed at $step, then $way"
        suspended
        FORESNAP_TEST_KILL_AT=$step expect_exit 137 foresnap resume one
        if [ "$way" = recover ]; then
            expect_exit 0 foresnap recover
            expect_match "$expect_out" "one: resume was interrupted \($step\)" "what recover says"
            ! has_mark "$snapshot" claim || fail "the claim of a dead resume is left"
            ! guest_virsh start one 2>/dev/null || fail "the domain was booted over its memory"
        fi
        expect_exit 0 foresnap resume one
        whole
    done
done

# Between mark and leave to run libvirt ends QEMU with the pager, but the guest has not run.
modes=(predicted)
! slow_tests || modes+=(lazy)
for mode in "${modes[@]}"; do
    echo "the pager killed right behind the mark, $mode"
    suspended
    FORESNAP_TEST_KILL_AT=ran expect_exit 1 foresnap resume one --mode "$mode"
    wait_until 10 _at_rest || fail "processes are left: $(pager_pids 'foresnap.*')"
    expect_equal "$(find "$STATE" -maxdepth 1 -type f ! -name '*.lock' ! -name '*.log')" "" \
        "what is left in the state folder"
    off one || fail "the guest is $(reason one)"
    for mark in claim ran consumed; do
        ! has_mark "$snapshot" "$mark" || fail "the mark '$mark' is left, but the guest has not run"
    done
    ! guest_virsh start one 2>/dev/null || fail "the domain was booted over its memory"
    expect_exit 0 foresnap resume one
    whole
done

echo "recovery killed as it takes the mark back"
actions=(remove-ran)
! slow_tests || actions+=(release-claim)
for action in "${actions[@]}"; do
    suspended
    ! FORESNAP_TEST_KILL_AT=ran,recover:$action foresnap resume one 2>/dev/null ||
        fail "it was resumed without its pager"
    wait_until 20 _at_rest || fail "processes are left: $(pager_pids 'foresnap.*')"
    expect_exit 0 foresnap recover
    expect_exit 0 foresnap resume one
    whole
done

echo "the pager killed as it lets the guest run"
suspended
FORESNAP_TEST_KILL_AT=let-run expect_exit 1 foresnap resume one
expect_clean
expect_exit 1 foresnap resume one
expect_match "$expect_err" "has been used.*'virsh start' boots" "the way out"
now=$(now_us)
guest_virsh start one >/dev/null
guest_await one "$now" ' READY pages=' 60 >/dev/null

echo "foresnap killed while the pager loads"
suspended
begin_load one --wait
kill -KILL "$(pager_pids foresnap)"
end_load 137
whole

# foresnap warns of what it cannot do without libvirt; that is not to end it.
unset G_DEBUG
for when in before after; do
    echo "libvirtd killed before the guest runs, back $when foresnap goes on"
    suspended
    foresnap resume one >"$PRIVATE_LIBVIRT/resume.out" 2>&1 &
    resuming=$!
    stop_once "{ step claimed || step loading; }" || fail "the moment never came"
    private_libvirt_kill KILL
    [ "$when" = after ] || private_libvirt_start_again
    go_on
    status=0
    wait "$resuming" || status=$?
    [ "$when" = before ] || private_libvirt_start_again
    echo "  exit $status: $(tail -n 1 "$PRIVATE_LIBVIRT/resume.out")"
    [[ $status = 0 || $status = 1 ]] || fail "it ended with $status"
    if [ "$status" = 1 ]; then
        expect_exit 0 foresnap recover
    fi
    if off one; then
        expect_equal "$status" 1 "the exit status of a resume that came to nothing"
        ! has_mark "$snapshot" ran || fail "the guest may have run, and is lost"
        ! guest_virsh start one 2>/dev/null || fail "the domain was booted over its memory"
        expect_exit 0 foresnap resume one
    fi
    whole
done

# The memory comes slowly enough for that: the worker stands still until it is done.
for daemon in KILL TERM; do
    echo "libvirtd ended by $daemon while the guest loads"
    suspended
    begin_load one
    wait_until 20 loading one || fail "the guest is $(reason one)"
    # libvirtd waits with an orderly end for the end of the load.
    [ "$daemon" = KILL ] || kill -CONT "$worker"
    private_libvirt_kill "$daemon"
    private_libvirt_start_again
    kill -CONT "$worker" 2>/dev/null || :
    wait "$resuming" || :
    expect_exit 0 foresnap recover
    whole
done

echo "QEMU killed while the guest loads"
suspended
begin_load one --wait
wait_until 20 loading one || fail "the guest is $(reason one)"
private_libvirt_exec pkill -KILL -f '^[^ ]*qemu-system-x86_64 -name guest=one,'
end_load 1
wait_until 20 off one || fail "the guest is $(reason one)"
wait_until 20 has_mark "$snapshot" consumed || fail "the state is not used up"
expect_clean
expect_exit 1 foresnap resume one
expect_match "$expect_err" "has been used.*'virsh start' boots" "the way out"
now=$(now_us)
guest_virsh start one >/dev/null
guest_await one "$now" ' READY pages=' 60 >/dev/null
guest_verify one

# resume_and_kill PROCESS MS : kill it so many milliseconds after the resume began.
resume_and_kill ()
{
    local pid status=0
    foresnap resume one --mode lazy >"$PRIVATE_LIBVIRT/resume.out" 2>&1 &
    resuming=$!
    sleep "$(printf '0.%03d' "$2")"
    pid=$(pager_pids "$1")
    # shellcheck disable=SC2086
    [ -z "$pid" ] || kill -KILL $pid || pid=
    wait "$resuming" || status=$?
    echo "$1 after $2 ms: ${pid:+killed, }resume ended with $status"
    [ -n "$pid" ] || [ "$status" = 0 ] ||
        fail "an undisturbed resume failed: $(cat "$PRIVATE_LIBVIRT/resume.out")"
}

runs=2
lost=0
! slow_tests || runs=8
for ((run = 0; run < runs; run++)); do
    for victim in foresnap-worker foresnap-superv foresnap-pager; do
        suspended
        resume_and_kill "$victim" "$((100 + RANDOM % 700))"
        if off one && has_mark "$snapshot" ran; then
            # As libvirt is asked to let it run: libvirt ends QEMU with the peer if it has not
            # heard of it, and nobody knows for certain.
            [ "$victim" = foresnap-pager ] || fail "the guest may have run, and is lost"
            lost=$((lost + 1))
            expect_exit 1 foresnap resume one
            expect_match "$expect_err" "has been used.*'virsh start' boots" "the way out"
            now=$(now_us)
            guest_virsh start one >/dev/null
            guest_await one "$now" ' READY pages=' 60 >/dev/null
            continue
        fi
        ! off one || expect_exit 0 foresnap resume one
        whole
    done
done
# That moment is short.
expect_at_most "$lost" $((runs / 2)) "the guests that were lost so"
