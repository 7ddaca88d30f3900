#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A restore that is killed at any step: before its files take their places nothing has
# changed, after that recovery completes it.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
. "$top_srcdir"/tests/functional/stored-disk.sh
requires "nbdkit is not installed" nbdkit --version
requires "qemu-img is not installed" qemu-img --version
private_libvirt_requires
private_libvirt_start
REPO=$PRIVATE_LIBVIRT/repo
disks=$PRIVATE_LIBVIRT/disks
mkdir -m 755 "$disks"
id=0123456789abcdef0123456789abcdef
make_disk "$disks/a.then" 48
make_disk "$disks/b.then" 40
qemu-img convert -f raw -O qcow2 "$disks/a.then" "$disks/a.qcow2"
cp "$disks/b.then" "$disks/b.raw"
disk_domain web "$disks/a.qcow2" "$disks/b.raw"
snapshot_of web $id "$disks/a.then" "$disks/b.then"
put_junk "$disks/a.qcow2" qcow2
put_junk "$disks/b.raw" raw
mkdir "$PRIVATE_LIBVIRT/junk"
cp -a "$disks"/{a.qcow2,b.raw} "$PRIVATE_LIBVIRT/junk"

# the state before: no file more, and both disks as they were
as_before ()
{
    cmp "$disks/a.qcow2" "$PRIVATE_LIBVIRT/junk/a.qcow2"
    cmp "$disks/b.raw" "$PRIVATE_LIBVIRT/junk/b.raw"
    expect_equal "$(cd "$disks" && echo *)" "a.qcow2 a.then b.raw b.then" "the files"
    expect_equal "$(guest_virsh list --all --name | tr -d '\n')" web "the domains"
}

killed ()
{
    expect_exit 137 env FORESNAP_TEST_KILL_AT="$1" \
        bash -c ". '$top_srcdir/tests/functional/foresnap.sh'; $(declare -f foresnap private_libvirt_exec)
            PRIVATE_LIBVIRT='$PRIVATE_LIBVIRT' foresnap restore $id ${*:2}"
    pgrep -f "nbdkit .*$PRIVATE_LIBVIRT" >/dev/null && fail "nbdkit is left" || :
}

for step in begun writing; do
    echo "in place, killed at $step"
    killed $step --no-keep
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "changed nothing" "what recover says"
    as_before
    echo "as a new domain, killed at $step"
    killed $step --as new --dir "$disks"
    expect_exit 0 foresnap recover
    as_before
done

echo "killed while it writes"
mkdir "$PRIVATE_LIBVIRT/tmp"
export TMPDIR=$PRIVATE_LIBVIRT/tmp
for after in 0.05 0.1 0.2 0.3; do
    foresnap restore $id --no-keep >/dev/null 2>&1 &
    restoring=$!
    sleep $after
    kill_inside KILL foresnap 2>/dev/null || :
    wait "$restoring" || :
    expect_exit 0 foresnap recover
    if cmp -s "$disks/b.raw" "$PRIVATE_LIBVIRT/junk/b.raw"; then
        as_before
    else
        # it was quicker
        expect_disk "$disks/a.qcow2" qcow2 "$disks/a.then"
        expect_disk "$disks/b.raw" raw "$disks/b.then"
    fi
    cp -a "$PRIVATE_LIBVIRT"/junk/* "$disks"
    expect_equal "$(ls "$TMPDIR")" "" "what is left in the folder for temporary files"
done
unset TMPDIR

for step in replacing defining; do
    echo "in place, killed at $step"
    killed $step --no-keep
    expect_match "$(foresnap status)" "interrupted" "the status"
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "the disks are restored" "what recover says"
    expect_disk "$disks/a.qcow2" qcow2 "$disks/a.then"
    expect_disk "$disks/b.raw" raw "$disks/b.then"
    expect_equal "$(cd "$disks" && echo *)" "a.qcow2 a.then b.raw b.then" "the files"
    cp -a "$PRIVATE_LIBVIRT"/junk/* "$disks"
    echo "as a new domain, killed at $step"
    killed $step --as new --dir "$disks"
    expect_exit 0 foresnap recover
    expect_disk "$disks/new-vda.qcow2" qcow2 "$disks/a.then"
    expect_disk "$disks/new-vdb.raw" raw "$disks/b.then"
    guest_virsh start new >/dev/null
    guest_virsh destroy new >/dev/null
    guest_virsh undefine new >/dev/null
    rm "$disks"/new-*
    as_before
done

echo "started by somebody in between"
killed replacing --no-keep
guest_virsh start web >/dev/null
expect_exit 0 foresnap recover
expect_match "$expect_out" "started by somebody" "what recover says"
expect_equal "$(cd "$disks" && echo *)" "a.qcow2 a.then b.raw b.then" "the files"
guest_virsh destroy web >/dev/null

echo "interrupted by a signal"
for after in 0.05 0.15; do
    foresnap restore $id --no-keep >/dev/null 2>&1 &
    restoring=$!
    sleep $after
    kill_inside INT foresnap 2>/dev/null || :
    wait "$restoring" || :
    expect_equal "$(cd "$disks" && echo *)" "a.qcow2 a.then b.raw b.then" "the files"
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "nothing to recover" "what recover says"
done
private_libvirt_alive
