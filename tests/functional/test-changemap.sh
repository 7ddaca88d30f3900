#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# changemap: what changes where, by partition, and how; statistics alone unless the profile asks
# for bitmaps; rounds that give way, nodes that are renamed; nothing is left in QEMU,
# not even by one that was killed, once 'recover' or the next one was there. Bitmaps of others are
# untouched.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
requires "sfdisk is not installed" command -v sfdisk
snapshot_start
export ignore_descriptors=1 # QEMU closes them when the guest runs, which it does not
raw=$PRIVATE_LIBVIRT/images/one.raw
mib=1048576

io ()
{
    guest_virsh qemu-monitor-command one --hmp "qemu-io -d virtio-disk${3:-0}/virtio-backend \"write -P 7 $1 $2\"" >/dev/null
}

# maps : nodes and names of bitmaps of change maps in QEMU
maps ()
{
    qmp one '{"execute":"query-named-block-nodes","arguments":{"flat":true}}' |
        jq -r '.return[] | .["node-name"] as $node | .["dirty-bitmaps"] // [] | .[].name // "" |
            select(startswith("foresnap-map-")) | $node + ":" + .' | sort | tr '\n' ' '
}

nothing_left ()
{
    expect_equal "$(maps)" "" "bitmaps"
    expect_equal "$(qemu_leftovers one)" "" "what is left in QEMU"
    expect_equal "$(find "$STATE" -name '*.map')" "" "markers"
}

# A map in the background that is told to end by hand; waits until it records.
watch_begin ()
{
    foresnap --json changemap one --watch --interval 1 >"$PRIVATE_LIBVIRT/watch.json" 2>"$PRIVATE_LIBVIRT/watch.err" &
    watcher=$!
    wait_until 20 _records || fail "no bitmap records: $(cat "$PRIVATE_LIBVIRT/watch.err")"
}

_records ()
{
    [ -n "$(maps)" ]
}

# Two rounds more: the bitmap in use changes with each.
watch_round ()
{
    for _ in 1 2; do
        before=$(maps)
        wait_until 30 _turned || fail "no round: $(cat "$PRIVATE_LIBVIRT"/watch.{err,json}; maps)"
    done
}

_turned ()
{
    local now
    now=$(maps)
    [ -n "$now" ] && [ "$now" != "$before" ]
}

watch_end ()
{
    kill_inside TERM foresnap
    wait "$watcher" || fail "it did not end in good order: $(cat "$PRIVATE_LIBVIRT/watch.err")"
    expect_out=$(cat "$PRIVATE_LIBVIRT/watch.json")
}

killed ()
{
    FORESNAP_TEST_KILL_AT=changemap:switched foresnap changemap one --interval 1 >/dev/null 2>&1 && fail "it was not killed"
    expect_match "$(maps)" "foresnap-map-" "what the killed one has left"
}

truncate -s 64M "$raw"
sfdisk -q "$raw" <<'END'
label: gpt
start=2048, size=61440, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=one
start=63488, size=61440, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=two
END
qemu-img convert -O qcow2 "$raw" "$IMAGES/one.qcow2"
chmod 666 "$IMAGES/one.qcow2"
make_disk b.raw raw 32M
guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>one</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>
$(disk_xml vda one.qcow2 qcow2)$(disk_xml vdb b.raw raw)</devices></domain>
XML
expect_exit 1 foresnap changemap one
expect_match "$expect_err" "it is shut off" "a domain that is off"
guest_virsh start --paused one >/dev/null

echo "statistics alone, unless the profile asks for more"
expect_exit 0 foresnap --json changemap one --interval 1
expect_json "$expect_out" bitmaps 0
expect_json "$expect_out" disks.0.write_requests_per_s 0
expect_match "$(json "$expect_out" notes.0)" "changemap.enabled" "the note"
nothing_left
expect_exit 2 foresnap changemap one --interval -1

echo "one disk is written in one go, the other here and there"
expect_exit 0 foresnap policy one set changemap.enabled=yes
qmp one '{"execute":"block-dirty-bitmap-add","arguments":{"node":"libvirt-2-format","name":"others"}}' >/dev/null
watch_begin
io $((2 * mib)) $((20 * mib))
for ((i = 1; i < 24; i += 2)); do io $((i * mib + 65536)) 4096 1; done
watch_round
watch_end
expect_json "$expect_out" bitmaps 1
expect_json "$expect_out" given_up 0
expect_json "$expect_out" disks.0.pattern sequential
expect_json "$expect_out" disks.1.pattern random
expect_json "$expect_out" disks.0.partitions.0.pattern sequential
expect_json "$expect_out" disks.0.partitions.1.bytes_per_s 0
[ "$(json "$expect_out" disks.0.partitions.0.bytes_per_s)" -gt 100000 ] || fail "the rate: $expect_out"
expect_match "$(qmp one '{"execute":"query-named-block-nodes","arguments":{"flat":true}}')" '"others"' "the bitmap of others"
nothing_left

echo "kept in the history"
expect_exit 0 foresnap --json history one --since 1h
expect_match "$expect_out" '"metric" : "disk.vda.1.change.bytes",[^}]*"unit" : "B/s"' "the history"

echo "kept for others to see"
expect_exit 0 foresnap --json changemap one --kept
expect_json "$expect_out" domain one
expect_json "$expect_out" disks.0.pattern sequential
expect_json "$expect_out" disks.0.heat.n_regions "$(json "$expect_out" disks.0.n_regions)"
before=$(json "$expect_out" disks.0.heat.rows.length)
expect_exit 0 foresnap changemap one --kept --plot --output "$PRIVATE_LIBVIRT/kept.svg"
expect_match "$expect_out" "one: vda, 64" "the heat map"
expect_exit 0 foresnap changemap --list
expect_match "$expect_out" "one" "the list"
expect_exit 2 foresnap changemap one --list
expect_exit 2 foresnap changemap
expect_exit 2 foresnap changemap one --kept --watch

echo "a heat map"
expect_exit 0 foresnap changemap one --interval 1 --rounds 2 --plot --output "$PRIVATE_LIBVIRT/heat.svg"
expect_match "$expect_out" "one: vda, 64" "the heat map"
grep -q '<svg' "$PRIVATE_LIBVIRT/heat.svg" || fail "no picture"
expect_exit 0 foresnap --json changemap one --kept
[ "$(json "$expect_out" disks.0.heat.rows.length)" -ge "$before" ] || fail "rows were lost: $expect_out"

echo "a node that is renamed"
watch_begin
guest_virsh snapshot-create-as one s1 --disk-only --no-metadata --atomic \
    --diskspec "vda,file=$IMAGES/over.qcow2" --diskspec vdb,snapshot=no >/dev/null
io $((4 * mib)) $((8 * mib))
watch_round
watch_end
expect_match "$(json "$expect_out" disks.0)" '"target":"vda"' "the disk"
nothing_left

echo "while another has the server, rounds are given up"
qmp one '{"execute":"nbd-server-start","arguments":{"addr":{"type":"unix","data":{"path":"/tmp/other.sock"}}}}' >/dev/null
expect_exit 0 foresnap --json changemap one --interval 1
expect_json "$expect_out" given_up 1
qmp one '{"execute":"nbd-server-stop"}' | grep -q '"return":{}' || fail "the other server was ended"
nothing_left

echo "a killed one is cleared up after"
killed
expect_exit 0 foresnap recover
nothing_left
killed
expect_exit 0 foresnap --json changemap one --interval 1
expect_json "$expect_out" given_up 0
nothing_left
private_libvirt_alive
