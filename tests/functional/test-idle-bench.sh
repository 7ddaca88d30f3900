#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# idle-bench foretells from the past alone: where all later values are replaced by others, not
# a byte changes; and it finds the habits of made-up VMs.
. "${top_srcdir:-.}"/tests/functional/functions.sh
requires "gzip is not installed" gzip --version
test_dir
bench=$top_builddir/tests/bench/idle-bench

# make_set FOLDER LAST : VMs that work in office hours; random values from sample LAST on
make_set ()
{
    mkdir -p "$1/idle"
    echo name,threshold > "$1/idle/index.csv"
    for seed in 1 2; do
        echo "vm$seed,2.0" >> "$1/idle/index.csv"
        awk -v seed=$seed -v last="$2" 'BEGIN {
            srand(seed); print "timestamp,cpu_percent"
            for (i = 0; i < 7200; i++) {
                slot = i % 288; noise = rand()
                if (slot == 0) begin = 90 + int(10 * rand())
                value = slot >= begin && slot < 200 ? 30 : 0.3 + noise / 10
                if (i >= last) value = noise * 100
                printf "2026-01-%02dT%02d:%02d:00Z,%.4f\n", 1 + int(i / 288), int(slot / 12),
                    slot % 12 * 5, value
            } }' | gzip > "$1/idle/vm$seed.csv.gz"
    done
}

expect_exit 77 "$bench" "$TEST_DIR/nothing"
expect_match "$expect_out" "SKIP: no '.*index.csv'" "the skip"

make_set "$TEST_DIR/whole" 99999
make_set "$TEST_DIR/cut" 6000
"$bench" "$TEST_DIR/whole" > "$TEST_DIR/whole.csv" 2>/dev/null
"$bench" "$TEST_DIR/cut" > "$TEST_DIR/cut.csv" 2>/dev/null
for file in whole cut; do
    awk -F, 'NR > 1 && $2 <= 6000' "$TEST_DIR/$file.csv" > "$TEST_DIR/$file.past"
done
[ "$(wc -l < "$TEST_DIR/whole.past")" -gt 500 ] || fail "too few predictions"
cmp "$TEST_DIR/whole.past" "$TEST_DIR/cut.past" || fail "the future has changed the past"
cmp -s "$TEST_DIR/whole.csv" "$TEST_DIR/cut.csv" && fail "the two sets do not differ"

# At 07:20 both wake within the hour, at 01:00 neither does.
awk -F, 'NR > 1 && $2 % 288 == 89 && $4 < .5 { bad++ }
         NR > 1 && $2 % 288 == 13 && $4 > .1 { bad++ }
         NR > 1 { n++ }
         END { exit !(n > 500 && bad == 0) }' "$TEST_DIR/whole.csv" ||
    fail "office hours are not foretold"
