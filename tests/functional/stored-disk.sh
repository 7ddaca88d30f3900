# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots of disks without a guest, for the tests of what becomes of them.
#
#   store_disks ID NAME UUID [XML] -- TARGET FILE FORMAT [SOURCE]…   see store-disk.c
#   make_disk FILE MIB        a disk with data of many kinds, zeros, holes, and an odd end
#   plain_foresnap ARG…       foresnap without libvirt; $REPO is its repository
#   flip_byte FILE OFFSET     turn the byte around

_build=$(cd "${top_builddir:?source functions.sh first}" && pwd)

store_disks ()
{
    "$_build/tests/functional/store-disk" "$REPO" "$@"
}

make_disk ()
{
    local i
    truncate -s "$2M" "$1"
    truncate -s +1536 "$1"
    dd if=/dev/urandom of="$1" bs=64K count=40 seek=3 conv=notrunc status=none
    for ((i = 1; i < 40; i++)); do
        printf 'granule %d of a scattered kind' "$i" |
            dd of="$1" bs=4096 seek=$((1000 + 7 * i)) conv=notrunc status=none
    done
    printf 'at the very end' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 15)) conv=notrunc status=none
}

plain_foresnap ()
{
    "$_build/run" "$_build/foresnap" -r "$REPO" "$@"
}

flip_byte ()
{
    local byte
    byte=$(od -An -N1 -tu1 -j "$2" "$1")
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((byte ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
