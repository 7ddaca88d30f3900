#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-suspend.sh [--sizes "MIB…"] [--rounds N] [--variants "NAME…"] [--cold] [--out PREFIX]
#
# Suspend and resume, foresnap beside virsh save and restore, interleaved in one run on
# one private libvirt; each resume is verified by the guest, page by page.
#   --sizes     guests, default "512 2048 4096"; one size may be run at a time
#   --rounds    of each variant and size, default 7, after one that is not counted
#   --variants  default "virsh prepared unprepared lazy":
#                   virsh       virsh save, virsh restore
#                   prepared    prepare, suspend, resume (predicted)
#                   unprepared  suspend, resume (predicted)
#                   lazy        prepare, suspend, resume --mode lazy
#   --cold      drop the page cache before each resume (else it is warm)
#   --out       PREFIX.json (one line per round) and PREFIX.md (medians and ranges);
#               default bench-suspend. Lines are added to an existing PREFIX.json, so
#               that sizes and caches may be run apart and end in one table.
# Needs root and top_builddir, e.g. run by "make bench". Times are in microseconds:
#   pause_us   from the last heartbeat until all was on disk (virsh: the command's end),
#              for foresnap as it says itself, which counts from the stop of the guest
#   total_us   of the suspending command     first_us   from resume to the first heartbeat
#   created_us until libvirt had the domain  loaded_us  until all memory was loaded
. "${top_srcdir:-$(dirname "$0")/../..}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh

sizes="512 2048 4096"
rounds=7
variants="virsh prepared unprepared lazy"
cache=warm
out=bench-suspend
while [ $# -gt 0 ]; do
    case $1 in
    --sizes) sizes=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --variants) variants=$2; shift ;;
    --cold) cache=cold ;;
    --out) out=$2; shift ;;
    *) sed -n '3,26s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done

foresnap ()
{
    local output
    output=$(in_libvirt timeout 600 "$top_builddir/run" "$top_builddir/foresnap" \
        -r "$PRIVATE_LIBVIRT/repo" --json "$@" 2>"$PRIVATE_LIBVIRT/foresnap.err") ||
        fail "foresnap $*: exit status $? $output $(cat "$PRIVATE_LIBVIRT/foresnap.err")"
    echo "$output"
}

settle_cache ()
{
    sync
    [ "$cache" = warm ] || echo 3 >/proc/sys/vm/drop_caches || fail "the page cache cannot be dropped here"
}

first_heartbeat ()
{
    local first
    first=$(guest_time_of_first_heartbeat_after "$1" "$2" 120)
    echo $((first - $2))
}

fully_loaded ()
{
    local reason
    reason=$(guest_virsh domstate "$1" --reason)
    [[ $reason == running* && $reason != *post-copy* ]]
}

round_virsh ()
{
    local image=$PRIVATE_LIBVIRT/bench.save began saved last total bytes first
    began=$(now_us)
    guest_virsh save "$1" "$image" >/dev/null
    saved=$(now_us)
    last=$(guest_last_heartbeat "$1" "$saved")
    total=$((saved - began))
    bytes=$(stat -c %s "$image")
    settle_cache
    began=$(now_us)
    guest_virsh restore "$image" >/dev/null
    first=$(first_heartbeat "$1" "$began")
    rm -f "$image"
    jq -nc --argjson pause $((saved - ${last%% *})) --argjson total "$total" --argjson bytes "$bytes" \
        --argjson first "$first" \
        '{pause_us: $pause, total_us: $total, bytes_stored: $bytes, first_us: $first}'
}

# round_foresnap NAME PREPARE MODE
round_foresnap ()
{
    local began first suspended resumed
    [ "$2" = 0 ] || foresnap prepare "$1" >/dev/null
    suspended=$(foresnap suspend "$1")
    settle_cache
    began=$(now_us)
    resumed=$(foresnap resume "$1" --mode "$3" --wait)
    first=$(first_heartbeat "$1" "$began")
    wait_until 120 fully_loaded "$1" || fail "the memory of $1 was not loaded"
    jq -nc --argjson s "$suspended" --argjson r "$resumed" --argjson first "$first" \
        '{pause_us: $s.pause_us, total_us: $s.total_us, bytes_read: $s.bytes_read,
          bytes_changed: $s.bytes_changed, bytes_stored: $s.bytes_stored, first_us: $first,
          created_us: $r.domain_created_us, running_us: $r.running_us, loaded_us: $r.loaded_us,
          mode: $r.mode, faults: $r.faults, working_set_pages: $r.working_set_pages}'
}

one_round ()
{
    case $1 in
    virsh) round_virsh "$2" ;;
    prepared) round_foresnap "$2" 1 predicted ;;
    unprepared) round_foresnap "$2" 0 predicted ;;
    lazy) round_foresnap "$2" 1 lazy ;;
    *) fail "unknown variant $1" ;;
    esac
}

# The order changes from round to round, so that no variant always follows the same one.
rotated ()
{
    local -a list
    read -ra list <<<"$variants"
    local shift=$(($1 % ${#list[@]}))
    echo "${list[@]:shift}" "${list[@]:0:shift}"
}

bench_size ()
{
    local mib=$1 name=bench-$1 round variant result
    guest_start "$name" "$mib"
    guest_verify "$name"
    for ((round = 0; round <= rounds; round++)); do
        for variant in $(rotated "$round"); do
            result=$(one_round "$variant" "$name")
            guest_verify "$name" 300
            private_libvirt_alive || fail "libvirtd crashed in round $round of $variant"
            echo "$mib MiB, round $round, $variant: $result" >&2
            [ "$round" = 0 ] || jq -c --arg variant "$variant" --arg cache "$cache" --arg cpu "$cpu" \
                --argjson mib "$mib" --argjson round "$round" \
                '{variant: $variant, cache: $cache, cpu: $cpu, mib: $mib, round: $round} + .' \
                <<<"$result" >>"$out.json"
        done
    done
    guest_virsh destroy "$name" >/dev/null
    guest_virsh undefine "$name" >/dev/null
    rm -rf "$PRIVATE_LIBVIRT/repo"
}

# Markdown: one table per CPU kind and cache, "median (least–most)", ratio to virsh.
table ()
{
    jq -rs '
        def median: sort | if length == 0 then null
                           elif length % 2 == 1 then .[length / 2 | floor]
                           else (.[length / 2 - 1] + .[length / 2]) / 2 end;
        def show(unit): map(select(. != null)) | if length == 0 then "–" else
            "\(median / unit * 1000 | round / 1000) (\(min / unit * 1000 | round / 1000)–\(max / unit * 1000 | round / 1000))" end;
        def ratio(key; base): (map(.[key]) | median) as $m | (base | map(.[key]) | median) as $b
            | if ($m == null) or ($b == null) or ($b == 0) then "–" else "\($m / $b * 1000 | round / 1000)" end;
        group_by([.cpu, .cache])[] | . as $part
        | "### \(.[0].cpu), \(.[0].cache) cache\n",
          "| MiB | variant | n | pause ms | × virsh | suspend s | × virsh | stored MiB | first response ms | × virsh | created ms | loaded ms | faults |",
          "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
          (group_by(.mib)[] | map(select(.variant == "virsh")) as $virsh
            | group_by(.variant)[]
            | "| \(.[0].mib) | \(.[0].variant) | \(length) | \(map(.pause_us) | show(1000)) | \(ratio("pause_us"; $virsh)) | \(map(.total_us) | show(1000000)) | \(ratio("total_us"; $virsh)) | \(map(.bytes_stored) | show(1048576)) | \(map(.first_us) | show(1000)) | \(ratio("first_us"; $virsh)) | \(map(.created_us) | show(1000)) | \(map(.loaded_us) | show(1000)) | \(map(.faults) | show(1)) |"),
          ""' "$out.json"
}

private_libvirt_requires
guest_requires
if kvm_works; then cpu=KVM; else cpu="software emulation (TCG)"; fi
userfaultfd_allow
private_libvirt_start
for mib in $sizes; do
    bench_size "$mib"
done
table | tee "$out.md"
