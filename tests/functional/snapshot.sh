# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of snapshots share. It sources what it needs, foresnap.sh among it.
#
#   snapshot_start [OPTION]…    start a private libvirt with the permission for background
#                               snapshots; $REPO, $STATE and $IMAGES are folders
#   make_disk NAME FORMAT SIZE  an image in $IMAGES that QEMU may use
#   disk_xml TARGET NAME FORMAT print its <disk>
#   guest_with_disks NAME MIB   start a guest with vda, qcow2 of 256 MiB, and vdb, raw of
#                               128 MiB
#   snapshot ARG…               take one of the guest "one"; sets $snapshot to its id and
#                               $expect_out to the document
#   expect_disk SNAPSHOT TARGET FILE FORMAT    the snapshot's disk is byte by byte that image
#   is_reading                  a snapshot has its instant and is read
#   no_journal                  no operation is under way, or interrupted
#   qemu_leftovers NAME         print what a snapshot may leave in QEMU: jobs, exports, nodes,
#                               the server, bitmaps beyond one to a disk
#   expect_as_before NAME       nothing of it is left, nothing is under way, and it runs

# shellcheck source=tests/functional/resume.sh
. "${top_srcdir:-.}"/tests/functional/resume.sh

snapshot_start ()
{
    requires "qemu-img is not installed" command -v qemu-img
    resume_start "$@"
    userfaultfd_allow
    IMAGES=$PRIVATE_LIBVIRT/images
}

make_disk ()
{
    private_libvirt_exec qemu-img create -q -f "$2" "$IMAGES/$1" "$3"
    private_libvirt_exec chmod 666 "$IMAGES/$1"
}

disk_xml ()
{
    cat <<END
<disk type='file' device='disk'><driver name='qemu' type='$3'/><source file='$IMAGES/$2'/>
<target dev='$1' bus='virtio'/></disk>
END
}

guest_with_disks ()
{
    local name=$1 mib=$2
    shift 2
    make_disk "$name-a.qcow2" qcow2 256M
    make_disk "$name-b.raw" raw 128M
    guest_start "$name" "$mib" "$@" --devices "$(disk_xml vda "$name-a.qcow2" qcow2)$(disk_xml vdb "$name-b.raw" raw)"
}

snapshot ()
{
    expect_exit 0 foresnap --json snapshot one "$@"
    snapshot=$(json "$expect_out" snapshot)
}

expect_disk ()
{
    local snapshot=$1 target=$2 image=$3 format=$4 out=$PRIVATE_LIBVIRT/exported
    rm -f "$out"
    expect_exit 0 foresnap export "$snapshot" --disk "$target" --format raw "$out"
    private_libvirt_exec qemu-img compare -q -U -f raw -F "$format" "$out" "$image" ||
        fail "disk $target of snapshot $snapshot is not as $image"
    rm -f "$out"
}

is_reading ()
{
    grep -qs '"step" : "reading"' "$STATE"/*.journal
}

no_journal ()
{
    [ -z "$(find "$STATE" -name '*.journal')" ]
}

qmp ()
{
    guest_virsh qemu-monitor-command "$1" "$2"
}

qemu_leftovers ()
{
    {
        qmp "$1" '{"execute":"query-jobs"}'
        qmp "$1" '{"execute":"query-block-exports"}'
        qmp "$1" '{"execute":"query-named-block-nodes","arguments":{"flat":true}}'
        [ -n "${ignore_descriptors:-}" ] || qmp "$1" '{"execute":"query-fdsets"}'
    } | perl -MJSON::PP -0777 -e '
        for my $answer (JSON::PP->new->incr_parse(<STDIN>)) {
            for my $o (@{$answer->{return}}) {
                my $name = $o->{"node-name"};
                if (defined $name) {
                    print "node $name\n" if $name =~ /^fsn-/;
                    my @ours = map { $_->{name} // "" } @{$o->{"dirty-bitmaps"} // []};
                    @ours = grep { /^foresnap-/ } @ours;
                    print "bitmaps @ours\n" if @ours > 1;
                } else {
                    print "job, export or set ", $o->{id} // $o->{"fdset-id"}, "\n";
                }
            }
        }'
    # Whoever starts the server finds out whether there is one.
    if qmp "$1" '{"execute":"nbd-server-stop"}' | grep -q '"return":{}'; then
        echo "NBD server"
    fi
}

expect_as_before ()
{
    expect_equal "$(qemu_leftovers "$1")" "" "what is left in QEMU"
    expect_equal "$(leftovers)" "" "what is left"
    expect_domain "$1" running
    guest_wait_heartbeat "$1" 20
    guest_verify "$1"
    ! grep -q ' DISK ' "$(guest_log "$1")" || fail "the guest has met: $(grep ' DISK ' "$(guest_log "$1")")"
}
