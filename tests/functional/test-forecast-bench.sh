#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A forecast knows nothing from after its origin: with every later value replaced by garbage
# the forecasts of that origin are the same to the byte. Without data the bench says that it
# skips.
set -euo pipefail

bench=${top_builddir:?}/tests/bench/forecast-bench
work=$(mktemp -d "${TMPDIR:-/tmp}/foresnap-forecast-XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# make_data FOLDER GARBAGE-FROM: 30 days of hours, the last quarter is the test part.
make_data() {
    mkdir -p "$1/series"
    echo 'name,file,source,metric,unit,period_s,length,season_day,season_week,train_len' >"$1/index.csv"
    echo 'wave,series/wave.csv,made,cpu,percent,3600,720,24,168,540' >>"$1/index.csv"
    awk -v from="$2" 'BEGIN {
        print "timestamp,value"
        for (i = 0; i < 720; i++) {
            v = 30 + 20 * sin(i / 24 * 6.2831853) + (i * 7919 % 101) / 9
            if (i >= from)
                v = (i * 104729 % 997) * 1000
            printf "%d,%.6f\n", i * 3600, v
        }
    }' >"$1/series/wave.csv"
}

make_data "$work/whole" 100000
"$bench" "$work/whole" >"$work/whole.out" 2>/dev/null
origins=$(cut -d, -f2 "$work/whole.out" | grep -v origin | sort -nu)
[ "$(echo "$origins" | wc -l)" -eq 7 ] || fail "there are other origins: $origins"

for origin in 540 615 690; do
    make_data "$work/cut" "$origin"
    "$bench" "$work/cut" 2>/dev/null | grep "^wave,$origin," >"$work/cut.out"
    [ "$(wc -l <"$work/cut.out")" -eq 24 ] || fail "not 24 steps from $origin"
    grep "^wave,$origin," "$work/whole.out" | cmp - "$work/cut.out" ||
        fail "the forecast from $origin knows what came later"
done
# The garbage is seen by those after it, or this test would show nothing.
! grep "^wave,690," "$work/whole.out" | cmp -s - <(
    make_data "$work/cut" 600
    "$bench" "$work/cut" 2>/dev/null | grep "^wave,690,"
) || fail "garbage before the origin changes nothing"

status=0
"$bench" "$work/nothing" >"$work/skip.out" 2>&1 || status=$?
[ "$status" -eq 77 ] || fail "without data it ends with $status"
grep -q '^skipped: .*index.csv' "$work/skip.out" || fail "it does not say why it skips"
