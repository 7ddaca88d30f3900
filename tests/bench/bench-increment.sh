#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-increment.sh [--rounds N] [--parts "scattered live"] [--folder FOLDER]
#
# scattered: what a second snapshot of a disk of 1.1 GB stores in which 5862 blocks of 4 KiB
#   (22.9 MiB) all over it have changed, beside restic and borg (also with chunks of 64 KiB);
#   and what an unchanged one stores.
# live: wall time of an incremental snapshot of 50 MiB on a disk of 4 GiB of a running guest,
#   beside virtnbdbackup's, interleaved; rounds of each, default 7.
# Needs root, top_builddir and what it compares with; a missing one is left out.
. "${top_srcdir:-$(dirname "$0")/../..}"/tests/functional/snapshot.sh

rounds=7
parts="scattered live"
folder=${TMPDIR:-/tmp}
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift ;;
    --parts) parts=$2; shift ;;
    --folder) folder=$2; shift ;;
    *) sed -n '3,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done

work=$(mktemp -d "$folder/foresnap-bench-XXXXXX")
cleanup_fn rm -rf "$work"

used ()
{
    sync -f "$1"
    du -s --block-size=1 "$1" | cut -f1
}

# Each keeps what it stores in a folder of its own: begin, and take.
begin_foresnap () { mkdir "$work/foresnap"; }
take_foresnap ()
{
    FORESNAP_REPO=$work/foresnap/repo foresnap -q --json snapshot bench >/dev/null
}

begin_restic () { RESTIC_PASSWORD=x restic init -q -r "$work/restic"; }
take_restic () { RESTIC_PASSWORD=x restic backup -q -r "$work/restic" "$work/disk.raw"; }

begin_borg () { borg init -e none "$work/borg"; }
take_borg () { borg create --compression zstd,1 "$work/borg::$1" "$work/disk.raw"; }

begin_borg64k () { borg init -e none "$work/borg64k"; }
take_borg64k ()
{
    borg create --compression zstd,1 --chunker-params fixed,65536 "$work/borg64k::$1" "$work/disk.raw"
}

# Blocks of the disk itself, elsewhere: they compress as data do.
scatter_changes ()
{
    perl -e '
        my ($path, $blocks, $seed) = @ARGV;
        srand $seed;
        open my $f, "+<", $path or die $!;
        my $size = 1_100_000_000 >> 12;
        for (1 .. $blocks) {
            my ($from, $to, $block) = (int rand $size, int rand $size);
            sysseek $f, $from << 12, 0;
            sysread $f, $block, 4096;
            substr $block, int rand 4000, 8, pack "Q", $_;
            sysseek $f, $to << 12, 0;
            syswrite $f, $block;
        }' "$work/disk.raw" 5862 "$1"
    sync -f "$work/disk.raw"
}

scattered ()
{
    local tool before tools=foresnap
    for tool in restic borg; do
        ! command -v "$tool" >/dev/null || tools+=" $tool"
    done
    [[ $tools != *borg* ]] || tools+=" borg64k"
    truncate -s 4G "$work/disk.raw"
    { tar -cf - -C / usr 2>/dev/null || :; } | head -c 1100000000 |
        dd of="$work/disk.raw" bs=1M iflag=fullblock conv=notrunc status=none || :
    chmod 711 "$work"
    guest_domain bench 96 --devices "<disk type='file' device='disk'><driver name='qemu' type='raw'/>
        <source file='$work/disk.raw'/><target dev='vda' bus='virtio'/></disk>" >"$work/bench.xml"
    guest_virsh define "$work/bench.xml" >/dev/null
    for tool in $tools; do
        "begin_$tool" >/dev/null
        "take_$tool" 1 >/dev/null
        echo "scattered: $tool: first: $(used "$work/$tool") bytes"
    done
    scatter_changes 1
    for tool in $tools; do
        before=$(used "$work/$tool")
        "take_$tool" 2 >/dev/null
        echo "scattered: $tool: 22.9 MiB changed: $(($(used "$work/$tool") - before)) bytes"
        before=$(used "$work/$tool")
        "take_$tool" 3 >/dev/null
        echo "scattered: $tool: nothing changed: $(($(used "$work/$tool") - before)) bytes"
    done
    guest_virsh undefine bench >/dev/null
}

timed ()
{
    local began
    began=$(now_us)
    "$@" >"$work/out" 2>&1 || fail "$*: $(tail -n 5 "$work/out")"
    echo $(($(now_us) - began))
}

median ()
{
    sort -n | awk '{ v[NR] = $1 } END { printf "%d (%d – %d) us\n", v[int((NR + 1) / 2)], v[1], v[NR] }'
}

peer_backup ()
{
    private_libvirt_exec virtnbdbackup -d one -l "$1" -o "$work/peer" --socketfile "$work/peer.sock" -i vda
}

live ()
{
    local number peer=
    make_disk one-a.qcow2 qcow2 4G
    chmod 777 "$work"
    guest_start one 128 --fill 16 --devices "$(disk_xml vda one-a.qcow2 qcow2)"
    guest_ask one "fill 0 16 1024 1" "FILLED" 300 >/dev/null
    ! command -v virtnbdbackup >/dev/null || peer=1
    echo "live: foresnap: full: $(timed foresnap snapshot one --no-memory) us"
    [ -z "$peer" ] || echo "live: virtnbdbackup: full: $(timed peer_backup full) us"
    for number in $(seq 1 "$rounds"); do
        guest_ask one "fill 0 $((100 + number)) 50 $((number * 2))" "FILLED" 60 >/dev/null
        timed foresnap snapshot one --no-memory >>"$work/ours"
        [ -z "$peer" ] || timed peer_backup inc >>"$work/theirs"
    done
    echo "live: foresnap: 50 MiB of 4 GiB: $(median <"$work/ours")"
    [ -z "$peer" ] || echo "live: virtnbdbackup: 50 MiB of 4 GiB: $(median <"$work/theirs")"
    guest_verify one
}

snapshot_start
for part in $parts; do
    "$part"
done
