#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# With virtlockd: while the guest runs its disk's lease is held, so that no second domain can
# be started on the same disk. QEMU stops and starts the guest by itself in a suspend, and
# libvirt gives leases up when it does: none may be missing afterwards, on any path.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
requires "virtlockd is not installed (it comes with libvirt-daemon)" command -v virtlockd
guest_requires
test_dir
# QEMU as root: a start that is refused gives the disk back to root, here without a memory of
# its owners, and the guest's own QEMU could not open it again.
private_libvirt_start --lockd --qemu-user root
userfaultfd_allow
builddir=$(cd "$top_builddir" && pwd)

foresnap ()
{
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$builddir" FORESNAP_REPO="$TEST_DIR/repo" \
        FORESNAP_TEST_WAY="${way:-}" FORESNAP_TEST_KILL_AT="${kill_at:-}" \
        "$builddir/foresnap" -c qemu:///system "$@"
}

at_rest ()
{
    [ -z "$(private_libvirt_exec pgrep foresnap)" ]
}

# expect_leased WHEN : virtlockd refuses the second domain.
expect_leased ()
{
    wait_until 60 at_rest || fail "$1: foresnap does not come to rest"
    expect_equal "$(guest_virsh domstate web)" "running" "$1: the state"
    expect_exit 1 guest_virsh start thief
    expect_match "$expect_err" "[Ll]ockspace resource|resource busy|acquire lock" "$1: the error"
    guest_verify web
    private_libvirt_alive
}

guest_start web 256 --disk
# QEMU's own locks would refuse the second domain before virtlockd is asked, which libvirt
# does when it starts the CPUs: this one's QEMU does without them.
cat >"$TEST_DIR/qemu-nolock" <<'END'
#!/bin/bash
exec /usr/bin/qemu-system-x86_64 "${@//\"driver\":\"file\"/\"driver\":\"file\",\"locking\":\"off\"}"
END
chmod 755 "$TEST_DIR/qemu-nolock"
FSN_EMULATOR=$TEST_DIR/qemu-nolock guest_domain thief 128 --devices "<disk type='file' device='disk'>
    <driver name='qemu' type='qcow2'/><source file='$(_guest_path web).qcow2'/>
    <target dev='vda' bus='virtio'/></disk>" >"$TEST_DIR/thief.xml"
guest_virsh define "$TEST_DIR/thief.xml"
expect_leased "before"

expect_exit 0 foresnap suspend web
expect_exit 0 foresnap -q resume web
expect_leased "after a suspend and a resume"
expect_exit 0 foresnap suspend web --paused
expect_exit 0 foresnap -q resume web --mode eager
expect_leased "after an eager resume"
expect_exit 0 foresnap suspend web
way=monitor expect_exit 0 foresnap -q resume web
expect_leased "after a resume through the monitor"

# --- suspends that fail: the guest goes on, and libvirt must know of it ---------------------
for step in migrating stopping storing; do
    kill_at=$step expect_exit 137 foresnap suspend web
    expect_leased "after a suspend that died at '$step'"
done
expect_exit 0 foresnap prepare web
expect_exit 0 foresnap prepare web --abort
expect_leased "after a prepare that was given up"

# QEMU comes to the end of the migration by itself, stops the guest, cannot send the rest,
# for nobody reads, fails, and continues the guest by itself: libvirt has given the lease up.
echo "a migration that fails after QEMU has stopped the guest"
expect_exit 0 foresnap prepare web
private_libvirt_exec pkill -STOP -x foresnap-holder
guest_virsh qemu-monitor-command web '{"execute": "migrate-set-parameters",
    "arguments": {"max-bandwidth": 400000, "downtime-limit": 2000000}}' >/dev/null
is_stopped ()
{
    [[ $(guest_virsh domstate web) == paused ]]
}
wait_until 10 is_stopped || fail "QEMU did not come to the end of a held migration"
private_libvirt_exec pkill -KILL -x foresnap-holder
expect_leased "after a migration that failed at its end"

# --- the lease goes with the guest: the refusals above were about it alone -------------------
expect_exit 0 foresnap suspend web
expect_exit 0 foresnap discard web
guest_virsh start thief
guest_virsh destroy thief
