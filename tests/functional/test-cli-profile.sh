#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Profiles from the command line: what there is, what is wrong with one, what each value comes
# from; that nothing unsound is saved; and that the manual has every key and default.
. "${top_srcdir:-.}"/tests/functional/functions.sh
test_dir
export TMPDIR=$TEST_DIR
build=$(cd "$top_builddir" && pwd)
export FORESNAP_CONFIG_DIR=$TEST_DIR/etc XDG_CONFIG_HOME=$TEST_DIR/home
if [ "$(id -u)" = 0 ]; then
    own=$TEST_DIR/etc/profiles
else
    own=$TEST_DIR/home/foresnap/profiles
fi
mkdir -p "$own"

foresnap ()
{
    "$build/run" "$build/foresnap" "$@"
}

profile ()
{
    foresnap profile "$@"
}

echo "those that come with foresnap"
expect_exit 0 profile list
for name in minimal standard detailed raw; do
    expect_match "$expect_out" "$name +shipped +sound" "the list"
done
expect_exit 0 profile check
expect_exit 0 profile diff standard detailed
expect_match "$expect_out" "memory.base +standard +detailed" "the difference"
expect_exit 0 profile diff raw raw
expect_match "$expect_out" "come to the same" "the difference"

echo "a profile of one's own"
expect_exit 0 profile copy standard web
expect_exit 0 profile set web memory.cpu-high=60% "partition.exclude=type:swap; label:scratch*" \
    keep-daily=14
expect_exit 0 profile show web
expect_match "$expect_out" "memory.cpu-high +60% +$own/web.profile:[0-9]+" "the value"
expect_match "$expect_out" "[0-9]+ keys have their defaults" "the end"
expect_exit 0 profile -v show web
expect_match "$expect_out" "profile.mode-rule +rate +default" "a default"
expect_exit 0 profile unset web memory.cpu-high
expect_exit 0 profile show web
[[ $expect_out != *cpu-high* ]] || fail "the key is still there"
expect_exit 1 profile copy detailed web
expect_match "$expect_err" "there is a profile 'web'" "the refusal"

echo "what is wrong is said, and not saved"
before=$(cat "$own/web.profile")
expect_exit 2 profile set web disk.bsae=raw
expect_match "$expect_err" "unknown key in \[disk\] 'bsae', did you mean 'base'" "the suggestion"
expect_exit 1 profile set web disk.io-high=8M
expect_match "$expect_err" "web.profile:[0-9]+: disk.io-high: '8M' has another unit; allowed:" "the unit"
expect_exit 1 profile set web disk.greatest=minimal
expect_match "$expect_err" "disk.base is 'standard'.*above: disk.greatest is 'minimal'" "min and max"
expect_exit 2 profile set web disk.base
expect_match "$expect_err" "is not KEY=VALUE" "no value"
expect_exit 1 profile set standard disk.base=raw
expect_match "$expect_err" "not one of your own: make one" "the way out"
expect_exit 1 profile set wbe disk.base=raw
expect_match "$expect_err" "no profile 'wbe', did you mean 'web'" "the name"
expect_exit 1 profile copy raw ../x
expect_match "$expect_err" "is no name of a profile" "the name"
expect_equal "$(cat "$own/web.profile")" "$before" "the file"

echo "inheriting"
expect_exit 0 profile copy standard standard
expect_exit 0 profile list
expect_match "$expect_out" "standard +(system|user) +sound" "the list"
printf '[profile]\ninherit=web\n[disk]\nleast=standard\n' >"$own/child.profile"
expect_exit 0 profile show child
expect_match "$expect_out" "disk.base +standard +$own/web.profile:" "an inherited value"
expect_exit 1 profile delete web
expect_match "$expect_err" "then profile 'child' would not be sound" "the refusal"
expect_exit 1 profile set web disk.base=minimal
expect_match "$expect_err" "then profile 'child' would not be sound: disk.base is 'minimal'" "the refusal"
expect_exit 1 profile set web inherit=child
expect_match "$expect_err" "in a loop: web, child, web" "the loop"
expect_exit 0 profile delete child
expect_exit 0 profile delete standard
expect_exit 1 profile delete standard
expect_match "$expect_err" "not one of your own" "the refusal"

echo "check tells all that is wrong, with lines"
printf '[disk]\nbsae=raw\n\nbase=al\nwhat\n' >"$TEST_DIR/bad.profile"
expect_exit 1 profile check "$TEST_DIR/bad.profile"
for want in "bad.profile:2: unknown key" "bad.profile:4: disk.base: 'al' is not known here" \
    "bad.profile:5: this is neither" ; do
    expect_match "$expect_out" "$want" "the problems"
done
expect_exit 1 profile --json check "$TEST_DIR/bad.profile"
expect_match "$expect_out" '"line" ?: ?4' "the document"
cp "$own/web.profile" "$own/WEB.profile"
expect_exit 1 profile show web
expect_match "$expect_err" "two files of one name" "the refusal"
rm "$own/WEB.profile"
mkfifo "$own/pipe.profile"
mkdir "$own/folder.profile"
expect_exit 1 profile check
expect_match "$expect_out" "pipe.profile: it is not a file" "the problem"
expect_exit 0 profile show web
rm -r "$own/pipe.profile" "$own/folder.profile"
ln -s "$TEST_DIR/nothing" "$own/gone.profile"
expect_exit 1 profile show gone
expect_match "$expect_err" "gone.profile: cannot read it: No such file" "the refusal"
expect_exit 0 profile list
expect_match "$expect_out" "gone +[a-z]+ +not sound" "the list"
rm "$own/gone.profile"

echo "an editor"
cat >"$TEST_DIR/editor" <<'END'
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The first edit is a mistake, the second mends it.
if grep -q 'base=nothing' "$1"; then
    sed -i 's/base=nothing/base=minimal/' "$1"
else
    sed -i 's/base=standard/base=nothing/' "$1"
fi
END
chmod +x "$TEST_DIR/editor"
export EDITOR=$TEST_DIR/editor
unset VISUAL
before=$(cat "$own/web.profile")
expect_exit 1 profile edit web <<<"n"
expect_match "$expect_err" "'nothing' is not known here" "the problem"
expect_equal "$(cat "$own/web.profile")" "$before" "the file"
expect_exit 1 profile edit web </dev/null
expect_equal "$(cat "$own/web.profile")" "$before" "the file"
expect_exit 0 profile edit web <<<$'what\ny'
grep -q base=minimal "$own/web.profile" || fail "the edit was not saved"
EDITOR="true --" expect_exit 0 profile edit web
expect_match "$expect_out" "is as before" "the message"
EDITOR=false expect_exit 1 profile edit web
expect_match "$expect_err" "the editor 'false' failed" "the refusal"
cat >"$TEST_DIR/meanwhile" <<END
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
echo '# mine' >>"\$1"
echo '# theirs' >>"$own/web.profile"
END
chmod +x "$TEST_DIR/meanwhile"
EDITOR=$TEST_DIR/meanwhile expect_exit 1 profile edit web
expect_match "$expect_err" "somebody else has changed it" "the refusal"
grep -q mine "$own/web.profile" && fail "their change is lost"
[ -z "$(ls "$TEST_DIR"/foresnap-*.profile 2>/dev/null)" ] || fail "a temporary file is left"

echo "the manual has every key and default"
expect_exit 0 profile keys
diff -u <(awk 'NR > 1 { print $1 }' <<<"$expect_out" |
    sed -E 's/^(config|memory|disk|partition|network|log|metrics|database)\.(base|least|greatest|(io|cpu)-(high|low)|hysteresis)$/KIND.\2/' |
    sort -u) \
    <(sed -n 's/^=item B<\([A-Za-z]*\.[a-z-]*\)>.*/\1/p' "$top_srcdir/docs/man/foresnap-profile.5.pod" | sort) >&2 ||
    fail "foresnap-profile(5) and the keys differ"
expect_exit 0 profile keys log.
expect_match "$expect_out" "log.tail +256K" "the keys of logs"
