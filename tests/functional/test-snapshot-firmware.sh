#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The variable store of the firmware and the TPM's state belong to the instant: a snapshot and a
# suspend have them, a restore puts them back, and a new domain gets its own.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
code=/usr/share/OVMF/OVMF_CODE_4M.fd
requires "OVMF is not installed" test -e "$code"
requires "swtpm is not installed" swtpm --version
requires "swtpm_setup is not installed" command -v swtpm_setup
snapshot_start
nvram=$IMAGES/one_VARS.fd
cp /usr/share/OVMF/OVMF_VARS_4M.fd "$nvram"
chmod 666 "$nvram"
make_disk one-a.qcow2 qcow2 64M
tpms=$PRIVATE_LIBVIRT/lib/swtpm
guest_console one
guest_domain one 192 --fill 20 --domain "<genid>3e3fce45-4f53-4fa7-bb32-11f34168b82b</genid>" --devices \
    "$(disk_xml vda one-a.qcow2 qcow2)<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>" |
    sed "s,<kernel>,<loader readonly='yes' type='pflash'>$code</loader><nvram>$nvram</nvram><kernel>," \
    >"$PRIVATE_LIBVIRT/one.xml"
guest_virsh define "$PRIVATE_LIBVIRT/one.xml" >/dev/null
guest_virsh start one >/dev/null
guest_wait_heartbeat one 120
tpm=$tpms/$(guest_virsh domuuid one | tr -d '\n')/tpm2
cp "$nvram" "$PRIVATE_LIBVIRT/nvram.boot"

# write_nvram PATTERN : through the node that QEMU has of it
write_nvram ()
{
    qmp one '{"execute":"human-monitor-command","arguments":{"command-line":
        "qemu-io libvirt-pflash1-format \"write -P '"$1"' 0x60000 4k\""}}' | grep -q error &&
        fail "the variable store was not written"
    ! cmp -s "$nvram" "$PRIVATE_LIBVIRT/nvram.boot" || fail "the variable store is as before"
}

# note NAME : what there is now
note ()
{
    mkdir -p "$PRIVATE_LIBVIRT/$1"
    cp "$nvram" "$PRIVATE_LIBVIRT/$1/nvram"
    cp "$tpm/tpm2-00.permall" "$PRIVATE_LIBVIRT/$1/permall"
}

is_as ()
{
    cmp "${2:-$nvram}" "$PRIVATE_LIBVIRT/$1/nvram" || fail "the variable store is not as $1"
    cmp "${3:-$tpm}/tpm2-00.permall" "$PRIVATE_LIBVIRT/$1/permall" || fail "the TPM is not as $1"
}

# spoil : what there is is changed while the domain is off
spoil ()
{
    printf 'another instant' | dd of="$nvram" bs=1 seek=4096 conv=notrunc status=none
    printf 'another instant' | dd of="$tpm/tpm2-00.permall" bs=1 seek=1000 conv=notrunc status=none
    note spoilt
}

echo "of a running guest"
write_nvram 0x11
note instant
snapshot
first=$snapshot
expect_json "$expect_out" resources.2.kind nvram
expect_match "$(json "$expect_out" resources.2.reason)" "from QEMU" "how it was read"
expect_json "$expect_out" resources.3.kind tpm
expect_as_before one
write_nvram 0x22
snapshot --no-memory
expect_as_before one
cp "$nvram" "$PRIVATE_LIBVIRT/nvram.second"
second=$snapshot

echo "put back with what was there kept"
expect_exit 0 guest_virsh destroy one
spoil
touch "$tpm/tpm2-00.volatilestate"
expect_exit 0 foresnap --json restore "$first" --disks-only
kept=$(json "$expect_out" kept)
is_as instant
expect_equal "$(stat -c %U:%a "$tpm/tpm2-00.permall")" tss:600 "the owner of the TPM's state"
[ ! -e "$tpm/tpm2-00.volatilestate" ] || fail "state of another instant is left"
! guest_virsh dumpxml one --inactive | grep -q 3e3fce45 || fail "the generation id is the old one"
expect_exit 0 foresnap restore "$kept" --no-keep
is_as spoilt
expect_exit 0 foresnap restore "$second" --no-keep --disk vda
is_as spoilt
expect_exit 0 foresnap restore "$second" --no-keep
cmp "$nvram" "$PRIVATE_LIBVIRT/nvram.second"

echo "killed in the midst"
spoil
FORESNAP_TEST_FAIL_AT=replacing expect_exit 1 foresnap restore "$first" --no-keep --disks-only
[ -n "$(find "$tpm" -name '*foresnap*')" ] || fail "nothing was written yet"
expect_exit 0 foresnap recover
is_as spoilt
expect_equal "$(find "$IMAGES" "$tpm" -name '*foresnap*')" "" "what is left"
FORESNAP_TEST_KILL_AT=replacing expect_exit 137 foresnap restore "$first" --no-keep --disks-only
expect_exit 0 foresnap recover
is_as instant
expect_equal "$(find "$IMAGES" "$tpm" -name '*foresnap*')" "" "what is left"

echo "a new domain"
expect_exit 1 foresnap restore "$first" --as two --dir "$IMAGES"
expect_match "$expect_err" "--clone-tpm" "the refusal"
expect_exit 2 foresnap restore "$first" --clone-tpm
expect_exit 0 foresnap restore "$first" --as two --dir "$IMAGES" --disks-only
expect_match "$expect_err" "TPM is new" "the warning"
cmp "$IMAGES/two-nvram.fd" "$PRIVATE_LIBVIRT/instant/nvram"
guest_virsh dumpxml two --inactive | grep -q "two-nvram.fd" || fail "it has the original's variable store"
[ ! -e "$tpms/$(guest_virsh domuuid two | tr -d '\n')" ] || fail "it has a TPM already"
chmod 777 "$IMAGES"
expect_exit 0 foresnap restore "$first" --as three --dir "$IMAGES" --clone-tpm
expect_equal "$(guest_virsh domstate three)" running "the state of the new domain"
clone=$tpms/$(guest_virsh domuuid three | tr -d '\n')/tpm2
[ "$clone" != "$tpm" ] || fail "both have one TPM"
[ -s "$clone/tpm2-00.permall" ] || fail "it has no TPM"
# QEMU writes it from the guest's memory, which has not seen what was written to the node.
wait_until 60 no_journal || fail "its memory is still loaded"
wait_until 20 cmp -s "$IMAGES/three-nvram.fd" "$PRIVATE_LIBVIRT/nvram.boot" ||
    fail "the variable store is not that of the memory"
is_as instant
guest_virsh destroy three >/dev/null

echo "with its memory"
spoil
expect_exit 0 foresnap --json restore "$first" --no-keep
wait_loaded one 60
guest_wait_heartbeat one 30
guest_verify one
wait_until 20 cmp -s "$nvram" "$PRIVATE_LIBVIRT/nvram.boot" ||
    fail "the variable store is not that of the memory"
expect_exit 0 foresnap suspend one
note suspended
expect_exit 0 foresnap --json list one
state=$(json "$expect_out" snapshots.0.snapshot)
expect_exit 0 foresnap --json show "$state"
expect_match "$expect_out" '"nvram"' "what the suspend has"
expect_match "$expect_out" tpm2-00.permall "what the suspend has"
expect_exit 0 foresnap resume one --wait
guest_wait_heartbeat one 30
expect_exit 0 foresnap verify --all --read-data
expect_exit 0 foresnap gc --grace 0
expect_exit 0 foresnap verify --all --read-data
private_libvirt_alive
