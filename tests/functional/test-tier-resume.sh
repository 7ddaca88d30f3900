#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A resume reads from a tier what that has, and does not notice when the tier is damaged.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
test_dir
private_libvirt_start
guest_start web 256

foresnap ()
{
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$top_builddir" FORESNAP_REPO="$TEST_DIR/repo" \
        "$top_builddir/foresnap" -c qemu:///system "$@"
}

mkdir "$TEST_DIR/fast"
expect_exit 0 foresnap tier add fast "$TEST_DIR/fast" --max-size 1G
guest_verify web

# With everything in the tier, the packs of the repository are not missed.
expect_exit 0 foresnap suspend web --paused
expect_exit 0 foresnap prefetch web --all
expect_match "$expect_out" "^copied .* to tier 'fast'" "the output"
mv "$TEST_DIR/repo/packs" "$TEST_DIR/packs-away"
expect_exit 0 foresnap resume web --mode lazy --wait
mv "$TEST_DIR/packs-away" "$TEST_DIR/repo/packs"
guest_verify web

# With every copy damaged, the tier is not missed.
expect_exit 0 foresnap suspend web --paused
expect_exit 0 foresnap prefetch web --all
find "$TEST_DIR/fast" -type f -size +1k | while read -r copy; do
    printf damage | dd of="$copy" bs=1 seek=600 conv=notrunc status=none
done
expect_exit 0 foresnap resume web --mode lazy --wait
guest_verify web

# A suspend writes what it stores to a tier that asks for it; packs that were there before it
# are left to prefetch. With the tier gone, it is not missed.
expect_exit 0 foresnap tier remove fast --purge
[ ! -e "$TEST_DIR/fast/foresnap-tier" ] || fail "copies are left in the tier"
expect_exit 0 foresnap tier add fast "$TEST_DIR/fast" --write-through
expect_exit 0 foresnap suspend web --paused
expect_exit 0 foresnap prefetch web --all --json
expect_match "$expect_out" '"bytes_present" : [1-9]' "what the suspend has written"
rm -r "$TEST_DIR/fast"
expect_exit 0 foresnap resume web --mode lazy --wait
guest_verify web
private_libvirt_alive
