#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-disk.sh [--image FILE] [--rounds N] [--folder FOLDER]
#
# A full capture of a disk with 1.1 GB of data (or of the raw FILE), durable, beside what copies
# or backs up the same disk, interleaved in one run with a warm cache: nbdcopy and qemu-img
# convert (copy only), restic and borg (where installed), and zstd -1 of the data (processor
# time only). Prints one line per round, then the medians: wall seconds, processor seconds of
# the client, bytes stored. Needs qemu-utils and libnbd-bin.
set -euo pipefail
: "${top_builddir:?run by hand: top_builddir=build/main bash tests/bench/bench-disk.sh}"

image=
rounds=3
folder=${TMPDIR:-/tmp}
while [ $# -gt 0 ]; do
    case $1 in
    --image) image=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --folder) folder=$2; shift ;;
    *) sed -n '3,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done

work=$(mktemp -d "$folder/foresnap-bench-XXXXXX")
server=
finish ()
{
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

# A file system of this host's programs, if no image is given.
if [ -z "$image" ]; then
    image=$work/disk.raw
    truncate -s 4G "$image"
    tar -cf - -C / usr 2>/dev/null | head -c 1100000000 | dd of="$image" bs=1M iflag=fullblock conv=notrunc status=none || true
fi

socket=$work/nbd.sock
qemu-nbd --fork --persistent --read-only --shared=8 -f raw -k "$socket" --pid-file="$work/pid" "$image"
server=$(cat "$work/pid")
uri="nbd+unix:///?socket=$socket"

stored ()
{
    du -s --block-size=1 "$1" | cut -f1
}

# timed NAME PLACE COMMAND… : wall and processor seconds, and the bytes in PLACE; all of it
# durable, as ours is.
timed ()
{
    local name=$1 place=$2
    shift 2
    TIMEFORMAT='%R %U %S'
    { time { "$@" >/dev/null 2>"$work/errors" && sync -f "$work"; }; } 2>"$work/time" ||
        { cat "$work/errors" >&2; exit 1; }
    awk -v name="$name" -v bytes="$([ -e "$place" ] && stored "$place" || echo 0)" \
        '{ printf "%s %.3f %.3f %s\n", name, $1, $2 + $3, bytes }' "$work/time"
}

one_round ()
{
    rm -rf "$work"/out.* "$work"/repo.*
    "$top_builddir/tests/bench/bench-disk" "$socket" "$work/repo.foresnap" zstd |
        awk '{ print "foresnap", $1, $2, $4 }'
    timed nbdcopy "$work/out.nbdcopy" nbdcopy "$uri" "$work/out.nbdcopy"
    timed qemu-img "$work/out.qcow2" qemu-img convert -f raw -O qcow2 "$uri" "$work/out.qcow2"
    timed zstd-1 "$work/out.zst" zstd -1 -q -f "$image" -o "$work/out.zst"
    if command -v restic >/dev/null; then
        RESTIC_PASSWORD=x restic -q -r "$work/repo.restic" init
        timed restic "$work/repo.restic" env RESTIC_PASSWORD=x restic -q -r "$work/repo.restic" backup "$image"
    fi
    if command -v borg >/dev/null; then
        borg init -e none "$work/repo.borg"
        timed borg "$work/repo.borg" borg create --sparse --compression zstd,1 "$work/repo.borg::one" "$image"
    fi
}

cat "$image" >/dev/null
for round in $(seq "$rounds"); do
    one_round | sed "s/^/$round /" | tee -a "$work/lines"
done
echo "medians: name, wall s, processor s, bytes stored"
cut -d' ' -f2 "$work/lines" | sort -u | while read -r name; do
    for column in 3 4 5; do
        awk -v n="$name" -v c="$column" '$2 == n { print $c }' "$work/lines" | sort -n |
            sed -n "$((rounds / 2 + 1))p"
    done | paste -sd' ' | sed "s/^/$name /"
done
