#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build-debian.sh OUTDIR : a small Debian with PostgreSQL and the QEMU guest agent, for the test
# that snapshots a real database:
#     debian.raw      its disk, without partitions, sparse
#     vmlinuz initrd  its kernel, to be started from outside
#     version         of PostgreSQL, e.g. 15
# Made by debootstrap from Debian's packages, as root; takes minutes, and does nothing where all is
# there and newer than this file. Several may run at once. Nothing of it is ever mounted.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
here=$(cd "$(dirname "$0")" && pwd)
out=$1
release=${FSN_DEBIAN_RELEASE:-bookworm}
PATH=$PATH:/usr/sbin:/sbin

mkdir -p "$out"
cd "$out"
out=$PWD
exec 9>.lock
flock 9
[ ! version -nt "$here/${0##*/}" ] || exit 0

work=$(mktemp -d "$out/.debian.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root
# Its mounts are those of a namespace that ends with it.
unshare --mount --pid --fork --kill-child debootstrap --variant=minbase \
    --include=systemd-sysv,udev,ca-certificates "$release" "$root" >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 1; }

# No service starts in there, and what is fetched does not stay.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cat /etc/resolv.conf >"$root/etc/resolv.conf"
mkdir -p "$root/etc/initramfs-tools/conf.d"
echo 'MODULES=list' >"$root/etc/initramfs-tools/conf.d/modules"
mkdir -p "$root/etc/initramfs-tools"
printf 'virtio_pci\nvirtio_blk\next4\n' >"$root/etc/initramfs-tools/modules"
for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf; do
    [ ! -f "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"
done
unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" \
    chroot "$root" sh -ec '
        apt-get -q -y --no-install-recommends install \
            linux-image-cloud-amd64 initramfs-tools postgresql qemu-guest-agent
        apt-get clean' >"$work/log" 2>&1 9>&- || { tail -n 20 "$work/log" >&2; exit 1; }
rm -rf "$root"/usr/sbin/policy-rc.d "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
rm -f "$root"/etc/apt/apt.conf.d/*proxy* "$root"/etc/resolv.conf
echo debian >"$root/etc/hostname"
echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
# Under software emulation every unit that is not needed costs seconds.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    systemd-timesyncd.service systemd-networkd.service e2scrub_reap.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
for config in "$root"/etc/postgresql/*/main; do
    version=${config%/main}
    version=${version##*/}
    echo 'max_wal_size = 128MB' >"$config/conf.d/test.conf"
done

cp "$(ls -v "$root"/boot/vmlinuz-* | tail -n 1)" "$work/vmlinuz"
cp "$(ls -v "$root"/boot/initrd.img-* | tail -n 1)" "$work/initrd"
chmod 644 "$work/vmlinuz" "$work/initrd"
truncate -s 3G "$work/debian.raw"
mkfs.ext4 -q -d "$root" "$work/debian.raw"
mv "$work"/{vmlinuz,initrd,debian.raw} .
echo "$version" >version
