#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory of another machine is refused, by foresnap, by libvirt or, once it is being loaded, by
# QEMU. The guest does not run, and its state stays what it was: guarded and unused.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow
guest_start one 192 --fill 96 --domain "<cpu match='exact'><model>qemu64</model>
    <feature policy='require' name='lahf_lm'/></cpu>"
machine=$(guest_virsh dumpxml one | grep -o 'pc-q35-[0-9.]*')
image=$PRIVATE_LIBVIRT/one.save
guest_virsh save one "$image" >/dev/null

# import_edited BYTES FROM TO : an image in whose first BYTES that is something else. The
# description is in the first 60000; the stream, which begins with the machine, lies behind.
import_edited ()
{
    cp -p "$image" "$image.edited"
    perl -e 'open my $file, "+<:raw", shift or die; read $file, my $text, shift;
        my ($from, $to) = @ARGV;
        $text =~ s/\Q$from\E/$to/g && length $from == length $to or die "not edited";
        seek $file, 0, 0; print $file $text or die' "$image.edited" "$@"
    expect_exit 0 foresnap import one "$image.edited"
}

# refused WHY [OPTION]… : and discarded then
refused ()
{
    local why=$1
    shift
    expect_exit 1 foresnap resume one "$@"
    expect_match "$expect_err" "cannot resume 'one': .*$why" "the refusal"
    off one || fail "the guest is $(reason one)"
    expect_equal "$(ls "$REPO/marks")" "$(newest).armed" "the marks of the state"
    ! guest_virsh start one 2>/dev/null || fail "the domain was booted over its memory"
}

echo "a description that is not the stream's"
import_edited 60000 "$machine" "${machine%?}9"
refused "names machine '$machine' .* says '${machine%?}9'"
expect_exit 0 foresnap discard one

echo "a machine that this QEMU does not have"
import_edited 100000 "$machine" "${machine%?}9"
refused "machine type '${machine%?}9'"
expect_exit 0 foresnap discard one

# Only of emulation is it known what it does not have.
if ! kvm_works; then
    echo "a CPU that this host does not have"
    import_edited 100000 "'lahf_lm'" "'avx512f'"
    refused "avx512f"
    expect_exit 0 foresnap discard one
fi

echo "memory of another size"
import_edited 60000 "KiB'>196608<" "KiB'>229376<"
refused "pc.ram"
refused "pc.ram" --mode eager
expect_exit 0 foresnap discard one

echo "the image as it was"
expect_exit 0 foresnap import one "$image"
expect_exit 0 foresnap resume one
wait_loaded one
guest_verify one
expect_clean
