#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# export --disk: raw and qcow2 files are the stored disk, sparse, and appear as a whole or
# not at all.
. "${top_srcdir:-.}"/tests/functional/functions.sh
. "$top_srcdir"/tests/functional/stored-disk.sh
requires "nbdkit is not installed" nbdkit --version
requires "qemu-img is not installed" qemu-img --version
test_dir
REPO=$TEST_DIR/repo
id=0123456789abcdef0123456789abcdef
out=$TEST_DIR/out
mkdir "$out"
make_disk "$TEST_DIR/disk" 48
store_disks $id web 0f0e0d0c-0b0a-0908-0706-050403020100 -- vda "$TEST_DIR/disk" qcow2

# nothing_else FILE… : the folder holds these and nothing more
nothing_else ()
{
    expect_equal "$(cd "$out" && echo *)" "${*:-*}" "what is in the folder"
}

expect_exit 2 plain_foresnap export $id
expect_exit 2 plain_foresnap export $id --disk vda
expect_exit 2 plain_foresnap export $id --disk vda --save-image "$out/x"
expect_exit 2 plain_foresnap export $id --disk vda --format vmdk "$out/x"
expect_exit 2 plain_foresnap export $id --save-image "$out/x" --force
expect_exit 1 plain_foresnap export $id --disk vdz "$out/x"
nothing_else

expect_exit 0 plain_foresnap export $id --disk vda --format raw "$out/raw" --json
expect_match "$expect_out" '"disk" : "vda"' "the document"
cmp "$TEST_DIR/disk" "$out/raw"
expect_at_most $(($(stat -c %b "$out/raw") * 512)) $((4 << 20)) "the space that it takes"
expect_equal "$(stat -c %a "$out/raw")" 600 "its mode"
# in the format that it had
(cd "$out" && expect_exit 0 plain_foresnap export $id --disk vda qcow2)
qemu-img info "$out/qcow2" | grep 'file format: qcow2' >/dev/null || fail "it is no qcow2"
qemu-img compare -f raw -F qcow2 "$TEST_DIR/disk" "$out/qcow2" >/dev/null || fail "qcow2 differs"
qemu-img check -q "$out/qcow2"
expect_at_most $(($(stat -c %b "$out/qcow2") * 512)) $((6 << 20)) "the space that it takes"
nothing_else qcow2 raw

echo mine >"$out/raw"
for format in raw qcow2; do
    expect_exit 1 plain_foresnap export $id --disk vda --format $format "$out/raw" --json
    expect_match "$expect_out" '"code" : "exists"' "the document"
    expect_equal "$(cat "$out/raw")" mine "the file"
done
expect_exit 1 plain_foresnap export $id --disk vda --force "$out"
expect_exit 0 plain_foresnap export $id --disk vda --format raw --force "$out/raw"
cmp "$TEST_DIR/disk" "$out/raw"
nothing_else qcow2 raw

# damage: the old file stays
pack=$(find "$REPO/packs" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
flip_byte "$pack" $(($(stat -c %s "$pack") / 2))
for format in raw qcow2; do
    expect_exit 1 plain_foresnap export $id --disk vda --format $format --force "$out/raw"
    cmp "$TEST_DIR/disk" "$out/raw"
    nothing_else qcow2 raw
done
