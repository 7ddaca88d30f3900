#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a domain depends on goes with its snapshots, and restore --with-config makes again what is
# missing of it, shows what differs, and overwrites nothing; killed in between, it goes on.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
# shellcheck disable=SC2119
snapshot_start
pool=$PRIVATE_LIBVIRT/pool
xml=$PRIVATE_LIBVIRT/xml
mkdir -m 755 "$pool" "$xml"

define ()
{
    cat >"$xml/new.xml"
    guest_virsh "$1-define" "$xml/new.xml" >/dev/null
}

define net <<<"<network><name>iso</name><bridge name='fsnbr0'/></network>"
guest_virsh net-autostart iso >/dev/null
guest_virsh net-start iso >/dev/null
define nwfilter <<<"<filter name='inner'/>"
define nwfilter <<<"<filter name='outer'><filterref filter='inner'/></filter>"
define pool <<<"<pool type='dir'><name>disks</name><target><path>$pool</path></target></pool>"
guest_virsh pool-start disks >/dev/null
qemu-img create -q -f qcow2 "$pool/one.qcow2" 64M
chmod 666 "$pool/one.qcow2"
guest_start one 96 --fill 20 --devices "<disk type='file' device='disk'>
    <driver name='qemu' type='qcow2'/><source file='$pool/one.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <interface type='network'><source network='iso'/><target dev='fsnport0'/><model type='virtio'/></interface>"

echo "a running domain; what is there is the same"
snapshot --profile minimal
minimal=$snapshot
expect_json "$expect_out" bytes_read 0
size=$(du -s --bytes "$REPO" | cut -f1)
expect_at_most "$size" 300000 "the repository with a minimal snapshot"
expect_exit 0 foresnap --json show "$minimal"
expect_json "$expect_out" manifest.config.networks.0 iso
expect_json "$expect_out" manifest.config.pools.0 disks
expect_exit 0 foresnap show "$minimal"
expect_match "$expect_out" "networks: +iso" "what show prints"
expect_exit 0 foresnap explain "$minimal"
expect_match "$(tr '\n' ' ' <<<"$expect_out")" "network 'iso', pool 'disks'" "the explanation"
expect_exit 0 foresnap export "$minimal" --config "$xml/minimal.json"
! grep -q statistics "$xml/minimal.json" || fail "minimal has statistics"
snapshot --profile raw --no-memory
whole=$snapshot
expect_exit 0 foresnap export "$whole" --config "$xml/raw.json"
for part in '"leases"' '"ports"' '"statistics"' '"port" : "fsnport0"' '"rx_bytes"' '"checkpoints"'; do
    grep -q "$part" "$xml/raw.json" || fail "raw has no $part: $(cat "$xml/raw.json")"
done
expect_exit 0 foresnap --json restore "$minimal" --with-config
expect_json "$expect_out" config.0.action same
expect_domain one running

echo "of a domain that is off, with filters"
guest_virsh destroy one >/dev/null
guest_virsh dumpxml one --inactive --security-info |
    sed "s,<source network='iso'/>,&<filterref filter='outer'/>," >"$xml/one.xml"
guest_virsh define "$xml/one.xml" >/dev/null
snapshot --no-memory
off=$snapshot
expect_exit 0 foresnap --json show "$off"
expect_json "$expect_out" manifest.config.filters.0 inner
expect_json "$expect_out" manifest.config.filters.1 outer
for what in net-dumpxml\ iso nwfilter-dumpxml\ outer nwfilter-dumpxml\ inner pool-dumpxml\ disks "dumpxml one"; do
    # shellcheck disable=SC2086
    guest_virsh $what | grep -vE '<(capacity|allocation|available)' >"$xml/${what// /-}.before"
done

lose ()
{
    guest_virsh undefine one --checkpoints-metadata >/dev/null
    guest_virsh net-destroy iso >/dev/null
    guest_virsh net-undefine iso >/dev/null
    guest_virsh nwfilter-undefine outer >/dev/null
    guest_virsh nwfilter-undefine inner >/dev/null
    guest_virsh pool-destroy disks >/dev/null
    guest_virsh pool-undefine disks >/dev/null
    rm -r "$pool"
}

# as_before : all that was lost is there again; but for the generation id
as_before ()
{
    local what
    for what in net-dumpxml\ iso nwfilter-dumpxml\ outer nwfilter-dumpxml\ inner pool-dumpxml\ disks "dumpxml one"; do
        # shellcheck disable=SC2086
        guest_virsh $what | grep -vE '<(capacity|allocation|available)' | diff "$xml/${what// /-}.before" - ||
            fail "$what is not as it was"
    done
    expect_match "$(guest_virsh net-list --all)" "iso +active +yes" "the network"
    expect_match "$(guest_virsh pool-list --all)" "disks +active +no" "the pool"
}

echo "all of it lost, and brought back with the disk"
cp "$pool/one.qcow2" "$xml/one.qcow2"
lose
expect_exit 1 foresnap restore "$off"
expect_match "$expect_err" "no domain" "the refusal"
expect_exit 0 foresnap restore "$off" --with-config
for made in "filter 'inner'" "filter 'outer'" "network 'iso'" "pool 'disks'" "domain 'one'"; do
    expect_match "$expect_out" "made $made again" "what it says"
done
as_before
qemu-img compare -q "$pool/one.qcow2" "$xml/one.qcow2" || fail "the disk is not as it was"

echo "killed after each step, until nothing is left to be done"
lose
for _ in 1 2 3 4; do
    FORESNAP_TEST_KILL_AT=config-defined expect_exit 137 foresnap restore "$off" --with-config
done
expect_exit 0 foresnap restore "$off" --with-config
expect_match "$expect_out" "started pool 'disks' again" "what is left"
as_before

echo "what differs is shown and stays; what cannot be made is a warning"
guest_virsh net-destroy iso >/dev/null
guest_virsh net-undefine iso >/dev/null
define net <<<"<network><name>iso</name><bridge name='fsnbr7'/></network>"
guest_virsh net-dumpxml iso >"$xml/other"
expect_exit 0 foresnap --json restore "$off" --with-config --no-keep
expect_json "$expect_out" config.2.action differs
expect_match "$expect_err" "network 'iso' is not as in the snapshot" "the warning"
expect_match "$expect_err" '\+<bridge name="fsnbr7"' "the difference"
guest_virsh net-dumpxml iso | diff "$xml/other" - || fail "the network was overwritten"
guest_virsh net-undefine iso >/dev/null
define net <<<"<network><name>in-the-way</name>$(grep -o '<uuid>.*</uuid>' "$xml/net-dumpxml-iso.before")<bridge name='fsnbr8'/></network>"
expect_exit 0 foresnap --json restore "$off" --with-config --no-keep
expect_json "$expect_out" config.2.action failed
expect_match "$expect_err" "network 'iso' is not brought back" "the warning"
guest_virsh net-undefine in-the-way >/dev/null

echo "a snapshot without disks defines the domain again, and touches no disk"
guest_virsh undefine one --checkpoints-metadata >/dev/null
sum=$(sha256sum <"$pool/one.qcow2")
expect_exit 0 foresnap --json restore "$minimal" --with-config
expect_json "$expect_out" kept ""
expect_equal "$(sha256sum <"$pool/one.qcow2")" "$sum" "the disk"
expect_domain one "shut off"
expect_match "$(guest_virsh net-list)" "iso +active" "the network"
expect_equal "$(leftovers)" "" "what is left"
private_libvirt_alive
