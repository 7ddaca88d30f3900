#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a snapshot keeps is what the domain's policy, or --profile, says; a dry run says the same,
# and why; and the snapshot itself tells it.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
guest_with_disks one 128 --fill 40
# Else its own record of the time is another one at each look.
guest_ask one "disk-every 1000000" "DISK-EVERY" 10 >/dev/null

# decision KIND [NAME] : of the document of the last command, as "level mode left_out reason"
decision ()
{
    perl -MJSON::PP -e 'for (@{decode_json($ARGV[0])->{granularity}{decisions}}) {
        next unless $_->{kind} eq $ARGV[1] && ($_->{name} // "") eq ($ARGV[2] // "");
        print join("|", $_->{level}, $_->{mode} // "", $_->{left_out} // "", $_->{reason}), "\n" }' \
        "$expect_out" "$@"
}

# A guest that is stopped for a moment has QEMU write all that belongs to its images.
expect_same ()
{
    guest_virsh suspend one >/dev/null
    guest_virsh resume one >/dev/null
    expect_disk "$@"
}

echo "without a policy: detailed"
expect_exit 0 foresnap snapshot one --dry-run
expect_match "$expect_out" "by profile 'detailed'" "the plan"
snapshot
expect_json "$expect_out" profile detailed
expect_json "$expect_out" memory background
expect_match "$(decision memory)" "^detailed\|\|\|the profile has no thresholds" "the decision"

echo "standard: no memory; disks by what has changed"
guest_ask one "scatter 0 20 7" "SCATTERED" 30 >/dev/null
expect_exit 0 foresnap policy one set profile=standard
expect_exit 0 foresnap --json snapshot one --dry-run
plan=$(decision disk vda)
expect_json "$expect_out" memory none
expect_match "$plan" "^standard\|incremental\|" "the plan"
snapshot
expect_equal "$(decision disk vda)" "$plan" "what was done"
expect_json "$expect_out" memory none
expect_json "$expect_out" resources.0.reason "profile 'standard': level standard keeps no memory"
expect_same "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_exit 0 foresnap --json show "$snapshot"
expect_json "$expect_out" profile standard
expect_json "$expect_out" manifest.granularity.profile standard
expect_exit 0 foresnap explain "$snapshot"
text=$(tr '\n' ' ' <<<"$expect_out")
expect_match "$text" "Profile 'standard' was used\." "the explanation"
expect_match "$text" "Disk vda: mode incremental; mode-rule=rate: disk.full-above is off\." "the explanation"
expect_match "$text" "will lack something: the guest's memory is not in it \(profile 'standard'" "the explanation"

echo "excluded disks, unless they are asked for"
expect_exit 0 foresnap policy one set "disk.exclude=target:vdb"
snapshot
expect_json "$expect_out" disks.1.skipped "the profile excludes target:vdb"
expect_match "$(decision disk vdb)" "^standard\|\|the profile excludes target:vdb" "the decision"
expect_exit 0 foresnap --json explain "$snapshot"
expect_json "$expect_out" lacks.1 "disk vdb is not in it (the profile excludes target:vdb)"
expect_exit 0 foresnap --json snapshot one --disk vdb
expect_json "$expect_out" disks.0.skipped "not asked for"
expect_same "$(json "$expect_out" snapshot)" vdb "$IMAGES/one-b.raw" raw

echo "--profile counts instead of the policy; raw reads in full, and the next one is incremental"
guest_ask one "scatter 1 20 8" "SCATTERED" 30 >/dev/null
snapshot --profile raw --no-memory
expect_json "$expect_out" profile raw
expect_json "$expect_out" disks.0.mode full
expect_json "$expect_out" disks.0.reason "level raw: it is read without the help of a bitmap"
expect_same "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_same "$snapshot" vdb "$IMAGES/one-b.raw" raw
guest_ask one "scatter 0 20 9" "SCATTERED" 30 >/dev/null
snapshot --profile detailed --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_same "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2

echo "a disk that changes more than the profile's limit"
expect_exit 0 foresnap policy one unset
expect_exit 0 foresnap policy one set memory.base=minimal disk.full-above=1/s
guest_ask one "scatter 0 20 10" "SCATTERED" 30 >/dev/null
snapshot
expect_json "$expect_out" disks.0.mode full
expect_match "$(json "$expect_out" disks.0.reason)" "mode-rule=rate: it changes by .*/s, not less than 1 B/s" "the reason"
expect_same "$snapshot" vda "$IMAGES/one-a.qcow2" qcow2
expect_exit 0 foresnap explain "$snapshot"
expect_match "$expect_out" "with memory.base=minimal," "the explanation"

echo "minimal: the configuration only"
snapshot --profile minimal
expect_json "$expect_out" memory none
expect_json "$expect_out" disks.0.skipped "level minimal takes no disks"
expect_json "$expect_out" bytes_read 0
expect_as_before one
expect_exit 1 foresnap restore "$snapshot" --as two --dir "$IMAGES"
expect_match "$expect_err" "has no disks" "the refusal"
expect_exit 0 foresnap verify "$snapshot"

echo "a policy that cannot be used, and a profile that there is not"
guest_virsh metadata one urn:foresnap:policy:1 --config --key foresnap --set "<policy profil='x'/>" >/dev/null
expect_exit 0 foresnap snapshot one --dry-run
expect_match "$expect_err" "policy of domain 'one' cannot be used, so profile 'detailed' is" "the warning"
snapshot --no-memory
expect_match "$expect_err" "cannot be used" "the warning"
expect_exit 1 foresnap snapshot one --profile standrad
expect_match "$expect_err" "did you mean 'standard'" "the refusal"

echo "a domain that is off; what is kept before a restore is whole"
expect_exit 0 foresnap policy one unset
expect_exit 0 foresnap policy one set profile=standard
snapshot
last=$snapshot
expect_exit 0 foresnap policy one set "disk.exclude=target:vda"
guest_ask one "scatter 0 20 11" "SCATTERED" 30 >/dev/null
guest_virsh destroy one >/dev/null
cp "$IMAGES/one-a.qcow2" "$IMAGES/before.qcow2"
snapshot
expect_json "$expect_out" disks.0.skipped "the profile excludes target:vda"
expect_exit 0 foresnap --json restore "$last"
expect_disk "$(json "$expect_out" kept)" vda "$IMAGES/before.qcow2" qcow2
private_libvirt_alive
