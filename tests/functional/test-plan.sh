#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Schedules: what is planned and why; what is due is taken once, however much was missed; what
# fails is tried again later; one planner at a time.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
requires "flock is not installed" command -v flock
# shellcheck disable=SC2119
snapshot_start
export FORESNAP_HISTORY=$PRIVATE_LIBVIRT/history.db TZ=UTC
mkdir -p "$PRIVATE_LIBVIRT/images"

# off_domain NAME NUMBER : one that is off, with a disk
off_domain ()
{
    make_disk "$1.qcow2" qcow2 16M
    guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>$1</name><uuid>5b21f0a1-7c1c-4f0a-9c3e-0d9a7f2b6c0$2</uuid><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>$(disk_xml vda "$1.qcow2" qcow2)</devices></domain>
XML
}

# handled NAME AGO : the schedule's times of the last AGO seconds have not been dealt with
handled ()
{
    local file
    file=$STATE/schedule/$(guest_virsh domuuid "$1" | head -n 1).json
    sed -i "s/\"handled_us\" : [0-9]*/\"handled_us\" : $(($(date +%s) - $2))000000/" "$file"
}

# count NAME : how many snapshots there are of it
count ()
{
    expect_exit 0 foresnap --json list "$1"
    json "$expect_out" snapshots.length
}

off_domain nightly 1
off_domain plain 2
off_domain broken 3

echo "without a schedule nothing is planned"
expect_exit 0 foresnap plan
expect_match "$expect_out" "nothing is planned for the next 24 hours" "the plan"
expect_match "$expect_out" "3 domains have no schedule" "the plan"
expect_exit 0 foresnap plan plain
expect_match "$expect_out" "'plain' has no schedule" "the plan of one"
expect_exit 2 foresnap plan --hours 0
expect_exit 1 foresnap plan nobody

echo "a new schedule owes nothing of the past"
expect_exit 0 foresnap policy nightly set "schedule.when=*:00" profile=standard
expect_exit 0 foresnap --json plan --hours 3
expect_json "$expect_out" plan.length 3
expect_json "$expect_out" plan.0.domain nightly
expect_json "$expect_out" plan.0.state planned
expect_json "$expect_out" plan.0.triggers.0 calendar
expect_json "$expect_out" plan.0.reason "calendar: *:00"
expect_json "$expect_out" unscheduled 2
expect_match "$(json "$expect_out" plan.0.time)" ":00:00Z$" "its time"
expect_exit 0 foresnap -q plan --run
expect_equal "$expect_out$expect_err" "" "what a run says in which nothing is due"
expect_equal "$(count nightly)" 0 "the snapshots"

echo "what was missed is made up for once"
handled nightly $((50 * 3600))
expect_exit 0 foresnap plan
expect_match "$expect_out" "now +nightly +calendar: \*:00, .*with (49|50) earlier times" "the plan"
expect_exit 0 foresnap --json plan --run
expect_json "$expect_out" runs.length 1
expect_json "$expect_out" runs.0.state 'done'
expect_equal "$(count nightly)" 1 "the snapshots"
expect_exit 0 foresnap --json plan --run
expect_json "$expect_out" runs.length 0
expect_equal "$(count nightly)" 1 "the snapshots"
# a snapshot by hand is one too
handled nightly 7200
expect_exit 0 foresnap --json plan --run
expect_json "$expect_out" runs.length 0

echo "a domain that is off and unchanged is left alone"
expect_exit 0 foresnap plan --hours 2
expect_match "$expect_out" "nightly +calendar: .*: but it is off and as its newest snapshot has it" "the plan"

echo "quiet hours"
expect_exit 0 foresnap policy nightly set schedule.quiet=00:00-24:00
expect_exit 0 foresnap --json plan
expect_json "$expect_out" plan.length 1
expect_json "$expect_out" plan.0.state dropped

echo "what stays is said by the profile"
expect_exit 0 foresnap snapshot nightly
expect_exit 0 foresnap snapshot plain
expect_exit 0 foresnap snapshot plain
expect_exit 0 foresnap --json prune --by-profile
expect_json "$expect_out" removed 0
expect_exit 0 foresnap policy nightly set retention.keep-last=1
expect_exit 0 foresnap prune --by-profile --dry-run
expect_match "$expect_out" "remove .*nightly .*no rule keeps it, profile 'standard'" "the dry run"
expect_match "$expect_out" "keep .*plain .*profile 'detailed' keeps everything" "the dry run"
expect_equal "$(count nightly)" 2 "the snapshots"
expect_exit 0 foresnap -q prune --by-profile
expect_equal "$(count nightly)" 1 "the snapshots"
expect_equal "$(count plain)" 2 "the snapshots"

echo "one planner at a time"
exec 9>"$STATE/schedule/lock"
flock -n 9 || fail "the lock is taken"
expect_exit 75 foresnap -q plan --run
expect_match "$expect_err" "somebody else carries out the schedules" "the refusal"
expect_exit 0 foresnap plan
exec 9>&-
expect_exit 0 foresnap policy nightly unset schedule.when

echo "what fails is tried again later"
expect_exit 0 foresnap policy broken set schedule.changed=1M
private_libvirt_exec mv "$IMAGES/broken.qcow2" "$IMAGES/away.qcow2"
expect_exit 1 foresnap --json plan --run
expect_json "$expect_out" runs.0.state failed
expect_match "$expect_err" "broken: " "the failure"
expect_exit 0 foresnap -q plan --run
expect_exit 0 foresnap --json plan
expect_json "$expect_out" plan.0.state planned
expect_match "$(json "$expect_out" plan.0.reason)" "tried again after 1 failure" "the reason"
expect_json "$expect_out" domains.0.failures 1
expect_exit 0 foresnap policy broken unset schedule.changed

echo "a record that is damaged stops no schedule"
expect_exit 0 foresnap policy plain set schedule.when=hourly
expect_exit 0 foresnap plan --run
echo '{"version":' >"$STATE/schedule/$(guest_virsh domuuid plain | head -n 1).json"
expect_exit 0 foresnap --json plan --run
expect_match "$(json "$expect_out" warnings.0)" "plain: what was done before cannot be read, the schedule begins anew" "the warning"
expect_exit 0 foresnap --json plan
expect_json "$expect_out" domains.0.domain plain
[[ $expect_err != *"cannot be read"* ]] || fail "it was not mended: $expect_err"
expect_exit 0 foresnap policy plain unset schedule.when

echo "what has changed"
guest_with_disks one 128 --fill 32
expect_exit 0 foresnap policy one set profile=standard schedule.changed=1M
expect_exit 0 foresnap --json plan one
expect_json "$expect_out" plan.0.state due
expect_json "$expect_out" plan.0.reason "changed: there is no snapshot to count from"
expect_exit 0 foresnap --json plan --run one
expect_json "$expect_out" runs.0.domain one
expect_json "$expect_out" runs.0.state 'done'

echo "another operation is under way there"
expect_exit 0 foresnap delete "$(json "$expect_out" runs.0.result.snapshot)"
hold_domain "$(guest_virsh domuuid one | head -n 1)"
expect_exit 75 foresnap --json plan --run
expect_json "$expect_out" runs.0.state busy
let_domain_go
expect_exit 0 foresnap --json plan --run
expect_json "$expect_out" runs.0.state 'done'

echo "what changes is counted"
guest_ask one "fill 0 0 4 1" "FILLED disk=0" 30 >/dev/null
expect_exit 0 foresnap --json plan
expect_json "$expect_out" plan.0.state planned
expect_json "$expect_out" plan.0.triggers.0 changed
[ "$(json "$expect_out" domains.0.changed)" -ge 1048576 ] || fail "nothing has changed: $expect_out"
expect_match "$(json "$expect_out" plan.0.reason)" "^changed: [0-9.]+.MiB of 1.0.MiB" "the reason"
expect_equal "$(count one)" 1 "the snapshots"
expect_equal "$(domain_reason one | head -n 1 | cut -d' ' -f1)" running "the state of 'one'"
private_libvirt_alive
