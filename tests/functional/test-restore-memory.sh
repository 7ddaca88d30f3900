#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# restore with memory: the guest goes on from the instant, every page as it was and over the
# disk that it had, as often as one likes, in place and as a new domain.
. "${top_srcdir:-.}"/tests/functional/resume.sh
. "$top_srcdir"/tests/functional/stored-disk.sh
requires "nbdkit is not installed" nbdkit --version
resume_start
userfaultfd_allow
guest_start web 192 --fill 96 --disk \
    --devices "<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/></interface>"
disk=$PRIVATE_LIBVIRT/guests/web.qcow2
id=0123456789abcdef0123456789abcdef

expect_exit 0 foresnap suspend web
suspend=$(newest)
qemu-io -f qcow2 -c 'write -P 7 8M 3M' "$disk" >/dev/null
qemu-img convert -O raw "$disk" "$PRIVATE_LIBVIRT/then"
store_disks $id web "$(guest_virsh domuuid web | tr -d '\n')" "@$suspend" -- vda "$PRIVATE_LIBVIRT/then" qcow2
expect_exit 1 foresnap restore $id --no-keep
expect_match "$expect_err" "foresnap discard web" "the refusal of a suspended domain"
expect_exit 0 foresnap discard web

# goes_on NAME : the guest NAME (on web's console) goes on, and nothing is left of the operation
goes_on ()
{
    wait_loaded "$1"
    guest_time_of_first_heartbeat_after web "$now" >/dev/null
    guest_verify web
    expect_clean
    expect_equal "$(find "$REPO/marks" -type f)" "" "the marks"
}

# The guest writes to the beginning of its disk twice a second, and to nothing else.
expect_disk_of_guest ()
{
    qemu-img convert -O raw "$1" "$PRIVATE_LIBVIRT/now"
    cmp -i 65536 "$PRIVATE_LIBVIRT/now" "$PRIVATE_LIBVIRT/then"
}

expect_exit 1 foresnap resume $id
expect_match "$expect_err" "foresnap restore" "what resume says of a snapshot"
expect_exit 2 foresnap restore $id --no-keep --disk vda

for round in 1 2; do
    echo "in place, for the $round. time"
    put_junk "$disk" qcow2
    now=$(now_us)
    expect_exit 0 foresnap restore $id --no-keep --json
    expect_json "$expect_out" memory 1
    goes_on web
    guest_virsh destroy web >/dev/null
    expect_disk_of_guest "$disk"
done

echo "paused"
expect_exit 0 foresnap restore $id --no-keep --paused
wait_until 30 _at_rest || fail "it is still loading"
expect_match "$(reason web)" "^paused" "the state"
now=$(now_us)
guest_virsh resume web
guest_time_of_first_heartbeat_after web "$now" >/dev/null
guest_verify web
guest_virsh destroy web >/dev/null

echo "as a new domain beside the original"
now=$(now_us)
expect_exit 0 foresnap restore $id --as new --dir "$PRIVATE_LIBVIRT/guests" --json
expect_json "$expect_out" domain new
goes_on new
[ "$(guest_virsh domuuid new)" != "$(guest_virsh domuuid web)" ] || fail "two domains have one UUID"
nic=52:54:00:12:34:56
expect_match "$(guest_virsh domif-getlink new $nic)" down "the link of the new domain"
guest_virsh destroy new >/dev/null
expect_disk_of_guest "$PRIVATE_LIBVIRT/guests/new-vda.qcow2"
guest_virsh undefine new >/dev/null
rm "$PRIVATE_LIBVIRT/guests/new-vda.qcow2"

echo "as a new domain where the original is not known"
uuid=$(guest_virsh domuuid web)
guest_virsh undefine web >/dev/null
now=$(now_us)
expect_exit 0 foresnap restore $id --as new --dir "$PRIVATE_LIBVIRT/guests" --links-up
goes_on new
expect_equal "$(guest_virsh domuuid new)" "$uuid" "the UUID"
expect_match "$(guest_virsh domif-getlink new $nic)" up "the link of the new domain"
guest_virsh destroy new >/dev/null
guest_virsh undefine new >/dev/null

echo "killed while it loads"
guest_virsh define "$PRIVATE_LIBVIRT/guests/web.xml" >/dev/null
sed "s,</name>,</name><uuid>$uuid</uuid>," "$PRIVATE_LIBVIRT/guests/web.xml" >"$PRIVATE_LIBVIRT/web.xml"
guest_virsh undefine web >/dev/null
guest_virsh define "$PRIVATE_LIBVIRT/web.xml" >/dev/null
put_junk "$disk" qcow2
expect_exit 137 private_libvirt_exec env FORESNAP_TEST_KILL_AT=loading FORESNAP_REPO="$REPO" \
    FORESNAP_LIBEXECDIR="$_foresnap_dir" "$_foresnap_dir/foresnap" restore $id --no-keep
expect_exit 0 foresnap recover
expect_match "$expect_out" "the disks are restored and the guest is off" "what recover says"
off web || fail "it is $(reason web)"
expect_disk "$disk" qcow2 "$PRIVATE_LIBVIRT/then"
now=$(now_us)
expect_exit 0 foresnap restore $id --no-keep
goes_on web

echo "its pager killed right behind the mark"
guest_virsh destroy web >/dev/null
FORESNAP_TEST_KILL_AT=ran expect_exit 1 foresnap restore $id --no-keep
expect_match "$expect_err" "its disks are restored, but not its memory" "the error"
expect_clean
off web || fail "it is $(reason web)"
expect_equal "$(find "$REPO/marks" -type f)" "" "the marks"
expect_disk "$disk" qcow2 "$PRIVATE_LIBVIRT/then"

echo "its pager killed while it loads"
now=$(now_us)
worker=
foresnap restore $id --no-keep >"$PRIVATE_LIBVIRT/restore.out" 2>&1 &
restoring=$!
wait_until 30 _has_worker || fail "no worker: $(cat "$PRIVATE_LIBVIRT/restore.out")"
until compgen -G "$REPO/marks/*.ran" >/dev/null; do
    ! process_ended "$restoring" || fail "not restored: $(cat "$PRIVATE_LIBVIRT/restore.out")"
done
kill -STOP "$worker"
wait "$restoring" || fail "not restored: $(cat "$PRIVATE_LIBVIRT/restore.out")"
loading web || fail "it is not loading: $(reason web)"
for pid in $(pager_pids 'foresnap-(pager|superv.*|worker)'); do
    kill -KILL "$pid" 2>/dev/null || :
done
goes_on web

echo "a writable disk that the snapshot does not have"
guest_virsh destroy web >/dev/null
qemu-img create -q -f raw "$PRIVATE_LIBVIRT/guests/more.raw" 1M
sed "s,<memballoon,<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$PRIVATE_LIBVIRT/guests/more.raw'/><target dev='vdb' bus='virtio'/></disk><memballoon," \
    "$PRIVATE_LIBVIRT/web.xml" >"$PRIVATE_LIBVIRT/more.xml"
guest_virsh define "$PRIVATE_LIBVIRT/more.xml" >/dev/null
expect_exit 1 foresnap restore $id --no-keep
expect_match "$expect_err" "vdb.*--disks-only" "the reason"
expect_exit 0 foresnap restore $id --no-keep --disks-only
off web || fail "it is $(reason web)"
expect_clean
