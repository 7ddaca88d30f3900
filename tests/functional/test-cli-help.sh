#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The man pages name the commands and options that --help names, and no others.
set -euo pipefail

man=${top_srcdir:?}/docs/man
build=${top_builddir:?}
failures=0

fail() {
    echo "FAIL: $*" >&2
    failures=$((failures + 1))
}

foresnap() {
    "$build/run" "$build/foresnap" "$@"
}

# Long names of the options in a text of --help, and in the page of that name.
options_of_help() {
    foresnap "$@" --help | sed -n 's/^  \(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' | sort
}

options_of_page() {
    grep '^=item B<-' "$man/$1" | grep -o '<--[a-z-]*' | sed 's/<--//' | sort
}

compare() {
    diff -u --label "$1" --label "$2" "$3" "$4" >&2 || fail "$1 and $2 differ"
}

# Both ways, by the table of --help and by the names of the pages.
commands=$(foresnap --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p' | sort)
[ -n "$commands" ] || fail "--help lists no command"
pages=$(cd "$man" && ls foresnap-*.1.pod | sed 's/^foresnap-//; s/\.1\.pod$//' | sort)
compare "commands of --help" "pages" <(echo "$commands") <(echo "$pages")
compare "commands of --help" "foresnap.1" <(echo "$commands") \
    <(sed -n '/^=head1 COMMANDS/,/^=back/s/^=item B<\([a-z-]*\)>.*/\1/p' "$man/foresnap.1.pod" | sort)

compare "foresnap --help" "foresnap.1" <(options_of_help) <(options_of_page foresnap.1.pod)
for command in $commands; do
    [ -f "$man/foresnap-$command.1.pod" ] || continue
    compare "foresnap $command --help" "foresnap-$command.1" \
        <(options_of_help "$command") <(options_of_page "foresnap-$command.1.pod")
    grep -q "^=head2 .*\b$command\b" "$man/foresnap-json.5.pod" ||
        fail "foresnap-json.5 says nothing of $command"
    grep -q "^foresnap-$command - " "$man/foresnap-$command.1.pod" ||
        fail "foresnap-$command.1 does not begin with its name"
done

# The daemon's page too, and that of its configuration, by the table of keys.
compare "foresnapd --help" "foresnapd.8" \
    <("$build/run" "$build/foresnapd" --help | sed -n 's/^  \(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' | sort) \
    <(options_of_page foresnapd.8.pod)
compare "daemon/settings.c" "foresnapd.conf.5" \
    <(sed -n 's/^    { "\([a-z]*\)", "\([a-z_]*\)", .*/\1.\2/p' "$top_srcdir/src/daemon/settings.c" | sort) \
    <(awk '/^=head2 \[/ { gsub(/[][]/, "", $2); group = $2 }
           /^=item C</ { gsub(/.*C<|>.*/, ""); print group "." $0 }' "$man/foresnapd.conf.5.pod" | sort)

# The pages themselves are sound.
for page in "$man"/foresnap*.pod; do
    podchecker -warnings "$page" 2>/dev/null || fail "podchecker complains about $page"
done
[ "$failures" -eq 0 ]
