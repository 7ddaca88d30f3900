#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Batches: which domains are taken and why others are not, in their order, some at a time; a
# resume brings back what the batch has put away and nothing else, whatever killed it.
. "${top_srcdir:-.}"/tests/functional/resume.sh
test_dir
resume_start
userfaultfd_allow

for name in lab-1 lab-2 lab-3 other; do
    guest_start "$name" 128 --fill 32
done
guest_domain lab-off 128 --fill 32 >"$TEST_DIR/off.xml"
guest_virsh define "$TEST_DIR/off.xml" >/dev/null
guest_domain lab-gone 128 --fill 32 >"$TEST_DIR/gone.xml"
guest_virsh create "$TEST_DIR/gone.xml" >/dev/null

states ()
{
    jq -r '.domains | map("\(.domain)=\(.state)") | join(" ")' <<<"$expect_out"
}

all_loaded ()
{
    [ -z "$(private_libvirt_exec pgrep foresnap)" ]
}

running ()
{
    local name
    for name; do
        expect_equal "$(guest_virsh domstate "$name")" running "the state of $name"
    done
}

echo "what makes no sense"
expect_exit 2 foresnap batch suspend
expect_match "$expect_err" "say which domains" "the error without a selector"
expect_exit 2 foresnap batch shred --all
expect_exit 2 foresnap batch suspend --all -j 1000
expect_exit 2 foresnap batch suspend --all --no-memory
expect_exit 2 foresnap batch resume --set ../x

echo "a dry run touches nothing"
export FORESNAP_EVENTS=$TEST_DIR/events
cat >"$TEST_DIR/days.csv" <<END
start,end,name
$(date -u -d '-1 hour' +%FT%TZ),$(date -u -d '+1 day' +%FT%TZ),Founders' Day
$(date -u -d '-3 days' +%FT%TZ),$(date -u -d '-2 days' +%FT%TZ),Audit
END
expect_exit 0 foresnap events add "$TEST_DIR/days.csv" --kind holiday
for glob in holiday 'Founders*'; do
    expect_exit 0 foresnap --json batch suspend --all --unless-event "$glob"
    expect_json "$expect_out" domains.length 0
    expect_json "$expect_out" event "Founders' Day"
done
expect_exit 2 foresnap batch suspend --all --bandwidth 8M
expect_exit 2 foresnap batch snapshot --all --bandwidth much
expect_exit 0 foresnap --json batch suspend --match 'lab-*' --exclude lab-3 --dry-run --unless-event audit --unless-event Audit
expect_equal "$(states)" "lab-1=planned lab-2=planned lab-gone=skipped lab-off=skipped" "the plan"
running lab-1 lab-2 lab-3 other
expect_exit 0 foresnap --json batch resume
expect_equal "$(states)" "" "what an empty record resumes"

echo "what is chosen is suspended, the rest is left alone with a reason"
expect_exit 0 foresnap suspend other
expect_exit 0 foresnap --json batch suspend --match 'lab-*' --exclude lab-3 -j 2
expect_equal "$(states)" "lab-1=done lab-2=done lab-gone=skipped lab-off=skipped" "the outcome"
expect_equal "$(jq -r '.domains[] | select(.domain == "lab-off").reason' <<<"$expect_out")" "is off" "a reason"
expect_match "$(jq -r '.domains[] | select(.domain == "lab-gone").reason' <<<"$expect_out")" "transient" "another"
expect_equal "$(jq '[.domains[].result.snapshot // empty] | length' <<<"$expect_out")" 2 "the documents of suspend"
running lab-3

echo "it is resumed, and nothing that others have put away"
expect_exit 0 foresnap --json batch resume
expect_equal "$(states)" "lab-1=done lab-2=done" "the outcome of resume"
running lab-1 lab-2
off other || fail "the guest of somebody else was resumed"
wait_until 60 all_loaded || fail "the loads do not end"
guest_verify lab-1
guest_verify lab-2
expect_exit 0 foresnap --json batch resume
expect_equal "$(states)" "" "what is left to resume"
expect_exit 0 foresnap --json batch resume --match other
expect_equal "$(states)" "other=skipped" "one that was never in the record"
expect_exit 0 foresnap -q resume other --wait

echo "quiet, and sets"
expect_exit 0 foresnap -q batch suspend --match lab-1 --set one
expect_equal "$expect_out$expect_err" "" "what cron would mail"
expect_exit 0 foresnap -q batch suspend --match lab-2 --set two
expect_exit 0 foresnap --json batch resume --set two
expect_equal "$(states)" "lab-2=done" "the second set"
off lab-1 || fail "the other set was resumed too"
expect_exit 0 foresnap -q batch resume --set one
wait_until 60 all_loaded || fail "the loads do not end"

echo "some fail: exit status 3; all: 1; another batch of the set: 75"
# The lock of one domain is held by somebody else, as by another operation.
uuid=$(guest_virsh domuuid lab-2)
exec {held}<"$(echo "$STATE/$uuid"-*.lock)"
flock -n "$held" || fail "the lock of lab-2 is not free"
expect_exit 3 foresnap -q batch suspend --match lab-1 --match lab-2
expect_equal "$expect_out" "" "what cron would mail, on stdout,"
expect_match "$expect_err" "warning: lab-2: .*another" "the line about the one that failed"
expect_match "$expect_err" "1 of 2 domains failed" "the summary"
running lab-2
expect_exit 1 foresnap --json batch suspend --match lab-2
expect_equal "$(jq -r .error.code <<<"$expect_out")" failed "the code"
exec {held}<&-
exec {held}<"$STATE/batch/default.lock"
flock -n "$held" || fail "the lock of the batch is not free"
expect_exit 75 foresnap batch resume
exec {held}<&-
expect_exit 0 foresnap --json batch resume
expect_equal "$(states)" "lab-1=done lab-2=skipped" "the outcome"
wait_until 60 all_loaded || fail "the loads do not end"

echo "a batch that is killed: what it has put away comes back"
foresnap -q batch suspend --match lab-1 --match lab-2 -j 1 2>/dev/null &
batch=$!
wait_until 60 off lab-1 || fail "nothing is suspended"
private_libvirt_exec pkill -9 -o -x foresnap
wait "$batch" && fail "the batch lived on"
wait_until 60 all_loaded || fail "what it had begun does not end"
expect_exit 0 foresnap -q recover
expect_exit 0 foresnap -q batch resume
wait_until 60 all_loaded || fail "the loads do not end"
running lab-1 lab-2
guest_verify lab-1
guest_verify lab-2

echo "one that is asked to stop begins nothing new"
foresnap --json batch suspend --match lab-1 --match lab-2 --match lab-3 -j 1 >"$TEST_DIR/stopped" 2>/dev/null &
batch=$!
wait_until 60 off lab-1 || fail "nothing is suspended"
private_libvirt_exec pkill -TERM -o -x foresnap
status=0
wait "$batch" || status=$?
expect_equal "$status" 3 "the exit status"
expect_equal "$(jq -r '.domains | map(.state) | join(" ")' "$TEST_DIR/stopped")" "done failed failed" "the outcome"
expect_match "$(jq -r '.domains[] | select(.domain == "lab-3") | .reason' "$TEST_DIR/stopped")" "interrupted" "its reason"
running lab-3
expect_exit 0 foresnap -q recover
expect_exit 0 foresnap -q batch resume
wait_until 60 all_loaded || fail "the loads do not end"
running lab-1 lab-2 lab-3
guest_verify lab-1
private_libvirt_alive
