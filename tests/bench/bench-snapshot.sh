#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-snapshot.sh [--size MIB] [--rounds N] [--variants "NAME…"] [--out PREFIX]
#
# The pause of a live snapshot of memory and two disks, foresnap beside libvirt's external
# snapshot with memory (live) and beside save and restore, interleaved in one run on one
# private libvirt; the guest verifies its memory after each.
#   --size      of the guest, default 2048         --rounds  of each variant, default 7
#   --variants  default "foresnap external save"
#   --out       PREFIX.json (a line per round) and PREFIX.md (medians and ranges); default
#               bench-snapshot
# Needs root and top_builddir, e.g. run by hand in a build folder. Times are in microseconds:
#   pause_us  as foresnap says itself: from the stop of the guest until it ran again
#   gap_us    longest silence of the guest's heartbeat, less the beat of 20 ms
#   total_us  of the command         bytes_stored
. "${top_srcdir:-$(dirname "$0")/../..}"/tests/functional/snapshot.sh

size=2048
rounds=7
variants="foresnap external save"
out=bench-snapshot
while [ $# -gt 0 ]; do
    case $1 in
    --size) size=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --variants) variants=$2; shift ;;
    --out) out=$2; shift ;;
    *) sed -n '3,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done
BEAT_US=20000

# Each prints the members that only it knows.
run_foresnap ()
{
    foresnap -q --json snapshot one >"$PRIVATE_LIBVIRT/document" || fail "no snapshot"
    perl -MJSON::PP -0777 -ne 'my $d = decode_json($_);
        printf "\"pause_us\":%d,\"bytes_stored\":%d", $d->{pause_us}, $d->{bytes_stored}' \
        "$PRIVATE_LIBVIRT/document"
}

run_external ()
{
    guest_virsh snapshot-create-as one x --live --no-metadata --memspec "file=$IMAGES/memory,snapshot=external" \
        --diskspec "vda,file=$IMAGES/over-a" --diskspec "vdb,file=$IMAGES/over-b" >/dev/null || fail "no snapshot"
    printf '"bytes_stored":%d' "$(private_libvirt_exec stat -c %s "$IMAGES/memory")"
}

after_external ()
{
    local target
    for target in vda vdb; do
        guest_virsh blockcommit one $target --active --pivot --wait >/dev/null || fail "no commit"
    done
    private_libvirt_exec sh -c 'rm -f "$1"/over-* "$1"/memory' sh "$IMAGES"
}

run_save ()
{
    guest_virsh save one "$IMAGES/saved" >/dev/null && guest_virsh restore "$IMAGES/saved" >/dev/null ||
        fail "no save and restore"
    printf '"bytes_stored":%d' "$(private_libvirt_exec stat -c %s "$IMAGES/saved")"
}

after_save ()
{
    private_libvirt_exec rm -f "$IMAGES/saved"
}

after_foresnap ()
{
    :
}

round ()
{
    local variant=$1 number=$2 began ended members
    began=$(now_us)
    members=$("run_$variant") || exit 1
    ended=$(now_us)
    guest_wait_heartbeat one 60
    local gap=$(($(guest_max_gap one "$began" "$(now_us)") - BEAT_US))
    "after_$variant"
    guest_verify one 120
    printf '{"variant":"%s","size":%d,"round":%d,"gap_us":%d,"total_us":%d,%s}\n' "$variant" "$size" \
        "$number" "$gap" $((ended - began)) "$members" | tee -a "$out.json"
}

report ()
{
    perl -MJSON::PP -ne '
        my $r = decode_json($_);
        next if $r->{round} == 0;
        push @{$seen{$r->{variant}}{$_}}, $r->{$_} for grep { /_us$|bytes/ } keys %$r;
        END {
            print "| variant | n | member | median | range |\n|---|---|---|---|---|\n";
            for my $v (sort keys %seen) {
                for my $m (sort keys %{$seen{$v}}) {
                    my @s = sort { $a <=> $b } @{$seen{$v}{$m}};
                    printf "| %s | %d | %s | %d | %d – %d |\n", $v, scalar @s, $m, $s[$#s / 2], $s[0], $s[-1];
                }
            }
        }' "$out.json"
}

snapshot_start
rm -f "$out.json"
guest_with_disks one "$size"
private_libvirt_exec chmod 777 "$IMAGES"
for number in $(seq 0 "$rounds"); do
    order=$(tr ' ' '\n' <<<"$variants" | shuf)
    for variant in $order; do
        round "$variant" "$number"
    done
done
report | tee "$out.md"
