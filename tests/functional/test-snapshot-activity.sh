#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Levels follow what the history says a domain does: a busy disk is captured at a higher level,
# and read in another mode, than an idle one, memory is taken of a domain that computes; without
# a history the base counts. A dry run says the same as the snapshot, the manifest has what it
# was decided on, and the next decision goes on from it.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
snapshot_start
export FORESNAP_CONFIG_DIR=$PRIVATE_LIBVIRT/config
mkdir -p "$FORESNAP_CONFIG_DIR/profiles"
cat >"$FORESNAP_CONFIG_DIR/profiles/web.profile" <<'END'
[profile]
inherit=standard
[disk]
base=detailed
least=standard
io-high=1M/s
io-low=1K/s
[memory]
cpu-high=50%
least=standard
END

define ()
{
    make_disk "$1-a.qcow2" qcow2 16M
    make_disk "$1-b.qcow2" qcow2 16M
    guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>$1</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>
$(disk_xml vda "$1-a.qcow2" qcow2)$(disk_xml vdb "$1-b.qcow2" qcow2)</devices></domain>
XML
    guest_virsh start --paused "$1" >/dev/null
}

# did NAME METRIC=VALUE… : it has been sampled so, in a history that says nothing else
did ()
{
    local name=$1 add=()
    shift
    rm -f "$PRIVATE_LIBVIRT"/history.db*
    for value; do add+=(--add "$value"); done
    expect_exit 0 foresnap history "$name" "${add[@]}"
}

# decisions : of the document of the last command, a line each
decisions ()
{
    perl -MJSON::PP -e 'for (@{decode_json($ARGV[0])->{granularity}{decisions}}) {
        my $in = $_->{inputs};
        print join("|", $_->{kind}, $_->{name} // "", $_->{level}, $_->{mode} // "", $in->{io_bytes_per_s} // "",
            $in->{cpu_percent} // "", $in->{previous_step}, $_->{reason}), "\n" }' "$expect_out"
}

decision ()
{
    decisions | grep "^$1|${2:-}|"
}

define one
define two

echo "nothing is known"
expect_exit 0 foresnap --json snapshot one --profile web --dry-run
expect_equal "$(decision disk vda)" "disk|vda|detailed|full|||0|what it does is not known: there is no history" "vda"
did one users=3
snapshot --profile web
expect_equal "$(decision disk vda)" \
    "disk|vda|detailed|full|||0|what it does is not known: nothing was sampled in the 10 minutes before" "vda"

echo "one disk is busy, one is idle, and so are the processors"
did one disk.vda.write.bytes=3000000 disk.vda.read.bytes=200000 disk.vdb.write.bytes=10 cpu=0.25 vcpus=2
expect_exit 0 foresnap --json snapshot one --profile web --dry-run
plan=$(decisions)
snapshot --profile web
expect_equal "$(decisions)" "$plan" "what was done"
expect_equal "$(decision disk vda)" \
    "disk|vda|raw|full|3200000|12|0|input and output is 3.1 MiB/s, not below the high threshold of 1.0 MiB/s" "vda"
expect_equal "$(decision disk vdb)" \
    "disk|vdb|standard|incremental|10|12|0|input and output is 10 B/s, below the low threshold of 1.0 KiB/s" "vdb"
expect_json "$expect_out" disks.0.mode full
expect_json "$expect_out" disks.1.mode incremental
expect_json "$expect_out" memory none
expect_match "$(json "$expect_out" granularity.decisions)" '"order":1.*"order":2' "the order"
expect_exit 0 foresnap explain "$snapshot"
text=$(tr '\n' ' ' <<<"$expect_out")
expect_match "$text" "Disk vda: level raw, .*from base detailed; input and output is 3.1 MiB/s" "the explanation"

echo "near the threshold it stays, further away it does not"
did one disk.vda.write.bytes=900000 cpu=0.25 vcpus=2
snapshot --profile web
expect_equal "$(decision disk vda)" \
    "disk|vda|raw|full|900000|12|1|input and output is 879 KiB/s, still near the high threshold of 1.0 MiB/s" "vda"
did one disk.vda.write.bytes=500000 cpu=0.25 vcpus=2
snapshot --profile web
expect_equal "$(decision disk vda)" \
    "disk|vda|detailed|incremental|500000|12|1|what it does is between the thresholds" "vda"

echo "a domain that computes keeps its memory; the other one, of the same profile, does not"
did one cpu=1.5 vcpus=2
expect_exit 0 foresnap history two --add cpu=0.1 --add vcpus=2
expect_exit 0 foresnap --json snapshot two --profile web --dry-run
expect_json "$expect_out" memory none
snapshot --profile web
expect_json "$expect_out" memory stopped
expect_equal "$(decision memory)" \
    "memory||detailed|||75|0|the use of processors is 75%, not below the high threshold of 50%" "the memory"

echo "a history that is damaged is no reason to fail"
rm -f "$PRIVATE_LIBVIRT"/history.db*
head -c 8192 /dev/urandom >"$PRIVATE_LIBVIRT/history.db"
expect_exit 0 foresnap --json snapshot one --profile web --no-memory
expect_match "$(decision disk vda)" "what it does is not known: the history cannot be read" "vda"
private_libvirt_alive
