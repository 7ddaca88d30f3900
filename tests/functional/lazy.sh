# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of lazy restores share. Source it after stored-disk.sh.
#
#   lazy_start         a domain "web" and a snapshot $id of its disks in $disks/{a,b}.then
#   lazily_halted      restore it as "new" and start that; filling waits until …
#   go_on_filling
#   read_disk ALIAS COMMAND   read through the QEMU of "new"
#   phase_is PHASE     of the first fill
#   filled NAME        wait until it is, and all of foresnap is gone
#   no_fill            none is under way
#   no_fill_is_left    and nothing is left of one
#   is_standalone NAME libvirt and QEMU know of nothing below its disks
#   has_disks NAME     its disks are those of the snapshot; it goes, and they

# Filling begins at once here: what the guest reads first is not waited for.
export FORESNAP_TEST_LEARN_MS=0
: "${PRIVATE_LIBVIRT=}" "${expect_out=}"

lazy_start ()
{
    REPO=$PRIVATE_LIBVIRT/repo
    STATE=$PRIVATE_LIBVIRT/state
    disks=$PRIVATE_LIBVIRT/disks
    mkdir -m 755 "$disks"
    id=0123456789abcdef0123456789abcdef
    make_disk "$disks/a.then" 48
    make_disk "$disks/b.then" 40
    qemu-img convert -f raw -O qcow2 "$disks/a.then" "$disks/a.qcow2"
    cp "$disks/b.then" "$disks/b.raw"
    disk_domain web "$disks/a.qcow2" "$disks/b.raw"
    snapshot_of web $id "$disks/a.then" "$disks/b.then"
}

phase_is ()
{
    [ "$(json "$(foresnap --json status)" domains.0.fill.phase 2>/dev/null)" = "$1" ]
}

lazily_halted ()
{
    local uuid
    expect_exit 0 foresnap restore $id --lazy --as new --dir "$disks"
    uuid=$(guest_virsh domuuid new | tr -d '\n')
    # it waits for another operation of foresnap, and then for another backup in QEMU
    touch "$STATE/$uuid.journal"
    guest_virsh start new >/dev/null
    halt_in_qemu
    rm "$STATE/$uuid.journal"
    wait_until 10 is_halted || fail "it does not wait: $(foresnap --json status)"
}

halt_in_qemu ()
{
    guest_virsh qemu-monitor-command new '{"execute":"nbd-server-start","arguments":{
        "addr":{"type":"inet","data":{"host":"127.0.0.1","port":"0"}}}}' >/dev/null
}

is_halted ()
{
    foresnap --json status | grep -q "in use by another backup"
}

go_on_filling ()
{
    guest_virsh qemu-monitor-command new '{"execute":"nbd-server-stop"}' >/dev/null
}

# read_disk TARGET QEMU-IO-COMMAND : as the guest would, through QEMU
read_disk ()
{
    local log=/var/log/libvirt/qemu/new.log before
    before=$(private_libvirt_exec cat $log | wc -l)
    guest_virsh qemu-monitor-command new --hmp "qemu-io -d /machine/peripheral/$1/virtio-backend \"$2\""
    # QEMU prints the result to its own output, which libvirt keeps.
    wait_until 40 eval "private_libvirt_exec tail -n +$((before + 1)) $log | grep -E '(read|wrote) [0-9]+/|failed'"
}

no_fill ()
{
    [ -z "$(find "$STATE/fill" -name '*.journal' 2>/dev/null)" ]
}

filled ()
{
    wait_until 60 no_fill || fail "it is not filled: $(foresnap --json status); $(cat "$STATE"/fill/*.log)
QEMU: $(private_libvirt_exec tail -n 15 "/var/log/libvirt/qemu/$1.log")"
    wait_until 10 eval "! kill_inside 0 foresnap-fill 2>/dev/null" || fail "foresnap-fill is left"
    no_fill_is_left
}

no_fill_is_left ()
{
    expect_equal "$(find "$STATE/fill" -name '*.status' -o -name '*.journal' 2>/dev/null)" "" "the fill's files"
    expect_equal "$(find "$REPO/marks" -type f 2>/dev/null)" "" "the marks"
    expect_equal "$(private_libvirt_exec find /var/lib/libvirt/qemu -name 'foresnap-fill-*')" "" "the sockets"
    ! pgrep -f "nbdkit .*$PRIVATE_LIBVIRT" >/dev/null || fail "nbdkit is left"
}

is_standalone ()
{
    local xml
    xml=$(guest_virsh dumpxml "$1"; guest_virsh dumpxml "$1" --inactive)
    expect_match "$xml" "$disks/" "the description"
    case $xml in
    *nbd*) fail "libvirt knows of a server: $xml" ;;
    esac
    case $(guest_virsh dumpxml "$1" --inactive) in
    *rerror_policy*) fail "the policy for errors is left" ;;
    esac
    case $(guest_virsh qemu-monitor-command "$1" '{"execute":"query-named-block-nodes","arguments":{"flat":true}}') in
    *nbd* | *fsn-*) fail "QEMU knows of a server" ;;
    esac
}

has_disks ()
{
    local image
    for image in "$disks/$1"-*.qcow2; do
        case $(qemu-img info -f qcow2 "$image") in
        *"backing file"*) fail "$image has something below it" ;;
        esac
    done
    expect_disk "$disks/$1-vda.qcow2" qcow2 "$disks/a.then"
    expect_disk "$disks/$1-vdb.qcow2" qcow2 "$disks/b.then"
    guest_virsh undefine "$1" >/dev/null
    rm "$disks/$1"-*
}
