#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build-guest.sh OUTDIR : the files of the test guests, from what the distribution has:
#     vmlinuz          the newest cloud kernel of Debian (or $FSN_GUEST_KERNEL), as it is
#     initramfs        memguest as /init, and the virtio modules; the same bytes each time
#     initramfs-agent  the same with the QEMU guest agent, where this host has it, and a shell for
#                      what it is told to run
#     qemu-odd         the emulator wrapper, copied so that its time stamp stays
#     stamp            the reader of the serial console
#     kernel-version
# Where /boot has no such kernel it is looked for below $FSN_GUEST_ROOT (fetch-kernel.sh).
# Does nothing where all is there and newer than its source. Several may run at once.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
out=$1
modules='virtio_pci virtio_blk virtio_console virtio_balloon button evdev'

mkdir -p "$out"
cd "$out"
out=$PWD
exec 9>.lock
flock 9

root=${FSN_GUEST_ROOT:-}
image=${FSN_GUEST_KERNEL:-$(ls -v "$root"/boot/vmlinuz-*-cloud-amd64 2>/dev/null | tail -n 1)}
[ -r "$image" ] || {
    echo "build-guest.sh: no readable /boot/vmlinuz-*-cloud-amd64: install linux-image-cloud-amd64" >&2
    exit 1
}
version=${image##*/vmlinuz-}

newer=0
for source in "$here"/{memguest.c,stamp.c,qemu-odd,build-guest.sh} "$image"; do
    [ initramfs -nt "$source" ] || newer=1
done
PATH=$PATH:/usr/sbin:/sbin
agent=$(command -v qemu-ga || :)
[ -z "$agent" ] || [ initramfs-agent -nt "$agent" ] || newer=1
[ "$newer" = 1 ] || [ "$(cat kernel-version)" != "$version" ] || exit 0

work=$(mktemp -d .build.XXXXXX)
trap 'rm -rf "$out/$work"' EXIT
cc=${FSN_GUEST_CC:-cc}
"$cc" -std=gnu11 -O2 -Wall -Wextra -o "$work/stamp" "$here/stamp.c"
mkdir -p "$work/root/modules"
"$cc" -std=gnu11 -O2 -Wall -Wextra -static -s -D_GNU_SOURCE -o "$work/root/init" "$here/memguest.c"

# Built-in drivers are listed as "builtin", the others with all they need before them.
for module in $modules; do
    modprobe --dirname "$root/" --set-version "$version" --show-depends "$module"
done | while read -r kind path _; do
    [ "$kind" = insmod ] || continue
    name=${path##*/}
    name=${name%.xz}
    name=${name%.zst}
    grep -qx "$name" "$work/root/modules/order" 2>/dev/null && continue
    case $path in
    *.xz) xz -dc "$path" >"$work/root/modules/$name" ;;
    *.zst) zstd -qdc "$path" >"$work/root/modules/$name" ;;
    *) cp "$path" "$work/root/modules/$name" ;;
    esac
    echo "$name" >>"$work/root/modules/order"
done

# Not compressed: under software emulation unpacking takes longer than reading.
archive ()
(
    cd "$1"
    chmod -R u=rwX,go=rX .
    find . -exec touch -h -d @0 {} +
    find . -print0 | sort -z |
        cpio --quiet --null --create --format=newc --owner=0:0 --reproducible
)

archive "$work/root" >"$work/initramfs"

# A second archive behind the first: the agent and its libraries.
if [ -n "$agent" ]; then
    mkdir -p "$work/agent"/{sbin,usr/sbin}
    install -m 755 "$agent" "$work/agent/usr/sbin/qemu-ga"
    ln -s /init "$work/agent/sbin/hwclock"
    programs=("$agent")
    mkdir "$work/agent/bin"
    for program in dash sleep kill; do
        # -P: kill is a builtin too
        programs+=("$(type -P "$program")")
        install -m 755 "${programs[-1]}" "$work/agent/bin/$program"
    done
    ln -s dash "$work/agent/bin/sh"
    ldd "${programs[@]}" | grep -o '^[[:space:]].*/[^ ]*' | grep -o '/[^ ]*' | sort -u | while read -r library; do
        install -D -m 755 "$library" "$work/agent$library"
    done
    { cat "$work/initramfs"; archive "$work/agent"; } >"$work/initramfs-agent"
    mv "$work/initramfs-agent" .
fi

cp "$image" "$work/vmlinuz"
chmod 644 "$work/vmlinuz"
cmp -s "$here/qemu-odd" qemu-odd || install -m 755 "$here/qemu-odd" qemu-odd
echo "$version" >kernel-version
mv "$work/vmlinuz" "$work/stamp" .
mv "$work/initramfs" initramfs
