#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnap forecast --csv: what it prints, the same each time, for good and for bad files.
set -euo pipefail

work=$(mktemp -d "${TMPDIR:-/tmp}/foresnap-forecast-XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

foresnap() {
    "${top_builddir:?}/run" "$top_builddir/foresnap" "$@"
}

# refused EXIT MESSAGE ARGUMENT... : it ends so, and says that.
refused() {
    local expected=$1 message=$2 status=0
    shift 2
    foresnap forecast "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -eq "$expected" ] || fail "$*: exit $status instead of $expected"
    grep -q -- "$message" "$work/err" || fail "$*: says '$(cat "$work/err")'"
    [ ! -s "$work/out" ] || fail "$*: prints something all the same"
}

awk 'BEGIN {
    print "timestamp,value"
    for (i = 0; i < 480; i++)
        printf "%d,%.4f\n", i * 3600, 30 + 20 * sin(i / 24 * 6.2831853) + (i * 7919 % 101) / 25
}' >"$work/wave.csv"

foresnap forecast --csv "$work/wave.csv" >"$work/a"
[ "$(head -n 1 "$work/a")" = step,mean,lo95,hi95,q95 ] || fail "the heading is another one"
[ "$(wc -l <"$work/a")" -eq 25 ] || fail "a day of hours has not 24 steps"
awk -F, 'NR > 1 && !($3 <= $2 && $2 <= $4 && $3 <= $5 && $5 <= $4) { exit 1 }' "$work/a" ||
    fail "the quantiles are not in order"
# The wave goes on: high after six hours, low after eighteen.
awk -F, '$1 == 7 { high = $2 } $1 == 19 { low = $2 } END { exit !(high > 45 && low < 20) }' "$work/a" ||
    fail "the wave is not forecast"
foresnap forecast --csv "$work/wave.csv" | cmp - "$work/a" || fail "twice is not the same"

# What comes after --origin is not known.
head -n 301 "$work/wave.csv" >"$work/short.csv"
foresnap forecast --csv "$work/short.csv" --horizon 30 >"$work/b"
foresnap forecast --csv "$work/wave.csv" --origin 300 --horizon 30 | cmp - "$work/b" ||
    fail "--origin lets something through"

# One model; a horizon that is longer than the history; one value; values alone.
foresnap forecast --csv "$work/short.csv" --model naive --horizon 500 >"$work/c"
[ "$(sed 1d "$work/c" | cut -d, -f2 | sort -u | wc -l)" -eq 1 ] || fail "naive is not flat"
echo 7 >"$work/one.csv"
foresnap forecast --csv "$work/one.csv" --period 300 --horizon 2 >"$work/d"
[ "$(sed -n 's/^2,\([^,]*\),.*/\1/p' "$work/d")" = 7 ] || fail "one value does not stay"
foresnap forecast --csv "$work/wave.csv" --explain | grep -q '^backtest error' ||
    fail "--explain does not tell the error"
foresnap forecast --csv "$work/wave.csv" --json >"$work/json"
grep -q '"backtest_error"' "$work/json" || fail "the document has no error"

: >"$work/empty.csv"
echo 'a,b,c' >"$work/columns.csv"
printf 'timestamp,value\n0,1\n3600,many\n' >"$work/words.csv"
printf 'timestamp,value\n0,NaN\n3600,NaN\n' >"$work/unknown.csv"
refused 1 'there are no values' --csv "$work/empty.csv"
refused 1 "named 'value'" --csv "$work/columns.csv"
refused 1 'line 3' --csv "$work/words.csv"
refused 1 'no value of the series is known' --csv "$work/unknown.csv"
refused 1 'no times' --csv "$work/one.csv"
refused 1 'No such file' --csv "$work/nothing.csv"
refused 2 'no model' --csv "$work/wave.csv" --model oracle
refused 2 'beyond' --csv "$work/wave.csv" --origin 481
refused 2 'horizon' --csv "$work/wave.csv" --horizon 100001
