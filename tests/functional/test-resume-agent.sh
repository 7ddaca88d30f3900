#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest with an agent: its clock, which stood still with it, is set after the resume, unless
# that is not wanted.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
guest_requires_agent
userfaultfd_allow
guest_start one 192 --fill 40 --agent
agent_answers ()
{
    guest_virsh qemu-agent-command one '{"execute":"guest-ping"}' >/dev/null 2>&1
}
wait_until 60 agent_answers || fail "the agent does not answer: $(grep AGENT "$(guest_log one)")"

# lag : how far the guest's clock is behind, in us; too much by the time of the answer
lag ()
{
    local now answer
    now=$(now_us)
    answer=$(guest_ask one clock ' CLOCK us=')
    echo $((now - ${answer##*us=}))
}

stood_us=3000000
cycle_of_some_seconds ()
{
    expect_exit 0 foresnap suspend one
    sleep $((stood_us / 1000000)) # what is measured is how the clock bears this
    expect_exit 0 foresnap resume one --json --wait "$@"
    ! json "$expect_out" warnings.0 2>/dev/null | grep . || fail "a warning"
}

before=$(lag)
echo "at first $before us behind"
cycle_of_some_seconds --no-sync-time
after=$(lag)
echo "not set: $after us behind"
expect_at_most $((before + stood_us)) "$after" "the lag that nobody makes up for"
cycle_of_some_seconds
after=$(lag)
echo "set: $after us behind"
expect_at_most "${after#-}" 1000000 "the lag after the clock was set"
guest_verify one
expect_clean
