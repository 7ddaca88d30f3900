#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Storage that does not answer: QEMU could not be stopped before it does, so a suspend is
# refused after 5 s and the guest left alone; storage that is only slow is waited for.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
private_libvirt_requires
guest_requires
requires "fsfreeze (util-linux) is not installed" command -v fsfreeze
requires "mkfs.ext4 (e2fsprogs) is not installed" command -v mkfs.ext4
requires "there are no loop devices" losetup --find
private_libvirt_start
userfaultfd_allow
storage=$PRIVATE_LIBVIRT/images/storage

# A file system of its own, since freezing stops all who write to it.
make_storage ()
{
    local image=$PRIVATE_LIBVIRT/storage.image device mounted=0
    truncate -s 64M "$image"
    mkfs.ext4 -q "$image"
    mkdir "$storage"
    device=$(losetup --find --show "$image")
    # shellcheck disable=SC2046
    private_libvirt_exec mknod "$device" b $(stat -c '0x%t 0x%T' "$device") &&
        private_libvirt_exec mount "$device" "$storage" || mounted=$?
    # Its last user keeps it: it goes with the mount, and that with the private libvirt.
    losetup --detach "$device"
    [ "$mounted" = 0 ] || fail "the loop device cannot be mounted"
    private_libvirt_exec truncate -s 16M "$storage/disk.raw"
    private_libvirt_exec chmod 666 "$storage/disk.raw"
}

# thaw : the storage answers again, if it did not
thaw ()
{
    [ -n "$thaw_fd" ] || return 0
    echo >&"$thaw_fd"
    exec {thaw_fd}>&-
    thaw_fd=
    wait_until 10 not io_hangs || {
        echo "QEMU still waits for its storage" >&2
        return 1
    }
}
thaw_fd=
cleanup_fn thaw

# freeze : the storage answers no more. What waits for it cannot be killed, so it is thawed
# whenever this shell ends, even by force: by a process out of reach, which stays in the folder.
freeze ()
{
    rm -f "$PRIVATE_LIBVIRT/frozen"
    exec {thaw_fd}> >(
        exec setsid nsenter --target "$(cat "$PRIVATE_LIBVIRT/init.pid")" --mount \
            sh -c 'cd "$1" && fsfreeze -f . && : >"$2" && read -r _; fsfreeze -u .' \
            sh "$storage" "$PRIVATE_LIBVIRT/frozen"
    )
    wait_until 10 test -e "$PRIVATE_LIBVIRT/frozen" || fail "the storage cannot be frozen"
    wait_until 10 io_hangs || fail "QEMU does not wait for its storage"
}

not ()
{
    ! "$@"
}

# True if a thread of the guest's QEMU waits in the kernel and does not move (its context
# switches tell; its memory may change meanwhile, which belongs to all threads).
io_hangs ()
{
    # shellcheck disable=SC2016
    private_libvirt_exec sh -c '
        waits () { grep -q "^State:.D" "$1" && grep "ctxt_switches" "$1"; }
        for task in /proc/"$(cat /run/libvirt/qemu/one.pid)"/task/*/status; do
            before=$(waits "$task") || continue
            sleep 0.2
            [ "$(waits "$task")" != "$before" ] || exit 0
        done
        exit 1' 2>/dev/null
}

# expect_refused ARG… : foresnap ARG… is refused in time and the guest not stopped
expect_refused ()
{
    local began ms
    began=$(now_us)
    expect_exit 1 foresnap --json "$@"
    ms=$((($(now_us) - began) / 1000))
    echo "refused after $ms ms"
    expect_json "$expect_out" error.code timeout
    expect_match "$expect_err" "domain 'one': QEMU has had I/O pending for more than 5 s" "the refusal"
    expect_match "$expect_err" "its storage does not answer" "the refusal"
    expect_at_most 5000 "$ms" "5 s"
    expect_at_most "$ms" 8000 "the time of a refusal (ms)"
    io_hangs || fail "the storage has answered meanwhile"
    expect_equal "$(domain_reason one)" "running (booted)" "the state of the domain"
}

expect_resumes ()
{
    expect_domain one "shut off"
    expect_exit 0 foresnap resume one --wait
    guest_wait_heartbeat one 20
    guest_verify one
}

make_storage
guest_start one 128 --fill 40 --devices "<disk type='file' device='disk'>
    <driver name='qemu' type='raw'/><source file='$storage/disk.raw'/>
    <target dev='vda' bus='virtio'/></disk>"

for command in suspend "suspend --paused" prepare; do
    echo "frozen before: $command"
    freeze
    # shellcheck disable=SC2086
    expect_refused $command one
    expect_no_trace
    thaw
    guest_wait_heartbeat one 20
    expect_undisturbed one
done

# QEMU before 9.1 would wait for its I/O at the end of any migration, given up ones included.
echo "frozen between a prepare and its suspend"
expect_exit 0 foresnap prepare one
freeze
expect_refused suspend one
expect_match "$expect_err" "the domain stays prepared" "the refusal"
expect_exit 0 foresnap --json status
expect_json "$expect_out" domains.0.state prepared
expect_exit 0 guest_virsh qemu-monitor-command one '{"execute":"query-status"}'
thaw
guest_wait_heartbeat one 20
guest_verify one
expect_exit 0 foresnap --json suspend one
expect_json "$expect_out" prepared 1
expect_resumes

echo "only slow"
freeze
foresnap -q suspend one &
suspend=$!
sleep 2
expect_domain one running
thaw
wait "$suspend" || fail "storage that answers after 2 s made a suspend fail"
expect_resumes
! grep -q ' DISK error' "$(guest_log one)" || fail "the guest has lost a write"
private_libvirt_alive
