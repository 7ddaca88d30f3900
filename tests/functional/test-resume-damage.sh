#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A damaged repository. What is found before the guest runs is refused by name and the state
# is kept; what is found later makes the guest wait until it is mended; and a damaged copy of
# the working set costs nothing but time. Never does the guest see a wrong byte.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow
guest_start one 192 --fill 96
cycle one # teaches a working set
expect_exit 0 foresnap suspend one
snapshot=$(newest)

# flip FILE [OFFSET] : changes a byte, by default in the middle. A second flip puts it back.
flip ()
{
    local offset=${2:-$(($(stat -c %s "$1") / 2))} byte
    byte=$(od -An -tu1 -N1 -j "$offset" "$1")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 255)))" |
        dd of="$1" bs=1 seek="$offset" conv=notrunc status=none
}

# refused FILE : the resume is, it says because of what, and the state is as before.
refused ()
{
    expect_exit 1 foresnap resume one
    [[ $expect_err == *"${1##*/}"* ]] || fail "damage of $1 is not named: $expect_err"
    off one || fail "the guest is $(reason one) in spite of damage of $1"
    ! has_mark "$snapshot" claim && ! has_mark "$snapshot" ran || fail "the state was touched"
    ! guest_virsh start one 2>/dev/null || fail "the domain was booted over its memory"
}

objects ()
{
    local id
    id=$(perl -MJSON::PP -ne 'print $1 if /"device_state"/ .. /}/ and /"object" : "(\w+)"/' \
        "$REPO/manifests/$snapshot")
    ls "$REPO/manifests/$snapshot" "$REPO/objects/${id:0:2}/$id"
    id=$(perl -ne 'print $1 if /"image" : "(\w+)"/' "$REPO/manifests/$snapshot")
    ls "$REPO/roots/${id:0:2}/$id"
}

mapfile -t objects < <(objects)
expect_equal "${#objects[@]}" 3 "the number of objects to be damaged"

echo "flipped bytes in small objects"
for file in "${objects[@]}"; do
    flip "$file"
    refused "$file"
    flip "$file"
done

echo "missing and truncated objects"
index=$(find "$REPO/indexes" -type f -newer "$REPO/superblock" -printf '%T@ %p\n' | sort -n | tail -n 1)
pack=$(find "$REPO/packs" -type f -printf '%s %p\n' | sort -n | tail -n 1)
for file in "${objects[@]:1}" "${index#* }" "${pack#* }"; do
    mv "$file" "$PRIVATE_LIBVIRT/kept"
    refused "$file"
    head -c "$(($(stat -c %s "$PRIVATE_LIBVIRT/kept") - 1))" "$PRIVATE_LIBVIRT/kept" >"$file"
    refused "$file"
    mv "$PRIVATE_LIBVIRT/kept" "$file"
done

echo "a flipped byte in an index"
flip "${index#* }"
refused "${index#* }"
flip "${index#* }"

echo "a damaged copy of the working set"
sequence=$(find "$REPO/sequences" -type f -name "$snapshot*")
flip "$sequence" $(($(stat -c %s "$sequence") / 2))
expect_exit 0 foresnap resume one
wait_loaded one
guest_verify one
expect_clean

# Half of each pack is garbage: the guest soon needs a page of it, whatever it reads first.
echo "damaged packs, found while the guest loads"
expect_exit 0 foresnap suspend one
mapfile -t packs < <(find "$REPO/packs" -type f)
for file in "${packs[@]}"; do
    for i in 2 3 4 5 6; do
        flip "$file" $(($(stat -c %s "$file") * i / 8))
    done
done
expect_exit 0 foresnap resume one --mode lazy
stalled () { grep -q '"phase":"stalled"' "$STATE"/*.status; }
wait_until 20 stalled || fail "damage was not noticed: $(cat "$STATE"/*.status)"
expect_match "$(cat "$STATE"/*.status)" '"error":"[^"]*packs/[0-9a-f]{2}/' "what the status names"
expect_exit 0 foresnap status
expect_match "$expect_err" "'one' waits for its memory: .*packs/" "the status"
loading one || fail "a guest without its memory is $(reason one)"
expect_exit 75 foresnap suspend one
for file in "${packs[@]}"; do
    for i in 2 3 4 5 6; do
        flip "$file" $(($(stat -c %s "$file") * i / 8))
    done
done
wait_loaded one
guest_wait_heartbeat one 20
guest_verify one
expect_clean
