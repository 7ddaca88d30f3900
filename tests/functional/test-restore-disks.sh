#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# restore of disks: byte-identical, in place and as a new domain; whatever cannot be done is
# refused with its reason, and touches nothing.
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
qemu-img convert -f raw -O qcow2 "$disks/a.then" "$disks/base.qcow2"
qemu-img create -q -f qcow2 -b "$disks/base.qcow2" -F qcow2 "$disks/a.qcow2"
cp "$disks/b.then" "$disks/b.real"
ln -s b.real "$disks/b.raw"
disk_domain web "$disks/a.qcow2" "$disks/b.raw"
snapshot_of web $id "$disks/a.then" "$disks/b.then"

spoil ()
{
    put_junk "$disks/a.qcow2" qcow2
    put_junk "$disks/b.real" raw
    sha256sum "$disks/a.qcow2" "$disks/b.real" "$disks/base.qcow2" >"$PRIVATE_LIBVIRT/before"
    (cd "$disks" && ls >"$PRIVATE_LIBVIRT/names")
    guest_virsh list --all >"$PRIVATE_LIBVIRT/domains"
}

untouched ()
{
    sha256sum --quiet -c "$PRIVATE_LIBVIRT/before" || fail "a disk was touched"
    diff "$PRIVATE_LIBVIRT/names" <(cd "$disks" && ls) || fail "the files differ"
    diff "$PRIVATE_LIBVIRT/domains" <(guest_virsh list --all) || fail "the domains differ"
    expect_equal "$(find "$PRIVATE_LIBVIRT/state" -name '*.journal')" "" "the journals"
}

# refused STATUS WHY ARG… : restore is refused and touches nothing
refused ()
{
    local status=$1 why=$2
    shift 2
    expect_exit "$status" foresnap restore "$@"
    expect_match "$expect_err" "$why" "the reason"
    untouched
}

spoil
echo "refusals"
refused 2 'place for its disks' $id --as new
refused 2 'place for its disks' $id --as new --dir "$disks" --pool default
refused 2 'for a new domain' $id --dir "$disks"
refused 1 "no disk 'vdz'" $id --no-keep --disk vdz
refused 1 "a domain 'web' already" $id --as web --dir "$disks"
refused 2 "cannot be the name" $id --as ../new --dir "$disks"
refused 1 "no folder" $id --as new --dir "$disks/none"
refused 1 "no storage pool 'none'" $id --as new --pool none
touch "$disks/new-vdb.raw"
spoil
refused 1 "new-vdb.raw' is there already" $id --as new --dir "$disks"
rm "$disks/new-vdb.raw"
private_libvirt_exec mount -t tmpfs -o size=2M tmpfs /mnt
spoil
refused 1 "MiB left" $id --as new --dir /mnt
guest_virsh start web >/dev/null
guest_virsh list --all >"$PRIVATE_LIBVIRT/domains"
expect_exit 1 foresnap restore $id --no-keep
expect_match "$expect_err" "'web' is running" "the reason"
guest_virsh destroy web >/dev/null

echo "in place"
chown 12:34 "$disks/b.real"
chmod 640 "$disks/b.real"
spoil
expect_exit 0 foresnap restore $id --no-keep --json
expect_json "$expect_out" domain web
expect_json "$expect_out" disks.length 2
expect_json "$expect_out" started 0
expect_disk "$disks/a.qcow2" qcow2 "$disks/a.then"
expect_disk "$disks/b.real" raw "$disks/b.then"
[ -L "$disks/b.raw" ] || fail "the link was replaced"
expect_equal "$(stat -c %u:%g:%a "$disks/b.real")" 12:34:640 "owner and mode"
! qemu-img info "$disks/a.qcow2" | grep 'backing file' || fail "it has a backing file"
qemu-img info --output=json "$disks/a.qcow2" | grep -o '"name": "foresnap-[^"]*"' >"$PRIVATE_LIBVIRT/bitmap" ||
    fail "it has no bitmap"
expect_match "$(cat "$PRIVATE_LIBVIRT/bitmap")" "foresnap-[0-9a-f]{8}-$id" "the bitmap"
diff "$PRIVATE_LIBVIRT/names" <(cd "$disks" && ls) || fail "something is left"
guest_virsh dumpxml web --inactive >"$PRIVATE_LIBVIRT/after.xml"
diff <(grep -v genid "$PRIVATE_LIBVIRT/web.inactive.xml") <(grep -v genid "$PRIVATE_LIBVIRT/after.xml") |
    grep '^[<>]' && fail "the description differs"
! grep -q 3e3fce45 "$PRIVATE_LIBVIRT/after.xml" || fail "the generation id is the old one"

echo "one disk, lost"
spoil
rm "$disks/a.qcow2"
expect_exit 0 foresnap restore $id --no-keep --disk vda --start
expect_equal "$(guest_virsh domstate web)" running "the state"
guest_virsh destroy web >/dev/null
expect_disk "$disks/a.qcow2" qcow2 "$disks/a.then"
! cmp -s "$disks/b.real" "$disks/b.then" || fail "the other disk was restored too"

echo "as a new domain"
spoil
expect_exit 0 foresnap restore $id --as new --dir "$disks" --start --json
expect_json "$expect_out" domain new
expect_json "$expect_out" started 1
guest_virsh destroy new >/dev/null
expect_disk "$disks/new-vda.qcow2" qcow2 "$disks/a.then"
expect_disk "$disks/new-vdb.raw" raw "$disks/b.then"
sha256sum --quiet -c "$PRIVATE_LIBVIRT/before" || fail "the original was touched"
guest_virsh dumpxml new --inactive >"$PRIVATE_LIBVIRT/new.xml"
for old in "$(guest_virsh domuuid web | tr -d '\n')" 52:54:00:12:34:56 3e3fce45 "$disks/a.qcow2" "$disks/b.raw"; do
    ! grep -qF "$old" "$PRIVATE_LIBVIRT/new.xml" || fail "the new domain has '$old'"
done
grep -q "<serial>one</serial>" "$PRIVATE_LIBVIRT/new.xml" || fail "the new domain has not all of the old"

echo "into a pool"
mkdir "$PRIVATE_LIBVIRT/pool"
guest_virsh pool-define-as there dir --target "$PRIVATE_LIBVIRT/pool" >/dev/null
expect_exit 1 foresnap restore $id --as pooled --pool there
expect_match "$expect_err" "pool-start there" "the reason"
guest_virsh pool-start there >/dev/null
expect_exit 0 foresnap restore $id --as pooled --pool there
expect_disk "$PRIVATE_LIBVIRT/pool/pooled-vda.qcow2" qcow2 "$disks/a.then"
expect_match "$(guest_virsh vol-list there)" pooled-vdb.raw "the pool"

echo "damaged"
pack=$(find "$REPO/packs" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
flip_byte "$pack" $(($(stat -c %s "$pack") / 2))
spoil
refused 1 . $id --no-keep
refused 1 . $id --as other --dir "$disks"
root=$(find "$REPO/roots" -type f | head -n 1)
mv "$root" "$PRIVATE_LIBVIRT/root"
refused 1 . $id --no-keep
mv "$PRIVATE_LIBVIRT/root" "$root"
private_libvirt_alive
