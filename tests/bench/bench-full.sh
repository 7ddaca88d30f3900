#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-full.sh [--rounds N] [--parts "full restore"] [--bytes N] [--folder FOLDER]
#
# full: wall time of a first snapshot of a running guest's disk with 1.1 GB of data, durable, each
#   into a new repository, beside a full virtnbdbackup and a first restic backup of the same
#   image; interleaved.
# restore: wall time of putting such a disk back as qcow2, beside qemu-img convert of the same
#   image.
# Default: 5 rounds of 1100000000 bytes. Needs root, top_builddir and what it compares with; a missing one is left out.
. "${top_srcdir:-$(dirname "$0")/../..}"/tests/functional/snapshot.sh

rounds=5
parts="full restore"
bytes=1100000000
folder=${TMPDIR:-/tmp}
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift ;;
    --parts) parts=$2; shift ;;
    --bytes) bytes=$2; shift ;;
    --folder) folder=$2; shift ;;
    *) sed -n '3,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done

work=$(mktemp -d "$folder/foresnap-bench-XXXXXX")
cleanup_fn rm -rf "$work"
chmod 777 "$work"

# Programs of this host: they compress as data do.
make_image ()
{
    truncate -s 4G "$work/disk.raw"
    { tar -cf - -C / usr 2>/dev/null || :; } | head -c "$bytes" |
        dd of="$work/disk.raw" bs=1M iflag=fullblock conv=notrunc status=none || :
    qemu-img convert -O qcow2 "$work/disk.raw" "$IMAGES/one-a.qcow2"
    chmod 666 "$IMAGES/one-a.qcow2"
}

# timed NAME COMMAND… : adds the milliseconds to the times of NAME
timed ()
{
    local name=$1 began
    shift
    began=$(now_us)
    "$@" >"$work/out" 2>&1 || fail "$*: $(tail -n 5 "$work/out")"
    sync -f "$work"
    echo $((($(now_us) - began) / 1000)) >>"$work/times.$name"
}

report ()
{
    local name
    for name in "${@:2}"; do
        [ ! -e "$work/times.$name" ] || sort -n "$work/times.$name" |
            awk -v what="$1: $name" '{ v[NR] = $1 } END {
                printf "%s: %d ms (%d – %d)\n", what, v[int((NR + 1) / 2)], v[1], v[NR] }'
    done
}

take_foresnap ()
{
    FORESNAP_REPO=$work/repo.$1 foresnap -q snapshot one --no-memory
}

take_restic ()
{
    RESTIC_PASSWORD=x restic init -q -r "$work/restic.$1" &&
        RESTIC_PASSWORD=x restic backup -q -r "$work/restic.$1" "$work/disk.raw"
}

take_virtnbdbackup ()
{
    private_libvirt_exec virtnbdbackup -d one -l full -o "$work/peer.$1" --socketfile "$work/peer.sock" -i vda &&
        guest_virsh checkpoint-list one --name | while read -r name; do
            [ -z "$name" ] || guest_virsh checkpoint-delete one "$name" >/dev/null
        done
}

full ()
{
    local number tool tools=foresnap
    for tool in virtnbdbackup restic; do
        ! command -v $tool >/dev/null || tools+=" $tool"
    done
    guest_start one 128 --fill 16 --devices "$(disk_xml vda one-a.qcow2 qcow2)"
    guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
    for number in $(seq "$rounds"); do
        for tool in $(tr ' ' '\n' <<<"$tools" | shuf); do
            timed "$tool" "take_$tool" "$number"
            rm -rf "$work"/{repo,restic,peer}."$number"
        done
    done
    # shellcheck disable=SC2086
    report full $tools
    guest_virsh destroy one >/dev/null
    guest_virsh undefine one >/dev/null
}

put_back ()
{
    foresnap -q restore "$1" --no-keep
}

restore ()
{
    local number
    # As the guest has left it.
    qemu-img convert -O raw "$IMAGES/one-a.qcow2" "$work/disk.raw"
    guest_domain one 128 --devices "$(disk_xml vda one-a.qcow2 qcow2)" >"$work/one.xml"
    guest_virsh define "$work/one.xml" >/dev/null
    snapshot --no-memory
    for number in $(seq "$rounds"); do
        timed restore put_back "$snapshot"
        rm -f "$work/copy.qcow2"
        timed convert qemu-img convert -O qcow2 -W -m 8 "$work/disk.raw" "$work/copy.qcow2"
    done
    report restore restore convert
    qemu-img compare -q -f qcow2 -F raw "$IMAGES/one-a.qcow2" "$work/disk.raw" || fail "the disk is not as it was"
    guest_virsh undefine one >/dev/null
}

snapshot_start
make_image
for part in $parts; do
    "$part"
done
