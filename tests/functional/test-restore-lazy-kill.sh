#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A lazy restore that is killed at any step, of the restore or of the filling: before its files
# take their places nothing has changed, after that recovery serves and fills them.
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
(cd "$disks" && echo *) >"$PRIVATE_LIBVIRT/names"

with_fault ()
{
    env FORESNAP_TEST_KILL_AT="$1" bash -c ". '$top_srcdir/tests/functional/foresnap.sh'
        $(declare -f foresnap private_libvirt_exec)
        PRIVATE_LIBVIRT='$PRIVATE_LIBVIRT' foresnap restore $id --lazy ${*:2}"
}

for step in begun writing; do
    echo "killed at $step"
    expect_exit 137 with_fault $step --as new --dir "$disks"
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "changed nothing" "what recover says"
    expect_equal "$(cd "$disks" && echo *)" "$(cat "$PRIVATE_LIBVIRT/names")" "the files"
    no_fill_is_left
    expect_equal "$(guest_virsh list --all --name | tr -d '\n')" web "the domains"
done

for step in replacing defining filling; do
    echo "killed at $step"
    expect_exit 137 with_fault $step --as new --dir "$disks"
    expect_exit 1 foresnap delete $id
    expect_exit 0 foresnap recover
    expect_match "$expect_out" "served and filled" "what recover says"
    guest_virsh start new >/dev/null
    filled new
    is_standalone new
    guest_virsh destroy new >/dev/null
    has_disks new
done

# Who is started again has the same fault: it ends when none of them is left.
end_all ()
{
    while kill_inside 0 foresnap-fill 2>/dev/null || kill_inside 0 foresnap-guard 2>/dev/null; do
        kill_inside KILL foresnap-guard 2>/dev/null || :
        kill_inside KILL foresnap-fill 2>/dev/null || :
    done
}

for point in fill:copying fill:copied fill:cut fill:pulling fill:done fill:defined; do
    echo "the filling is killed at ${point#*:}"
    expect_exit 0 with_fault $point --as new --dir "$disks"
    pid=$(private_libvirt_exec pgrep -x foresnap-fill)
    guest_virsh start new >/dev/null
    wait_until 20 eval "! private_libvirt_exec kill -0 $pid 2>/dev/null" || fail "it is not killed"
    end_all
    expect_match "$(foresnap status)" "interrupted" "the status"
    expect_exit 0 foresnap recover
    filled new
    is_standalone new
    guest_virsh destroy new >/dev/null
    has_disks new
done

echo "in place, killed while the files take their places"
put_junk "$disks/a.qcow2" qcow2
expect_exit 137 with_fault replacing --no-keep --disk vda
expect_exit 0 foresnap recover
guest_virsh start web >/dev/null
filled web
is_standalone web
guest_virsh destroy web >/dev/null
expect_disk "$disks/a.qcow2" qcow2 "$disks/a.then"

echo "as often as it dies by itself it is taken up again, and then it says so"
expect_exit 0 with_fault fill:copying --as new --dir "$disks"
guest_virsh start new >/dev/null
wait_until 60 eval "grep -qs '\"attempts\" : 20' '$STATE'/fill/*.journal" || fail "it is not counted"
wait_until 20 eval "foresnap status | grep -q interrupted" || fail "it goes on"
end_all
expect_exit 0 foresnap recover
filled new
guest_virsh destroy new >/dev/null
has_disks new
private_libvirt_alive
