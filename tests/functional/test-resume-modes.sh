#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each way to resume: the state libvirt shows, what is left of it, and the guest's memory.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow
guest_start one 256 --disk

cpu ()
{
    guest_virsh dumpxml one | sed -n '/<cpu/,/<\/cpu>/p'
}
cpu=$(cpu)
[[ $cpu == *"<model "* ]] || fail "the domain shows no CPU: $cpu"

# No trace of the resume in what libvirt knows, and the CPU is the one that was suspended.
expect_untainted ()
{
    local xml
    xml=$(guest_virsh dumpxml one)
    [[ $xml != *qemu:commandline* ]] || fail "arguments are left in the live XML"
    [[ $(guest_virsh dominfo one) != *custom-argv* ]] || fail "the domain is tainted"
    expect_equal "$(cpu)" "$cpu" "the CPU"
}

echo "the guest runs while its memory is loaded"
expect_exit 0 foresnap suspend one
begin_load one
wait_until 20 loading one || fail "the guest is $(reason one) while it is loaded"
expect_exit 75 foresnap suspend one
expect_exit 0 foresnap status --json
expect_match "$expect_out" '"state" : "(resuming|loading)"' "the status"
# Whoever could connect to these would have the guest's memory, or could give it another.
expect_equal "$(stat -c '%a %U' "$PRIVATE_LIBVIRT"/lib/qemu/foresnap-*)" "700 libvirt-qemu" \
    "whose the folder of QEMU's socket is"
expect_equal "$(find "$REPO" "$STATE" ! -type d -perm /077)" "" "what others may read"
end_load
wait_loaded one
guest_verify one
expect_clean
expect_untainted

echo "predicted, again and again"
for _ in 1 2; do
    cycle one --mode predicted
    expect_equal "$(json "$expect_out" mode)" predicted "the mode"
    [ "$(json "$expect_out" working_set_pages)" -gt 100 ] || fail "nothing was learned: $expect_out"
    [ "$(json "$expect_out" running_us)" -ge "$(json "$expect_out" domain_created_us)" ] || fail "times: $expect_out"
done
expect_clean
expect_untainted

echo "lazy"
cycle one --mode lazy --wait
expect_equal "$(json "$expect_out" mode)" lazy "the mode"
[ "$(json "$expect_out" loaded_us)" -ge "$(json "$expect_out" running_us)" ] || fail "times: $expect_out"
expect_clean

echo "eager"
cycle one --mode eager
expect_equal "$(json "$expect_out" mode)" eager "the mode"
expect_clean
expect_untainted

echo "paused"
expect_exit 0 foresnap suspend one
expect_exit 0 foresnap resume one --paused
expect_match "$(reason one)" '^paused' "the state"
expect_clean
expect_match "$(reason one)" '^paused' "the state after a while"
guest_virsh resume one >/dev/null
guest_wait_heartbeat one 20
guest_verify one
expect_untainted

echo "by the name of the snapshot"
expect_exit 0 foresnap suspend one
expect_exit 0 foresnap resume "$(newest)"
wait_loaded one
guest_verify one
expect_clean
