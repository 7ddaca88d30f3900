#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Replays every corpus file through the fuzz target of its folder's name.
set -euo pipefail
count=0
for target in "$top_builddir"/tests/fuzz/fuzz-*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=${target##*/fuzz-}
    "$top_builddir/run" "$target" "$top_srcdir/tests/fuzz/corpus/$name"/*
    count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "SKIP: no fuzz target was built"; exit 77; }
