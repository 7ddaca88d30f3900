#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What cannot be suspended is refused by name, before anything is touched: no pause, no
# file, no snapshot, and the guest finds its memory as it was.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
private_libvirt_requires
guest_requires
private_libvirt_start
guest_start one 128 --fill 40

# tiny NAME [DEVICES] : XML of a domain that runs its firmware and no more
tiny ()
{
    cat <<XML
<domain type='qemu'><name>$1</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os><on_crash>preserve</on_crash>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>${2:-}</devices></domain>
XML
}

# expect_refused CODE REGEX ARG… : foresnap ARG… exits 1, says so, leaves no trace
expect_refused ()
{
    local code=$1 regex=$2
    shift 2
    expect_exit 1 foresnap --json "$@"
    expect_json "$expect_out" error.code "$code"
    expect_match "$expect_err" "$regex" "the refusal"
    expect_no_trace
}

echo "domains that are not there, off, transient"
expect_refused not-found "cannot suspend 'nobody': " suspend nobody
expect_refused not-found "cannot prepare 'nobody': " prepare nobody
tiny off | guest_virsh define /dev/stdin >/dev/null
expect_refused state "'off': it is shut off, not running" suspend off
expect_refused state "'off': it is shut off, not running" prepare off
expect_domain off "shut off"
tiny fleeting | guest_virsh create /dev/stdin >/dev/null
expect_refused state "'fleeting': it is transient" suspend fleeting
expect_domain fleeting running
guest_virsh destroy fleeting >/dev/null

echo "a guest that has crashed"
# All that its boot sector does is to tell the pvpanic device so: mov dx,0x505; mov al,1; out dx,al.
boot=$PRIVATE_LIBVIRT/images/panic.raw
printf '\xba\x05\x05\xb0\x01\xee\xf4\xeb\xfd' >"$boot"
truncate -s 510 "$boot"
printf '\x55\xaa' >>"$boot"
truncate -s 1M "$boot"
chmod 666 "$boot"
tiny broken "<panic model='isa'/><disk type='file'><driver type='raw'/><source file='$boot'/>
    <target dev='sda' bus='sata'/></disk>" | guest_virsh define /dev/stdin >/dev/null
guest_virsh start broken >/dev/null
wait_until 20 domain_is broken crashed || fail "the guest is $(domain_reason broken)"
expect_refused state "'broken': it is crashed, not running" suspend broken
expect_refused state "'broken': it is crashed, not running" prepare broken
expect_domain broken crashed
guest_virsh destroy broken >/dev/null

echo "devices"
tiny shared "<shmem name='mailbox'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>" |
    guest_virsh define /dev/stdin >/dev/null
mkdir -m 755 "$PRIVATE_LIBVIRT/images/share"
tiny folder "<filesystem type='mount'><source dir='$PRIVATE_LIBVIRT/images/share'/>
    <target dir='docs'/></filesystem>" | guest_virsh define /dev/stdin >/dev/null
guest_virsh start shared >/dev/null
guest_virsh start folder >/dev/null
expect_refused unsupported "'shared': shared memory device 'mailbox' \(ivshmem\)" suspend shared
expect_refused unsupported "'shared': shared memory device 'mailbox'" prepare shared
expect_refused unsupported "'folder': shared folder 'docs' \(9p\)" suspend folder
for name in shared folder; do
    expect_equal "$(domain_reason "$name")" "running (booted)" "the state of '$name'"
    guest_virsh destroy "$name" >/dev/null
done

echo "a repository without room"
mkdir "$PRIVATE_LIBVIRT/small"
private_libvirt_exec mount -t tmpfs -o size=64m,mode=700 small "$PRIVATE_LIBVIRT/small"
for command in suspend "suspend --paused" prepare; do
    # shellcheck disable=SC2086
    FORESNAP_REPO=$PRIVATE_LIBVIRT/small expect_refused no-space \
        "its memory may need .* has .* free" $command one
done
expect_undisturbed one

echo "a managed save image of libvirt's own"
mkdir -p "$(dirname "$(stub_path one)")"
echo "somebody's memory" >"$(stub_path one)"
expect_exit 1 foresnap --json suspend one
expect_json "$expect_out" error.code exists
expect_match "$expect_err" "virsh managedsave-remove one" "the refusal"
expect_equal "$(cat "$(stub_path one)")" "somebody's memory" "the image of somebody else"
rm "$(stub_path one)"
expect_undisturbed one

echo "another operation under way"
expect_busy ()
{
    expect_exit 75 foresnap --json "$@"
    expect_json "$expect_out" error.code busy
}
expect_exit 0 foresnap prepare one
expect_busy prepare one
expect_busy discard one
expect_exit 1 foresnap resume one
FORESNAP_REPO=$PRIVATE_LIBVIRT/other expect_busy suspend one
expect_exit 0 foresnap prepare one --abort
expect_undisturbed one
foresnap -q suspend one --ahead 60 &
ahead=$!
is_held ()
{
    [[ $(foresnap --json status) == *'"step" : "held"'* ]]
}
wait_until 30 is_held || fail "the suspend is not held: $(foresnap status)"
expect_busy suspend one
expect_busy prepare one
kill_inside TERM foresnap
! wait "$ahead" || fail "an interrupted suspend succeeded"
expect_undisturbed one
expect_exit 1 foresnap prepare one --abort
expect_match "$expect_err" "not prepared" "the refusal"

echo "paused by its user"
guest_virsh suspend one >/dev/null
expect_refused state "'one': it is paused, not running" suspend one
expect_refused state "'one': it is paused, not running" prepare one
expect_equal "$(domain_reason one)" "paused (user)" "the state of the paused domain"
guest_virsh resume one >/dev/null
guest_wait_heartbeat one 20
guest_verify one
guest_virsh destroy one >/dev/null

# Emulation of QEMU before 9 loses pages of guests of ordinary size if they run meanwhile.
if ! kvm_works && [[ $(qemu-system-x86_64 --version) =~ version\ [1-8]\. ]]; then
    echo "emulated memory that cannot be sent while it changes"
    FSN_EMULATOR=/usr/bin/qemu-system-x86_64 guest_start even 128 --fill 40
    expect_refused state "'even': QEMU before 9 loses memory" prepare even
    expect_refused state "'even': QEMU before 9 loses memory" suspend even --ahead 1
    expect_undisturbed even
    guest_ask even 'dirty 200' ' DIRTY rate=200$' >/dev/null
    expect_exit 0 foresnap suspend even
    expect_exit 0 foresnap resume even --mode eager --wait
    guest_ask even 'dirty 0' ' DIRTY rate=0$' >/dev/null
    guest_verify even
fi
private_libvirt_alive
