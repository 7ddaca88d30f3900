#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The server of a stored disk with a real nbdkit and a real qemu-img (nbd-server.c).
. "${top_srcdir:-.}"/tests/functional/functions.sh
requires "nbdkit is not installed" nbdkit --version
requires "qemu-img is not installed" qemu-img --version
G_TEST_BUILDDIR=$(cd "$top_builddir" && pwd)
export G_TEST_BUILDDIR
"$top_builddir"/tests/functional/nbd-server
