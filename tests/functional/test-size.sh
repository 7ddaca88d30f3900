#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sizes from a history: a running guest gets vCPUs by plugging and loses them by its agent,
# memory comes and goes by the balloon, never below what it uses; a domain that comes back or is
# off is sized too, within its policy.
. "${top_srcdir:-.}"/tests/functional/resume.sh
test_dir
resume_start
guest_requires_agent
userfaultfd_allow
export FORESNAP_HISTORY=$TEST_DIR/history.db
MIB=$((1 << 20))

# A week of 5-minute values up to now: $1 cores and $2 MiB in use, both always.
import_use ()
{
    awk -v now="$(date +%s)" -v cpu="$1" -v mib="$2" 'BEGIN {
        print "time,cpu,memory.used"
        now -= now % 300
        for (t = now - 7 * 86400; t <= now - 300; t += 300)
            printf "%d,%.3f,%d\n", t, cpu + ((t / 300) % 7) * 0.01, mib * 1048576
    }' >"$TEST_DIR/use.csv"
    rm -rf "$FORESNAP_HISTORY"*
    expect_exit 0 foresnap -q history web --import "$TEST_DIR/use.csv"
}

vcpus ()
{
    guest_virsh vcpucount web "$@"
}

sized ()
{
    [ "$(vcpus --guest)" = "$1" ]
}

memory_is ()
{
    [ "$(guest_virsh dommemstat web | sed -n 's/^actual //p')" = $(($1 * 1024)) ]
}

# Its balloon has told again what the guest uses, since it was filled.
reports ()
{
    local kib
    kib=$(guest_virsh dommemstat web | awk '{ v[$1] = $2 } END { print v["available"] - v["usable"] }')
    [ "$kib" -gt $((64 * 1024)) ]
}

guest_start web 512 --fill 64 --agent --vcpus 1 --maxvcpus 3 --disk
wait_until 60 sized 1 || fail "the guest's agent does not answer"

echo "without a history nothing changes"
expect_exit 0 foresnap size web
expect_match "$expect_out" "^1 vCPU, 512 MiB: nothing is known of its use, as before" "the decision"

expect_exit 0 foresnap size web --history
expect_match "$expect_out" "^nothing was decided yet$" "the decisions of a domain that nothing is known of"
expect_exit 2 foresnap size web --history --dry-run

echo "a running guest gets more vCPUs, and less memory, but never less than it uses"
import_use 1.8 40
expect_exit 0 foresnap size web --dry-run
expect_match "$expect_out" "^3 vCPU, 512 MiB: .*what the guest uses is not known: its memory does not shrink" \
    "the decision without reports of the balloon"
guest_virsh dommemstat web --period 1 --live
wait_until 20 reports || fail "the balloon does not report: $(guest_virsh dommemstat web)"
expect_exit 0 foresnap size web --dry-run
expect_match "$expect_out" "^3 vCPU, .*: p95 of the next 4 h is 1\.[89] cores and 40 MiB \(ensemble.*was 1 vCPU, 512 MiB" "the decision"
expect_match "$expect_out" "would set plug vCPUs: 3" "a step"
sized 1 || fail "a dry run changed something"
expect_exit 0 foresnap --json size web
wait_until 20 sized 3 || fail "it has $(vcpus --guest) vCPUs online"
expect_equal "$(vcpus --live --current)" 3 "the plugged vCPUs"
memory=$(jq .sizing.memory_bytes <<<"$expect_out")
# It fills 64 MiB and has a kernel: 40 MiB and headroom would kill it.
[ "$memory" -ge $((160 * MIB)) ] || fail "the size of $memory bytes is below what the guest uses"
wait_until 30 memory_is $((memory / MIB)) || fail "the balloon does not follow: $(guest_virsh dommemstat web)"
guest_verify web
expect_exit 0 foresnap --json size web --history
expect_equal "$(jq -c '[.decisions[] | [.by, .vcpus_was, .vcpus]]' <<<"$expect_out")" '[["size",1,3]]' \
    "the decisions, without those of dry runs"
expect_equal "$(jq .decisions[0].memory_bytes <<<"$expect_out")" "$memory" "the memory decided on"
expect_match "$(jq -r .decisions[0].reason <<<"$expect_out")" "^3 vCPU, .*was 1 vCPU, 512 MiB" "the reason"

echo "the policy limits it; vCPUs go offline and are not unplugged"
expect_exit 0 foresnap -q policy web set sizing.max-vcpus=1 sizing.min-memory=300M
expect_exit 0 foresnap size web
expect_match "$expect_out" "the policy allows 1 vCPUs" "the note"
wait_until 20 sized 1 || fail "it has $(vcpus --guest) vCPUs online"
expect_equal "$(vcpus --live --current)" 3 "the plugged vCPUs"
wait_until 20 memory_is 300 || fail "the balloon does not follow: $(guest_virsh dommemstat web)"
expect_exit 0 foresnap -q policy web unset sizing.max-vcpus sizing.min-memory

echo "a resume sizes it once all is loaded; not if it is told not to, by option or policy"
expect_exit 0 foresnap suspend web
expect_exit 0 foresnap --json resume web --no-resize
expect_equal "$(jq .sizing <<<"$expect_out")" null "the sizing of --no-resize"
wait_loaded web
sized 1 || fail "it was sized all the same"
expect_exit 0 foresnap suspend web
expect_exit 0 foresnap -q policy web set sizing.enabled=no
expect_exit 0 foresnap --json resume web
expect_equal "$(jq .sizing <<<"$expect_out")" null "the sizing that the policy does not want"
wait_loaded web
sized 1 || fail "it was sized all the same"
expect_exit 0 foresnap -q policy web unset sizing.enabled
expect_exit 0 foresnap suspend web
expect_exit 0 foresnap --json resume web
expect_match "$(jq -r .sizing.reason <<<"$expect_out")" "^3 vCPU, " "the decision"
wait_loaded web
wait_until 20 sized 3 || fail "it has $(vcpus --guest) vCPUs online"
guest_verify web
expect_clean
expect_exit 0 foresnap size web --history
expect_match "$(tail -n 1 <<<"$expect_out")" "  resume   3 vCPU, " "the decision of the resume"

echo "a domain that is off, and one that is restored"
expect_exit 0 foresnap --json snapshot web --no-memory
snapshot=$(jq -r .snapshot <<<"$expect_out")
guest_virsh destroy web
guest_virsh setvcpus web 1 --config
import_use 1.8 200
expect_exit 0 foresnap size web
expect_match "$expect_out" "set vCPUs at the next start: 3" "a step"
expect_equal "$(vcpus --config --current)" 3 "the vCPUs of the next start"
expect_match "$(guest_virsh dumpxml web --inactive)" "<currentMemory unit='KiB'>$((280 * 1024))<" "its memory"
guest_virsh setvcpus web 1 --config
expect_exit 0 foresnap --json restore "$snapshot" --as copy --dir "$TEST_DIR"
expect_match "$(jq -r .sizing.reason <<<"$expect_out")" "^3 vCPU, 280 MiB" "the decision for a new domain"
expect_equal "$(guest_virsh vcpucount copy --config --current)" 3 "the vCPUs of the new domain"
expect_exit 0 foresnap --json size copy --history
expect_equal "$(jq -c '[.decisions[].by]' <<<"$expect_out")" '["restore"]' "the decisions on a new domain"
expect_exit 0 foresnap --json restore "$snapshot" --as copy2 --dir "$TEST_DIR" --no-resize
expect_equal "$(jq .sizing <<<"$expect_out")" null "the sizing of --no-resize"

echo "a history that is no history is a warning, and the guest comes back"
echo "no database at all, but long enough to be looked at as one" >"$FORESNAP_HISTORY"
rm -rf "$FORESNAP_HISTORY"-* "$FORESNAP_HISTORY".models
expect_exit 1 foresnap size web
guest_virsh start web >/dev/null
guest_wait_heartbeat web 60
expect_exit 0 foresnap suspend web
expect_exit 0 foresnap resume web
expect_match "$expect_err" "its size stays as it is" "the warning"
wait_loaded web
guest_verify web
private_libvirt_alive
