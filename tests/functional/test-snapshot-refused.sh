#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a snapshot refuses, falls back from, or leaves alone; the guest runs on each time.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
guest_with_disks one 128 --fill 40
snapshot --no-memory

echo "QEMU's NBD server is somebody else's"
expect_exit 0 qmp one '{"execute":"nbd-server-start","arguments":{"addr":{"type":"unix","data":{"path":"/tmp/other.sock"}}}}'
expect_exit 75 foresnap snapshot one
expect_match "$expect_err" "in use by another backup" "the refusal"
qmp one '{"execute":"nbd-server-stop"}' | grep -q '"return":{}' || fail "the other's server was stopped"
expect_as_before one

echo "a backup of another tool is open"
cat >"$PRIVATE_LIBVIRT/backup.xml" <<END
<domainbackup mode='pull'><server transport='unix' socket='$IMAGES/backup.sock'/>
<disks><disk name='vda' backup='yes' type='file' backupmode='full'><driver type='qcow2'/>
<scratch file='$IMAGES/scratch-a.qcow2'/></disk><disk name='vdb' backup='no'/></disks></domainbackup>
END
private_libvirt_exec chmod 777 "$IMAGES"
expect_exit 0 guest_virsh backup-begin one "$PRIVATE_LIBVIRT/backup.xml"
expect_exit 75 foresnap snapshot one
expect_exit 0 guest_virsh domjobabort one
wait_until 20 test ! -e "$IMAGES/scratch-a.qcow2"

echo "no room for what the guest may overwrite"
private_libvirt_exec mkdir "$IMAGES/small"
private_libvirt_exec mount -t tmpfs -o size=1M tmpfs "$IMAGES/small"
expect_exit 1 foresnap --json snapshot one --scratch "$IMAGES/small"
expect_json "$expect_out" error.code no-space
expect_match "$expect_err" "choose another folder with --scratch" "the refusal"
expect_as_before one

echo "two at once"
guest_ask one "fill 0 16 6 5" "FILLED" 30 >/dev/null
foresnap -q snapshot one --bandwidth 1M --no-memory &
slow=$!
wait_until 20 is_reading || fail "the first one reads nothing"
expect_exit 75 foresnap snapshot one
wait "$slow" || fail "the first one failed"
expect_as_before one

echo "a guest that its user has stopped stays so, and its memory is taken"
guest_virsh suspend one >/dev/null
snapshot
expect_json "$expect_out" memory stopped
expect_equal "$(domain_reason one)" "paused (user)" "the state"
guest_virsh resume one >/dev/null
guest_wait_heartbeat one 20
# QEMU had given the disks up, and the bitmaps with them: the next snapshot drops the old ones;
# it keeps descriptors that it was told to forget while the guest stood.
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
ignore_descriptors=1 expect_as_before one

echo "another tool's checkpoint stays"
cat >"$PRIVATE_LIBVIRT/checkpoint.xml" <<END
<domaincheckpoint><name>theirs</name><disks><disk name='vda' checkpoint='bitmap'/>
<disk name='vdb' checkpoint='no'/></disks></domaincheckpoint>
END
expect_exit 0 guest_virsh checkpoint-create one "$PRIVATE_LIBVIRT/checkpoint.xml"
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_exit 0 guest_virsh checkpoint-delete one theirs
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental

echo "a record that somebody removed"
name=$(qmp one '{"execute":"query-named-block-nodes","arguments":{"flat":true}}' |
    grep -o "foresnap-[0-9a-f]*-$snapshot" | head -n 1)
node=$(qmp one '{"execute":"query-block"}' | perl -MJSON::PP -0777 -e '
    print decode_json(<STDIN>)->{return}[0]{inserted}{"node-name"}')
expect_exit 0 qmp one "{\"execute\":\"block-dirty-bitmap-remove\",\"arguments\":{\"node\":\"$node\",\"name\":\"$name\"}}"
guest_ask one "scatter 0 20 9" "SCATTERED" 30 >/dev/null
snapshot --no-memory
expect_json "$expect_out" disks.0.mode full
expect_match "$(json "$expect_out" disks.0.reason)" "no record of the changes" "the reason"
expect_at_most "$(json "$expect_out" disks.0.bytes.changed)" $((30 * 4096)) "what was stored of it"

echo "QEMU is killed while it records"
private_libvirt_exec sh -c 'kill -9 "$(cat /run/libvirt/qemu/one.pid)"'
wait_until 20 domain_is one "shut off"
expect_exit 0 foresnap --json snapshot one
expect_json "$expect_out" disks.0.mode full
expect_match "$(json "$expect_out" disks.0.reason)" "no record of the changes" "the reason"
expect_json "$expect_out" memory none
guest_virsh start one >/dev/null
guest_wait_heartbeat one 60
snapshot --no-memory
expect_json "$expect_out" disks.0.mode incremental
expect_as_before one

echo "grown since"
expect_exit 0 guest_virsh blockresize one vda 300M
snapshot --no-memory
expect_json "$expect_out" disks.0.mode full
expect_match "$(json "$expect_out" disks.0.reason)" "its size was" "the reason"
expect_json "$expect_out" disks.0.size $((300 * 1048576))
expect_exit 0 foresnap verify --all --read-data
private_libvirt_alive
