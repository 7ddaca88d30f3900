#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnap idle: habits are found in a file, known events are heeded, bad input is named.
. "${top_srcdir:-.}"/tests/functional/functions.sh
test_dir
export FORESNAP_EVENTS=$TEST_DIR/events FORESNAP_HISTORY=$TEST_DIR/history.db TZ=UTC

idle ()
{
    "$top_builddir/foresnap" idle "$@"
}

# office : 28 days of five-minute CPU use from Monday 5 January 2026; work from 08:00 to
# 16:40 on weekdays; ends on a Monday at 07:40
office ()
{
    echo timestamp,cpu_percent
    awk 'BEGIN { srand(1)
        for (i = 0; i < 28 * 288 + 93; i++) {
            slot = i % 288; weekend = int(i / 288) % 7 >= 5
            if (slot == 0) begin = 96 + int(3 * rand())
            print 1767571200 + 300 * i "," (!weekend && slot >= begin && slot < 200 ? 30 : 0.3)
        } }'
}

office > "$TEST_DIR/office.csv"
expect_exit 0 idle --csv "$TEST_DIR/office.csv"
expect_match "$expect_out" "state: +idle since " "the state"
expect_match "$expect_out" "usually wakes at 08:0[05] on weekdays \(19 of 19 days\)" "the reason"
expect_match "$expect_out" "next wake: +about 0[78]:[0-9]*" "the next wake"
expect_exit 0 idle --csv "$TEST_DIR/office.csv" --json
expect_match "$expect_out" '"state" : "idle"' "the document"
awk -F'[:,]' '/active_within_60_min/ { p = $2 } END { exit !(p > .7 && p <= 1) }' <<< "$expect_out" ||
    fail "at 07:40 it does not expect activity within the hour"

# A threshold above all use: it never was active.
expect_exit 0 idle --csv "$TEST_DIR/office.csv" --threshold 90
expect_match "$expect_out" "has not been seen to wake yet" "a VM that is always idle"

# Known events take part: what cannot be read is told.
mkdir -p "$FORESNAP_EVENTS"
echo '{' > "$FORESNAP_EVENTS/0123abcd.json"
expect_exit 0 idle --csv "$TEST_DIR/office.csv"
expect_match "$expect_err" "source of events '0123abcd' cannot be read" "a damaged source"
expect_exit 0 idle --csv "$TEST_DIR/office.csv" --no-events
expect_equal "$expect_err" "" "what is said without events"

# Bad input.
expect_exit 2 idle
expect_exit 2 idle --csv "$TEST_DIR/office.csv" some-domain
expect_exit 2 idle --csv "$TEST_DIR/office.csv" --threshold -1
expect_exit 2 idle --query up
expect_exit 1 idle some-domain
expect_exit 1 idle --csv "$TEST_DIR/nothing.csv"
bad ()
{
    printf '%b' "$1" > "$TEST_DIR/bad.csv"
    expect_exit 1 idle --csv "$TEST_DIR/bad.csv"
    expect_match "$expect_err" "$2" "the error of '$1'"
}
bad '' "names of the columns"
bad 'a,b\n1,2\n' "no columns 'timestamp' and 'value'"
bad 'timestamp,value\n1,much\n' "line 2: 'much' is no number"
bad 'timestamp,value\n1,inf\n' "line 2: 'inf' is no number"
bad 'timestamp,value\nlate,1\n' "line 2: 'late' is no time"
bad 'timestamp,value\n0,1\n3600,1\n7200,1\n' "a value each 3600 s is not enough"
bad 'timestamp,value\n0,\n' "nothing is known"
printf 'timestamp,value\n1767571200,5\n' > "$TEST_DIR/one.csv"
expect_exit 0 idle --csv "$TEST_DIR/one.csv"
expect_match "$expect_err" "less than two days are known" "a short history"
