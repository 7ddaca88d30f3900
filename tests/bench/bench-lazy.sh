#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-lazy.sh [--sizes "MIB…"] [--rounds N] [--out PREFIX]
#
# A lazy restore beside a full one, of a disk with so much data, as a new domain that is
# started, and beside libvirt's bare start of the original, which neither can undercut:
# interleaved in one run on one private libvirt.
#   --sizes     of the data, default "64 512 2048"     --rounds  of each, default 5
#   --out       PREFIX.json (a line per round) and PREFIX.md (medians and ranges); default
#               bench-lazy
# Needs root and top_builddir, e.g. run by hand in a build folder. All times are in
# microseconds from the start of the command on:
#   running_us    until the domain runs             read_us   until the guest's first read
#   heartbeat_us  until its first heartbeat, that is, it has booted and has used its disk
#   whole_us      until the disk needs nobody any more
. "${top_srcdir:-$(dirname "$0")/../..}"/tests/functional/snapshot.sh
. "$top_srcdir"/tests/functional/stored-disk.sh

sizes="64 512 2048"
rounds=5
out=bench-lazy
while [ $# -gt 0 ]; do
    case $1 in
    --sizes) sizes=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --out) out=$2; shift ;;
    *) sed -n '3,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done

monotonic_us ()
{
    perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e 'printf "%d\n", 1e6 * clock_gettime(CLOCK_MONOTONIC)'
}

no_fill ()
{
    [ -z "$(find "$STATE/fill" -name '*.journal' 2>/dev/null)" ]
}

first_read ()
{
    read_us=$(json "$(foresnap --json status)" domains.0.fill.disks.0.first_read_us 2>/dev/null) &&
        [ "$read_us" -gt 0 ]
}

# bare SIZE NUMBER
bare ()
{
    local began
    began=$(now_us)
    guest_virsh start one >/dev/null || fail "no start"
    printf '{"variant":"bare start","size":%d,"round":%d,"running_us":%d}\n' "$1" "$2" $(($(now_us) - began)) |
        tee -a "$out.json"
    guest_virsh destroy one >/dev/null
}

# round VARIANT SIZE NUMBER
round ()
{
    local variant=$1 size=$2 number=$3 option='' began begun_mono running whole heartbeat read_us=0
    [ "$variant" = full ] || option=--lazy
    began=$(now_us)
    begun_mono=$(monotonic_us)
    # shellcheck disable=SC2086
    foresnap -q --json restore "$id" $option --as new --dir "$IMAGES" --disks-only --start \
        >"$PRIVATE_LIBVIRT/document" || fail "no restore"
    running=$(json "$(cat "$PRIVATE_LIBVIRT/document")" running_us)
    whole=$(($(now_us) - began))
    if [ "$variant" = lazy ]; then
        wait_until 60 first_read || fail "the guest reads nothing"
        read_us=$((read_us - begun_mono))
        wait_until 300 no_fill || fail "it is not filled"
        whole=$(($(now_us) - began))
    fi
    heartbeat=$(($(guest_time_of_first_heartbeat_after one "$began" 60) - began))
    guest_virsh destroy new >/dev/null
    qemu-img compare -q -f qcow2 -F raw "$IMAGES/new-vda.qcow2" "$PRIVATE_LIBVIRT/then" >"$PRIVATE_LIBVIRT/differs" ||
        cmp -i 65536 "$PRIVATE_LIBVIRT/then" <(qemu-img convert -f qcow2 -O raw "$IMAGES/new-vda.qcow2" "$PRIVATE_LIBVIRT/now" &&
            cat "$PRIVATE_LIBVIRT/now") || fail "the disk differs"
    guest_virsh undefine new >/dev/null
    private_libvirt_exec sh -c "rm -f $IMAGES/new-*"
    printf '{"variant":"%s","size":%d,"round":%d,"running_us":%d,"read_us":%d,"heartbeat_us":%d,"whole_us":%d}\n' \
        "$variant" "$size" "$number" "$running" "$read_us" "$heartbeat" "$whole" | tee -a "$out.json"
}

report ()
{
    perl -MJSON::PP -ne '
        my $r = decode_json($_);
        push @{$seen{"$r->{variant}, $r->{size} MiB"}{$_}}, $r->{$_} for grep { /_us$/ } keys %$r;
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
private_libvirt_exec chmod 777 "$IMAGES"
rm -f "$out.json"
make_image ()
{
    rm -f "$PRIVATE_LIBVIRT/then"
    truncate -s "$((2 * $1))M" "$PRIVATE_LIBVIRT/then"
    dd if=/dev/urandom of="$PRIVATE_LIBVIRT/then" bs=1M count="$1" seek=8 conv=notrunc status=none
    private_libvirt_exec rm -f "$IMAGES/one-a.qcow2"
    qemu-img convert -f raw -O qcow2 "$PRIVATE_LIBVIRT/then" "$IMAGES/one-a.qcow2"
    private_libvirt_exec chmod 666 "$IMAGES/one-a.qcow2"
}
REPO=$PRIVATE_LIBVIRT/repo
make_image 64
guest_start one 128 --fill 16 --devices "$(disk_xml vda one-a.qcow2 qcow2)"
guest_virsh destroy one >/dev/null
for size in $sizes; do
    make_image "$size"
    expect_exit 0 foresnap --json snapshot one --no-memory
    id=$(json "$expect_out" snapshot)
    for number in $(seq "$rounds"); do
        for variant in $(printf 'lazy\nfull\n' | shuf); do
            round "$variant" "$size" "$number"
        done
        bare "$size" "$number"
    done
done
report | tee "$out.md"
