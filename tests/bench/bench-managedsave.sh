#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench-managedsave.sh [--size MIB] [--rounds N] [--plain PCT] [--dirty PAGES]
#
# virsh managedsave to libvirt's own file beside the same through foresnap-savefs, and the
# starts from both, interleaved in one run on one private libvirt. The guest writes to DIRTY
# pages with each heartbeat; PCT of each page is compressible.
#   --size    of the guest, default 512          --rounds  of each, default 5
#   --plain   default 50                         --dirty   default 20
# Prints medians and ranges: seconds of the save and of the start (until it returns), bytes on
# disk of the first save and of the later ones. Needs root and top_builddir.
. "${top_srcdir:-$(dirname "$0")/../..}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
. "$top_srcdir"/tests/functional/savefs.sh

size=512 rounds=5 plain=50 dirty=20
while [ $# -gt 0 ]; do
    case $1 in
    --size) size=$2 ;;
    --rounds) rounds=$2 ;;
    --plain) plain=$2 ;;
    --dirty) dirty=$2 ;;
    *) sed -n '3,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift 2
done

stored_bytes ()
{
    du -sB1 "$PRIVATE_LIBVIRT/repo" | cut -f1
}

# one_round VARIANT ROUND : appends "VARIANT ROUND SAVE_US BYTES START_US"
one_round ()
{
    local began saved started bytes before=0
    [ "$1" = file ] || before=$(stored_bytes)
    sync
    began=$(now_us)
    guest_virsh managedsave web >/dev/null
    saved=$(now_us)
    if [ "$1" = file ]; then
        bytes=$(du -B1 "$(stub_path web)" | cut -f1)
    else
        await_savefs_state web saved
        bytes=$(($(stored_bytes) - before))
    fi
    started=$(now_us)
    guest_virsh start web >/dev/null
    echo "$1 $2 $((saved - began)) $bytes $(($(now_us) - started))" >>"$TEST_DIR/rounds"
    guest_verify web
}

# summary VARIANT COLUMN ROUNDS DIVISOR
summary ()
{
    awk -v v="$1" -v c="$2" -v r="$3" '$1 == v && (r == "all" || (r == "first") == ($2 == 1)) { print $c }' \
        "$TEST_DIR/rounds" | sort -n | awk -v d="$4" '{ x[NR] = $1 / d }
        END { printf "%.2f (%.2f-%.2f)", x[int((NR + 1) / 2)], x[1], x[NR] }'
}

private_libvirt_requires
guest_requires
savefs_requires
test_dir
private_libvirt_start
guest_start web "$size" --plain "$plain" --disk
guest_ask web "dirty $dirty" ' DIRTY' 60 >/dev/null
for ((round = 1; round <= rounds; round++)); do
    foresnap savefs disable web >/dev/null
    one_round file "$round"
    foresnap savefs enable web >/dev/null
    one_round foresnap "$round"
    await_savefs_state web ready
done
echo "guest of $size MiB, $plain % compressible, $dirty pages written with each heartbeat; load $(cut -d' ' -f1 /proc/loadavg)"
for variant in file foresnap; do
    echo "$variant: save $(summary $variant 3 all 1000000) s, start $(summary $variant 5 all 1000000) s," \
        "first $(summary $variant 4 first 1048576) MiB, later $(summary $variant 4 later 1048576) MiB"
done
