#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# restore --lazy: the domain can run at once over what is served, its disks are filled
# meanwhile, and in the end they are byte-identical and nothing of foresnap is needed any
# more: whatever is killed, shut off or restarted in between.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
. "$top_srcdir"/tests/functional/stored-disk.sh
. "$top_srcdir"/tests/functional/lazy.sh
requires "nbdkit is not installed" nbdkit --version
requires "qemu-img is not installed" qemu-img --version
private_libvirt_requires
private_libvirt_start
lazy_start

echo "refusals"
expect_exit 1 foresnap restore $id --lazy --no-keep
expect_match "$expect_err" "vdb: the domain does not have it in a qcow2 file" "the reason"
no_fill_is_left
expect_exit 2 foresnap restore $id --bandwidth 1M --as new --dir "$disks"
expect_match "$expect_err" "goes with --lazy" "the reason"

echo "as a new domain, so many bytes a second"
expect_exit 0 foresnap restore $id --lazy --bandwidth 4M --as new --dir "$disks" --start --json
expect_json "$expect_out" lazy 1
expect_json "$expect_out" started 1
expect_match "$(cat "$STATE"/fill/*.journal)" '"bandwidth" : 4194304' "what the filling is told"
filled new
is_standalone new
guest_virsh destroy new >/dev/null
has_disks new

echo "in place, with one disk, and without a start"
put_junk "$disks/a.qcow2" qcow2
expect_exit 0 foresnap restore $id --lazy --no-keep --disk vda
expect_json "$(foresnap --json status)" domains.0.state filling
expect_exit 75 foresnap restore $id --no-keep
expect_match "$expect_err" "still being filled" "why another restore is refused"
expect_exit 75 foresnap snapshot web --no-memory
expect_exit 1 foresnap delete $id
expect_match "$expect_err" "restored from it with --lazy" "why it is not deleted"
expect_exit 0 foresnap prune --keep-last 1 --dry-run
expect_match "$expect_out" "a lazy restore reads it" "why it is kept"
guest_virsh start web >/dev/null
filled web
is_standalone web
guest_virsh destroy web >/dev/null
expect_disk "$disks/a.qcow2" qcow2 "$disks/a.then"

echo "the server is killed while it is read: reads wait, and are right"
lazily_halted
for at in 192k 256k 320k; do
    kill_inside STOP nbdkit
    read_disk virtio-disk0 "read -v $at 512" >"$PRIVATE_LIBVIRT/read" &
    reading=$!
    kill_inside KILL nbdkit
    wait "$reading" || fail "the read failed"
    grep -q "read 512/512" "$PRIVATE_LIBVIRT/read" || fail "the read failed: $(cat "$PRIVATE_LIBVIRT/read")"
done
expect_domain new running
go_on_filling
filled new
guest_virsh destroy new >/dev/null
has_disks new

echo "foresnap-fill is killed: its guard takes it up"
lazily_halted
kill_inside KILL foresnap-fill
wait_until 20 eval "kill_inside 0 nbdkit" || fail "it is not taken up"
read_disk virtio-disk0 "read 192k 512" >"$PRIVATE_LIBVIRT/read"
grep -q "read 512/512" "$PRIVATE_LIBVIRT/read" || fail "the disk cannot be read: $(cat "$PRIVATE_LIBVIRT/read" "$STATE"/fill/*.log)"
go_on_filling
filled new
expect_domain new running
guest_virsh destroy new >/dev/null
has_disks new

echo "guard and all are killed: recover takes it up"
lazily_halted
kill_inside KILL foresnap-guard
kill_inside KILL foresnap-fill
expect_match "$(foresnap status)" "interrupted" "the status"
expect_exit 0 foresnap recover
expect_match "$expect_out" "served and filled again" "what recover says"
go_on_filling
filled new
guest_virsh destroy new >/dev/null
has_disks new

echo "shut off in the middle, and started again"
lazily_halted
read_disk virtio-disk0 "write -P 0x77 192k 64k" >/dev/null
guest_virsh destroy new >/dev/null
wait_until 10 phase_is waiting || fail "it does not wait: $(foresnap --json status)"
expect_match "$(guest_virsh dumpxml new --inactive)" "protocol='nbd'" "what is below the disk"
guest_virsh start new >/dev/null
filled new
is_standalone new
guest_virsh destroy new >/dev/null
cp "$disks/a.then" "$PRIVATE_LIBVIRT/a.then"
qemu-io -f raw -c 'write -P 0x77 192k 64k' "$disks/a.then" >/dev/null
has_disks new
cp "$PRIVATE_LIBVIRT/a.then" "$disks/a.then"

echo "libvirtd is restarted in the middle"
lazily_halted
private_libvirt_restart
go_on_filling
filled new
is_standalone new
private_libvirt_restart
is_standalone new
guest_virsh destroy new >/dev/null
has_disks new

echo "the domain is removed with its disks in the middle"
lazily_halted
guest_virsh destroy new >/dev/null
guest_virsh undefine new >/dev/null
rm "$disks"/new-*
wait_until 20 no_fill || fail "it goes on: $(foresnap --json status)"
no_fill_is_left
private_libvirt_alive
