#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages: built by dpkg-buildpackage without a network, accepted by lintian without
# errors, and what is unpacked runs.
. "${top_srcdir:-.}"/tests/functional/functions.sh
long_test
requires "dpkg-buildpackage is not installed" command -v dpkg-buildpackage
requires "lintian is not installed" command -v lintian
requires "debhelper is not installed" command -v dh
requires "git is not installed" command -v git
requires "the sources are not those of git" git -C "$top_srcdir" rev-parse
requires "it needs a network namespace" unshare --net true
test_dir

echo "built without a network"
mkdir "$TEST_DIR/foresnap"
(cd "$top_srcdir" && git ls-files -z | tar -c --null -T - -f -) | tar -C "$TEST_DIR/foresnap" -xf -
(cd "$TEST_DIR/foresnap" && DEB_BUILD_OPTIONS=parallel=$(nproc) unshare --net dpkg-buildpackage -us -uc -b) \
    >"$TEST_DIR/log" 2>&1 || fail "$(tail -n 40 "$TEST_DIR/log")"

echo "lintian has nothing against it"
lintian --fail-on error --no-tag-display-limit "$TEST_DIR"/foresnap*.deb >"$TEST_DIR/lintian" 2>&1 ||
    fail "$(cat "$TEST_DIR/lintian")"

echo "what is in it runs"
for package in "$TEST_DIR"/foresnap*.deb; do
    case $package in
    *-dbgsym_*) ;;
    *) dpkg-deb -x "$package" "$TEST_DIR/root" ;;
    esac
done
expect_exit 0 env FORESNAP_DATA_DIR="$TEST_DIR/root/usr/share/foresnap" "$TEST_DIR/root/usr/bin/foresnap" profile list
expect_match "$expect_out" "detailed" "the profiles"
for file in usr/libexec/foresnap/foresnap-pager usr/share/bash-completion/completions/foresnap \
    usr/share/zsh/vendor-completions/_foresnap usr/share/man/man1/foresnap-plan.1.gz etc/foresnap/hooks; do
    [ -e "$TEST_DIR/root/$file" ] || fail "there is no $file"
done
