#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-writes.sh [--rounds N] [--blocks N] [--disk MIB] [--parts "writes growth"] [--sizes "MIB…"]
#
# writes: direct writes of 4 KiB of a guest, scattered over a disk of --disk (1024) MiB, a second: with no
#   record of changes in QEMU, with one, while all of the disk is read (as fast as can be), and
#   while what has changed is (at 16 MiB a second, to last); interleaved. Prints the medians and
#   the medians of their ratios to the first.
# growth: the pause of a snapshot with memory, of guests of --sizes (default "512 2048 4096") MiB,
#   and how much it grows per GiB.
# Default: 7 rounds of 2000 blocks. Needs root and top_builddir.
. "${top_srcdir:-$(dirname "$0")/../..}"/tests/functional/snapshot.sh

rounds=7
blocks=2000
disk=1024
parts="writes growth"
sizes="512 2048 4096"
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift ;;
    --blocks) blocks=$2; shift ;;
    --disk) disk=$2; shift ;;
    --parts) parts=$2; shift ;;
    --sizes) sizes=$2; shift ;;
    *) sed -n '3,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done

# write_blocks SEED : writes a second
write_blocks ()
{
    local line ms
    line=$(guest_ask one "scatter 0 $blocks $1" "SCATTERED" 300)
    ms=${line##*ms=}
    echo $((blocks * 1000 / (ms > 0 ? ms : 1)))
}

# forget : QEMU records nothing of the disk any more
forget ()
{
    local name node
    node=$(qmp one '{"execute":"query-block"}' | perl -MJSON::PP -0777 -e '
        print decode_json(<STDIN>)->{return}[0]{inserted}{"node-name"}')
    for name in $(qmp one '{"execute":"query-named-block-nodes","arguments":{"flat":true}}' |
        grep -o 'foresnap-[0-9a-f]*-[0-9a-f]*' | sort -u); do
        qmp one "{\"execute\":\"block-dirty-bitmap-remove\",\"arguments\":{\"node\":\"$node\",\"name\":\"$name\"}}" >/dev/null
    done
}

median ()
{
    sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# during KIND SEED [OPTION]… : while a snapshot is read
during ()
{
    local kind=$1 seed=$2 taking
    shift 2
    foresnap -q snapshot one --no-memory "$@" &
    taking=$!
    wait_until 20 is_reading || fail "nothing is read"
    write_blocks "$seed" >>"$PRIVATE_LIBVIRT/writes.$kind"
    is_reading || echo "writes: $kind: the snapshot had ended before" >&2
    wait "$taking" || fail "no snapshot"
}

writes ()
{
    local number kind
    make_disk one-a.qcow2 qcow2 "${disk}M"
    guest_start one 128 --fill 16 --devices "$(disk_xml vda one-a.qcow2 qcow2)"
    guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null
    guest_ask one "fill 0 0 $disk 1" "FILLED" 300 >/dev/null
    foresnap -q snapshot one --no-memory
    for number in $(seq 0 "$rounds"); do
        # The first round is warming up.
        [ "$number" != 1 ] || rm -f "$PRIVATE_LIBVIRT"/writes.*
        forget
        write_blocks $((number * 4)) >>"$PRIVATE_LIBVIRT/writes.plain"
        during full $((number * 4 + 1))
        write_blocks $((number * 4 + 2)) >>"$PRIVATE_LIBVIRT/writes.tracked"
        during incremental $((number * 4 + 3)) --bandwidth 16M
    done
    echo "writes: load $(cut -d' ' -f1-3 /proc/loadavg)"
    for kind in plain tracked full incremental; do
        # The median of the rounds' ratios: what disturbs a round disturbs all of it.
        paste "$PRIVATE_LIBVIRT/writes.plain" "$PRIVATE_LIBVIRT/writes.$kind" |
            awk '{ print $2 / $1 }' >"$PRIVATE_LIBVIRT/ratios"
        echo "writes: $kind: $(median "$PRIVATE_LIBVIRT/writes.$kind") a second," \
            "$(median "$PRIVATE_LIBVIRT/ratios") of plain"
    done
    guest_verify one
    guest_virsh destroy one >/dev/null
    guest_virsh undefine one >/dev/null
}

growth ()
{
    local size name number
    for size in $sizes; do
        name=g$size # a name of its own: the console of the one before is still read
        guest_with_disks "$name" "$size"
        for number in $(seq 0 "$rounds"); do
            foresnap -q --json snapshot "$name" >"$PRIVATE_LIBVIRT/document" || fail "no snapshot"
            [ "$number" = 0 ] || json "$(cat "$PRIVATE_LIBVIRT/document")" pause_us >>"$PRIVATE_LIBVIRT/pause.$size"
        done
        echo "growth: $size MiB: pause $(median "$PRIVATE_LIBVIRT/pause.$size") us"
        echo "$size $(median "$PRIVATE_LIBVIRT/pause.$size")" >>"$PRIVATE_LIBVIRT/growth"
        guest_verify "$name"
        guest_virsh destroy "$name" >/dev/null
        guest_virsh undefine "$name" >/dev/null
    done
    # the line through the medians by least squares
    awk '{ x = $1 / 1024; n++; sx += x; sy += $2; sxx += x * x; sxy += x * $2 }
        END { if (n > 1) printf "growth: %.0f us per GiB\n", (n * sxy - sx * sy) / (n * sxx - sx * sx) }' \
        "$PRIVATE_LIBVIRT/growth"
}

snapshot_start
for part in $parts; do
    "$part"
done
