#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU loads a postcopy stream of our writer: devices first, pages in any order.
set -euo pipefail
qemu=qemu-system-x86_64
"$qemu" --version >/dev/null 2>&1 || { echo "SKIP: $qemu is not installed"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$top_builddir/tests/functional/stream-loads" postcopy "$qemu" "$dir"
