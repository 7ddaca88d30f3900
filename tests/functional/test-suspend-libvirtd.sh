#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libvirtd ends or is killed in the middle of a suspend and comes back: the domain then runs
# on or is suspended, exact either way; foresnap says what happened; recover ends it.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
private_libvirt_requires
guest_requires
private_libvirt_start
userfaultfd_allow
guest_start one 128 --fill 40
FORESNAP_REPO=$PRIVATE_LIBVIRT/repo
# foresnap warns of what it cannot do without libvirt; that is not to end it.
unset G_DEBUG

# What libvirt's end does to the domain: nothing, whatever foresnap was doing.
is_ended ()
{
    [ ! -e "$(echo "$PRIVATE_LIBVIRT"/state/*.journal)" ] &&
        ! private_libvirt_exec pgrep -x foresnap-guard >/dev/null
}

# interrupted MOMENT CONDITION SIGNAL WHEN ARG… : foresnap ARG… loses its libvirtd then;
# it is back before foresnap goes on, or after it has ended.
interrupted ()
{
    local moment=$1 condition=$2 signal=$3 when=$4 status=0 pid
    shift 4
    echo "$*: libvirtd ended by $signal $moment, back $when"
    rm -f "$PRIVATE_LIBVIRT/said"
    foresnap "$@" >"$PRIVATE_LIBVIRT/said" 2>&1 &
    pid=$!
    stop_once "$condition" || fail "the moment never came: $(cat "$PRIVATE_LIBVIRT/said")"
    private_libvirt_kill "$signal"
    [ "$when" = after ] || private_libvirt_start_again
    # It may have ended before it could be stopped.
    go_on
    wait "$pid" || status=$?
    [ "$when" = before ] || private_libvirt_start_again
    echo "  exit $status: $(grep -v "^$" "$PRIVATE_LIBVIRT/said" | tail -n 1)"
    if [ "$status" != 0 ]; then
        expect_match "$(cat "$PRIVATE_LIBVIRT/said")" "foresnap: .*(libvirt|closed|connect|socket|end of file|Input/output)" \
            "what foresnap says"
    fi
    settle "$status"
}

# Recovery brings it to an end, and a second one finds nothing; then the guest is exact.
settle ()
{
    wait_until 20 is_recovered || fail "recovery does not end: $(foresnap recover 2>&1)"
    expect_exit 0 foresnap recover
    expect_equal "$expect_out" "nothing to recover" "what recover says"
    if domain_is one "shut off"; then
        expect_exit 0 foresnap --json status
        expect_json "$expect_out" domains.0.state suspended
        [ -s "$(stub_path one)" ] || fail "a suspended domain is not guarded"
        expect_exit 0 foresnap resume one --wait
        echo "  it was suspended"
    else
        expect_equal "$1" 1 "the exit status of a suspend that came to nothing"
        echo "  it runs: $(domain_reason one)"
    fi
    expect_domain one running
    guest_wait_heartbeat one 20
    guest_verify one
    expect_equal "$(leftovers)" "" "what is left"
    collect
}

is_recovered ()
{
    foresnap -q recover 2>/dev/null && is_ended
}

collect ()
{
    local snapshot
    for snapshot in $(foresnap list -q); do
        expect_exit 0 foresnap delete "$snapshot"
    done
    expect_exit 0 foresnap gc --grace 0
}

written="[ -n \"\$(find '$FORESNAP_REPO'/tmp '$FORESNAP_REPO'/packs -size +64k 2>/dev/null)\" ]"
guarded="[ -e '$(stub_path one)' ]"

# One of each moment here, of each signal and of each time of its return; all of them below.
interrupted "during the transfer" "$written" KILL after suspend one
interrupted "with the guest stopped" "$written" KILL before suspend one --paused
interrupted "at the stop" "step stopping" KILL before suspend one
interrupted "at the stop" "step storing" KILL after suspend one
interrupted "with all durable" "$guarded" TERM before suspend one
if slow_tests; then
    for signal in KILL TERM; do
        for when in before after; do
            interrupted "during the transfer" "$written" $signal $when suspend one
            interrupted "with the guest stopped" "$written" $signal $when suspend one --paused
            interrupted "at the stop" "step stopping" $signal $when suspend one
            interrupted "at the stop" "step storing" $signal $when suspend one
            interrupted "with all durable" "$guarded" $signal $when suspend one
        done
    done
fi

# A hold ends with its connection; a suspend does without what was prepared.
is_unheld ()
{
    [ -z "$(leftovers)" ]
}
for signal in KILL TERM; do
    echo "prepared, then libvirtd ended by $signal"
    expect_exit 0 foresnap prepare one
    private_libvirt_kill $signal
    private_libvirt_start_again
    wait_until 10 is_unheld || fail "the hold goes on: $(leftovers)"
    guest_wait_heartbeat one 5
    expect_exit 0 foresnap --json suspend one
    expect_json "$expect_out" prepared 0
    settle 0
done
private_libvirt_alive
