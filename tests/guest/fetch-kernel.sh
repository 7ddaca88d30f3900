#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-kernel.sh DIR : unpacks Debian's cloud kernel below DIR, without installing it
# (a test must not change what the machine boots), unless there is one in /boot or DIR.
# Needs no root. Tell build-guest.sh by FSN_GUEST_ROOT=DIR.
set -euo pipefail
dir=$1
compgen -G '/boot/vmlinuz-*-cloud-amd64' >/dev/null && exit 0
compgen -G "$dir/boot/vmlinuz-*-cloud-amd64" >/dev/null && exit 0
PATH=$PATH:/usr/sbin:/sbin
package=$(apt-cache depends linux-image-cloud-amd64 |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | tail -n 1)
[ -n "$package" ] || { echo "fetch-kernel.sh: apt knows no linux-image-cloud-amd64" >&2; exit 1; }
echo "Downloading with apt-get: $package"
mkdir -p "$dir"
cd "$dir"
apt-get -q download "$package"
dpkg-deb -x "$package"_*.deb .
rm -f "$package"_*.deb
version=${package#linux-image-}
# Since Debian 13 the package counts on /lib being a link.
[ -e lib ] || ln -s usr/lib lib
depmod -b "$PWD" "$version"
