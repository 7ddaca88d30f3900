#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A suspend state is used once, by one, over the disks and on the machine that it belongs
# to. Whatever else is tried is refused with its reason, and leaves the state as it was.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow
guest_start one 192 --fill 96 --disk
disk=$PRIVATE_LIBVIRT/guests/one.qcow2

# refused TARGET WHY : the resume is refused for that reason.
refused ()
{
    expect_exit 1 foresnap resume "$1"
    expect_match "$expect_err" "$2" "the refusal"
}

# still_suspended : off, guarded, and with a state that has not been touched.
still_suspended ()
{
    off one || fail "the guest is $(reason one)"
    has_mark "$snapshot" armed && ! has_mark "$snapshot" ran && ! has_mark "$snapshot" consumed ||
        fail "the state is marked: $(ls "$REPO/marks")"
    ! guest_virsh start one 2>/dev/null || fail "the domain was booted over its memory"
}

suspended ()
{
    expect_exit 0 foresnap suspend one
    snapshot=$(newest)
}

echo "a running domain"
refused one "not suspended by foresnap"
refused nobody "cannot resume 'nobody'"

echo "a disk that was written meanwhile"
suspended
cp -a "$disk" "$disk.kept"
qemu-io -f qcow2 -c "write -P 7 32M 64k" "$disk" >/dev/null
refused one "disk .*one.qcow2"
expect_match "$expect_err" "cannot resume 'one'" "the refusal"
still_suspended

echo "a disk that is gone, and one in its place"
mv "$disk" "$disk.away"
refused one "disk .*one.qcow2"
still_suspended
cp -a "$disk.kept" "$disk"
refused one "disk .*one.qcow2"
still_suspended
expect_exit 0 foresnap discard one
now=$(now_us)
guest_virsh start one >/dev/null
guest_await one "$now" ' READY pages=' 60 >/dev/null

echo "claimed by another host"
suspended
# The other host shares the repository, and dies as soon as it has claimed the state.
# shellcheck disable=SC2016
expect_exit 137 private_libvirt_exec unshare --uts sh -c 'hostname elsewhere; exec "$@"' sh \
    env FORESNAP_TEST_KILL_AT=claimed FORESNAP_STATE_DIR="$PRIVATE_LIBVIRT/elsewhere" \
    FORESNAP_REPO="$REPO" "$_foresnap_dir/foresnap" resume one
refused one "host 'elsewhere' is resuming it"
still_suspended
expect_exit 0 foresnap recover
expect_match "$expect_out" "nothing to recover" "what this host recovers"
refused one "host 'elsewhere' is resuming it"
# Whoever knows that the other host is gone may say so.
expect_exit 0 foresnap resume one --take-over
wait_loaded one
guest_verify one

echo "a domain whose memory has another size"
suspended
guest_virsh dumpxml one --inactive >"$PRIVATE_LIBVIRT/as-it-was.xml"
sed -E "s/<(memory|currentMemory) unit='KiB'>[0-9]+/<\1 unit='KiB'>262144/" \
    "$PRIVATE_LIBVIRT/as-it-was.xml" >"$PRIVATE_LIBVIRT/bigger.xml"
guest_virsh define "$PRIVATE_LIBVIRT/bigger.xml" >/dev/null
# The guest has the memory that it was suspended with; the new size is for its next boot.
expect_exit 0 foresnap resume one
wait_loaded one
guest_verify one
expect_match "$(guest_virsh dumpxml one)" "<memory unit='KiB'>196608" "the live XML"
expect_match "$(guest_virsh dumpxml one --inactive)" "<memory unit='KiB'>262144" "the XML"
guest_virsh define "$PRIVATE_LIBVIRT/as-it-was.xml" >/dev/null

echo "used already"
refused one "has been used.*virsh start"
refused "$snapshot" "running already"
guest_virsh destroy one >/dev/null
refused "$snapshot" "it has been used"
expect_match "$expect_err" "virsh start" "the way out"
refused one "has been used.*virsh start"
now=$(now_us)
guest_virsh start one >/dev/null
guest_await one "$now" ' READY pages=' 60 >/dev/null

echo "two at the same moment"
for _ in 1 2 3; do
    suspended
    statuses=
    pids=
    for i in 1 2; do
        foresnap resume one >"$PRIVATE_LIBVIRT/out.$i" 2>&1 &
        pids+=" $!"
    done
    for pid in $pids; do
        status=0
        wait "$pid" || status=$?
        statuses+="$status "
    done
    [[ $statuses =~ ^(0 (1|75)|(1|75) 0)\ $ ]] ||
        fail "two resumes ended with $statuses: $(cat "$PRIVATE_LIBVIRT"/out.?)"
    wait_loaded one
    guest_verify one
done

echo "over a manifest of another machine"
suspended
manifest=$REPO/manifests/$snapshot
cp "$manifest" "$PRIVATE_LIBVIRT/manifest"
sed 's/pc-q35-[0-9.]*/pc-q35-2.4/' "$PRIVATE_LIBVIRT/manifest" >"$manifest"
! cmp -s "$manifest" "$PRIVATE_LIBVIRT/manifest" || fail "the manifest names no machine type"
refused one "$snapshot|${snapshot:0:12}|${snapshot:0:8}"
still_suspended
cp "$PRIVATE_LIBVIRT/manifest" "$manifest"
expect_exit 0 foresnap resume one
wait_loaded one
guest_verify one
expect_clean
