#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How long the commands on long lists take: make-catalogue's repository, each command several
# times, the median in seconds beside what it may take. FSN_SNAPSHOTS: how many (10000).
set -euo pipefail

build=${top_builddir:-.}
snapshots=${FSN_SNAPSHOTS:-10000}
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/foresnap-catalogue.XXXXXX")
trap 'rm -rf "$folder"' EXIT

"$build/tests/bench/make-catalogue" "$folder/repo" "$snapshots"

# median LIMIT COMMAND… : of nine runs.
median() {
    local limit=$1 i
    shift
    for ((i = 0; i < 9; i++)); do
        local start=$EPOCHREALTIME
        "$build/foresnap" -r "$folder/repo" "$@" >/dev/null
        echo "$EPOCHREALTIME $start" | awk '{ printf "%.3f\n", $1 - $2 }'
    done | sort -n | sed -n 5p | awk -v limit="$limit" -v what="$*" \
        '{ printf "%-60s %s s (at most %s)%s\n", what, $1, limit, ($1 > limit ? "  MISSED" : "") }'
}

echo "$snapshots snapshots, $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"
median 0.3 list
median 0.3 list guest-3
median 0.5 list --json
median 1 prune --dry-run --keep-last 3 --keep-daily 7 --keep-weekly 5 --keep-monthly 12
median 1 prune --dry-run --keep-last 3 --json
