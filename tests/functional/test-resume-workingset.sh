#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each resume teaches which pages the guest touches first; foresnap workingset shows it, and
# predicted resumes then ask for a tenth of the pages of a lazy one, or less.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow
guest_start one 192 --fill 96

expect_exit 1 foresnap workingset one
expect_exit 0 foresnap suspend one
expect_exit 1 foresnap workingset one
expect_match "$expect_err" "nothing has been learned" "what is said before the first resume"

echo "a lazy resume"
expect_exit 0 foresnap resume one --mode lazy
wait_loaded one
guest_verify one
expect_exit 0 foresnap workingset one --json
expect_equal "$(json "$expect_out" resumes)" 1 "the number of resumes"
expect_equal "$(json "$expect_out" hit_rate)" "" "the hit rate before anything was predicted"
lazy=$(json "$expect_out" history.0.faults)
[ "$lazy" -gt 500 ] || fail "a lazy resume asked for only $lazy pages: $expect_out"
expect_equal "$(json "$expect_out" bytes)" "$(($(json "$expect_out" pages) * 4096))" "the size of the working set"

runs=5
! slow_tests || runs=10
requests=()
for ((run = 0; run < runs; run++)); do
    cycle one --mode predicted
    expect_exit 0 foresnap workingset one --json
    requests+=("$(json "$expect_out" history.0.faults)")
done
expect_equal "$(json "$expect_out" resumes)" $((runs + 1)) "the number of resumes"
expect_match "$(json "$expect_out" hit_rate)" '^(1|0\.[5-9])' "the hit rate"
[ "$(json "$expect_out" age_us)" -lt 60000000 ] || fail "the age is $(json "$expect_out" age_us) us"
expect_match "$(json "$expect_out" history.0.probes)" '^[1-9]' "the number of pages held back as probes"

mapfile -t sorted < <(printf '%s\n' "${requests[@]}" | sort -n)
median=${sorted[runs / 2]}
echo "page requests: lazy $lazy; predicted, median $median, worst ${sorted[-1]}: ${requests[*]}"
expect_at_most $((median * 10)) "$lazy" "ten times the median of page requests"

expect_exit 0 foresnap workingset one
expect_match "$expect_out" "pages: +[1-9].*age: .*hit rate: .*MODE.*predicted.*lazy" "the text"
expect_clean
