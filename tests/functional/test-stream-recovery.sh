#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A postcopy load that breaks in the middle is recovered over a new connection.
set -euo pipefail
qemu=qemu-system-x86_64
"$qemu" --version >/dev/null 2>&1 || { echo "SKIP: $qemu is not installed"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$top_builddir/tests/functional/stream-loads" recovery "$qemu" "$dir"
