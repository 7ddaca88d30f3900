#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-daemon.sh [SECONDS]
#
# What foresnapd costs while it samples 200 and 1000 domains every 10 s for so long (330, so that
# windows of 5 minutes are rolled up too), one after the other. The statistics are made up
# (bench-daemon.c); all behind them is the daemon. Limits: 1 % and 5 % of a core, 80 MiB.
# Needs the build tree in top_builddir. Exit status 1 if a limit is passed.
set -euo pipefail
build=${top_builddir:-.}
seconds=${1:-330}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
printf '[sampling]\ninterval=10\n[schedules]\nenabled=false\n[forecasts]\nrefresh_hours=0\n[hooks]\nsocket=\n' >"$dir/conf"
for limit in 200:1 1000:5; do
    export FORESNAP_STATE_DIR=$dir/state-$limit FORESNAP_HISTORY=$dir/history-$limit.db
    "$build/tests/bench/bench-daemon" "$dir/conf" "${limit%:*}" "$seconds" 2>"$dir/log" | tee "$dir/out" ||
        { cat "$dir/log" >&2; exit 1; }
    awk -v limit="${limit#*:}" '{ exit !($5 <= limit && $10 <= 80) }' "$dir/out" || status=1
done
exit "$status"
