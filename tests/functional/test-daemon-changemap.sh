#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnapd keeps change maps of the domains that ask for them, also after it was killed, ends them
# when nobody asks any more, and leaves nothing in QEMU when it ends.
. "${top_srcdir:-.}"/tests/functional/daemon.sh
test_dir
daemon_prepare
export ignore_descriptors=1 # QEMU closes them when the guest runs, which it does not
make_disk one.qcow2 qcow2 32M
make_disk two.qcow2 qcow2 32M
for name in one two; do
    guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>$name</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>$(disk_xml vda $name.qcow2 qcow2)</devices></domain>
XML
    guest_virsh start --paused $name >/dev/null
done
expect_exit 0 foresnap policy one set changemap.enabled=yes changemap.interval=5s
uuid=$(guest_virsh domuuid one | head -n 1)

maps ()
{
    qmp "$1" '{"execute":"query-named-block-nodes","arguments":{"flat":true}}' |
        jq -r '[.return[] | .["dirty-bitmaps"] // [] | .[].name // "" | select(startswith("foresnap-map-"))] | length'
}

_maps ()
{
    [ "$(maps one)" -gt 0 ]
}

_no_maps ()
{
    [ "$(maps one)" = 0 ] && [ ! -e "$STATE/$uuid.map" ]
}

# Rows that are kept say that it changes at its beginning.
_kept ()
{
    [ -e "$STATE/changemaps/$uuid.json" ] &&
        jq -e '[.disks[0].heat.rows[].bytes_per_s[0] // 0] | max > 1000' "$STATE/changemaps/$uuid.json" >/dev/null
}

_write ()
{
    guest_virsh qemu-monitor-command one --hmp 'qemu-io -d virtio-disk0/virtio-backend "write -P 7 0 262144"' >/dev/null
    _kept
}

printf '[sampling]\nenabled=false\n[schedules]\nenabled=false\n[changemaps]\ninterval=1\n' >"$CONF"
daemon_start
wait_until 60 _maps || fail "no map is made: $(cat "$DAEMON_LOG")"
expect_equal "$(maps two)" 0 "one that asks for none has one"
wait_until 120 _write || fail "no map is kept: $(cat "$STATE/changemaps/"* "$DAEMON_LOG")"
expect_exit 0 foresnap --json changemap one --kept
expect_json "$expect_out" bitmaps 1
expect_exit 75 foresnap changemap one
expect_match "$expect_err" "another process makes a change map" "the second one"

echo "a snapshot is not in its way, nor it in that one's"
expect_exit 0 foresnap snapshot one --no-memory
_maps || fail "the map has gone with a snapshot: $(cat "$DAEMON_LOG")"

echo "killed: the maps go, and come again with the next one"
daemon_end KILL
wait_until 60 _no_maps || fail "the maps outlive the daemon: $(maps one)"
daemon_start
wait_until 60 _maps || fail "no map is made again: $(cat "$DAEMON_LOG")"

echo "nobody asks any more"
expect_exit 0 foresnap policy one unset changemap.enabled
wait_until 60 _no_maps || fail "the map goes on: $(cat "$DAEMON_LOG")"
expect_exit 0 foresnap policy one set changemap.enabled=yes
wait_until 60 _maps || fail "no map is made: $(cat "$DAEMON_LOG")"

echo "a domain that ends, and the end"
guest_virsh destroy one >/dev/null
_no_marker ()
{
    [ ! -e "$STATE/$uuid.map" ]
}
wait_until 60 _no_marker || fail "a marker is left of one that is off"
guest_virsh start --paused one >/dev/null
wait_until 60 _maps || fail "no map after a start: $(cat "$DAEMON_LOG")"
daemon_end TERM
wait_until 60 _no_maps || fail "the maps outlive the daemon: $(maps one)"
expect_equal "$daemon_status" 0 "its exit status"
private_libvirt_alive
