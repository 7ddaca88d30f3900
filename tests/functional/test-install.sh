#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make install puts units, configuration and completion where they are looked for, below DESTDIR and
# nowhere else; a configuration that was changed survives a second one and 'make uninstall'.
. "${top_srcdir:?}"/tests/functional/functions.sh || exit 1
requires "make is not installed" command -v make
test_dir
dest=${TEST_DIR:?}/dest

installs ()
{
    make -C "$top_builddir" "$1" DESTDIR="$dest" prefix=/opt/f sysconfdir=/etc/f >"$TEST_DIR/out" 2>&1 ||
        fail "$(tail -n 20 "$TEST_DIR/out")"
}

# a tree that is not built would be built now, in the middle of a test
requires "this is no built tree" test -x "$top_builddir/foresnapd"
installs install
unit=$dest/opt/f/lib/systemd/system/foresnapd.service
[ -f "$unit" ] || fail "no unit: $(find "$dest" -type f | head -n 50)"
grep -q '^ExecStart=/.*sbin/foresnapd --foreground$' "$unit" || fail "its unit: $(cat "$unit")"
[ -f "$dest/opt/f/lib/systemd/system/foresnap-savefs.service" ] || fail "no unit of savefs"
conf=$dest/etc/f/foresnap/foresnapd.conf
cmp "$top_srcdir/scripts/foresnapd.conf" "$conf" || fail "no configuration"
[ -f "$dest/opt/f/share/bash-completion/completions/foresnap" ] || fail "no completion for bash"
[ -f "$dest/opt/f/share/zsh/site-functions/_foresnap" ] || fail "no completion for zsh"
[ -f "$dest/opt/f/share/foresnap/examples/hooks/post-snapshot.d/90-syslog" ] || fail "no example of a hook"
[ -z "$(find "$dest" -mindepth 1 -maxdepth 1 ! -name opt ! -name etc)" ] || fail "elsewhere: $(ls "$dest")"

echo "what was changed stays"
echo "# mine" >>"$conf"
installs install
expect_match "$(cat "$conf")" "# mine" "the configuration after a second install"
installs uninstall
expect_equal "$(find "$dest" -type f -printf '%P\n')" etc/f/foresnap/foresnapd.conf "what is left"
