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

# history N KEY : of the N-th latest resume.
history ()
{
    perl -MJSON::PP -e 'print 0 + decode_json($ARGV[0])->{history}[$ARGV[1] - 1]{$ARGV[2]}' \
        "$expect_out" "$1" "$2"
}

echo "a lazy resume"
expect_exit 0 foresnap resume one --mode lazy
wait_loaded one
guest_verify one
expect_exit 0 foresnap workingset one --json
expect_equal "$(field resumes)" 1 "the number of resumes"
expect_equal "$(field hit_rate)" null "the hit rate before anything was predicted"
lazy=$(history 1 faults)
[ "$lazy" -gt 500 ] || fail "a lazy resume asked for only $lazy pages: $expect_out"
expect_equal "$(field bytes)" "$(($(field pages) * 4096))" "the size of the working set"

runs=5
! slow_tests || runs=10
requests=()
for ((run = 0; run < runs; run++)); do
    cycle one --mode predicted
    expect_exit 0 foresnap workingset one --json
    requests+=("$(history 1 faults)")
done
expect_equal "$(field resumes)" $((runs + 1)) "the number of resumes"
expect_match "$(field hit_rate)" '^(1|0\.[5-9])' "the hit rate"
[ "$(field age_us)" -lt 60000000 ] || fail "the age is $(field age_us) us"
expect_match "$(history 1 probes)" '^[1-9]' "the number of pages held back as probes"

mapfile -t sorted < <(printf '%s\n' "${requests[@]}" | sort -n)
median=${sorted[runs / 2]}
echo "page requests: lazy $lazy; predicted, median $median, worst ${sorted[-1]}: ${requests[*]}"
expect_at_most $((median * 10)) "$lazy" "ten times the median of page requests"

expect_exit 0 foresnap workingset one
expect_match "$expect_out" "pages: +[1-9].*age: .*hit rate: .*MODE.*predicted.*lazy" "the text"
expect_clean
