#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion: every command and every option of --help is completed, in bash and zsh, and so are
# the words of commands that have some.
. "${top_srcdir:-.}"/tests/functional/functions.sh
program=$(cd "$top_builddir" && pwd)/foresnap
requires "the program is not built" test -x "$program"
completion=$(cd "$top_srcdir" && pwd)/scripts/completion
export FORESNAP_DATA_DIR=$top_srcdir/policies

commands=$("$program" --help | sed -n '/^Commands:/,/^Options:/s/^  \([a-z][a-z-]*\).*/\1/p')
[ "$(wc -w <<<"$commands")" -gt 20 ] || fail "there are too few commands: $commands"

# options [COMMAND] : all that its help names
options ()
{
    "$program" "$@" --help | sed -n '/^Options:/,$s/^  \(-.*\)/\1/p' | grep -oE '^(-[A-Za-z], )?--[a-z0-9-]+' |
        tr -d ' ' | tr ',' '\n' || : # some have none
}

# in_bash WORD… : the candidates for the last
in_bash ()
{
    bash --norc -c '
        . "$1/foresnap.bash"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _foresnap
        printf "%s\n" "${COMPREPLY[@]}"' - "$completion" "$program" "$@"
}

# compadd is part of the line editor: here it prints what it is given
in_zsh ()
{
    zsh -f -c '
        compadd () { shift; print -rl -- "$@" }
        _files () { print -l FILES }
        completion=$1
        shift
        words=("$@") CURRENT=$#
        source $completion/_foresnap' - "$completion" "$program" "$@"
}

# expect_offered SHELL WANTED WORD… : all lines of WANTED are offered
expect_offered ()
{
    local shell=$1 wanted=$2 offered missing
    shift 2
    offered=$("in_$shell" "$@")
    missing=$(grep -vxFf <(printf '%s\n' "$offered") <<<"$wanted" || :)
    expect_equal "$missing" "" "what $shell does not complete after '$*'"
}

shells=(bash)
if command -v zsh >/dev/null; then
    shells+=(zsh)
else
    echo "zsh is not installed: bash alone"
fi
globals=$(options)
declare -A own
for command in $commands; do
    own[$command]=$(options "$command")
done
for shell in "${shells[@]}"; do
    echo "$shell: all commands, and the options of each"
    expect_offered "$shell" "$commands" ""
    expect_offered "$shell" "$globals" -
    for command in $commands; do
        expect_offered "$shell" "$globals"$'\n'"${own[$command]}" "$command" -
    done
    echo "$shell: words and values"
    expect_offered "$shell" $'suspend\nresume\nsnapshot' batch ""
    expect_offered "$shell" $'install\nremove\nstatus' -q -r /nowhere hooks ""
    expect_offered "$shell" $'zstd\nlz4\nnone' snapshot --codec ""
    expect_offered "$shell" $'minimal\nraw' snapshot --profile ""
    expect_offered "$shell" $'minimal\nraw' batch snapshot --profile ""
done
expect_equal "$(in_bash snap)" snapshot "what 'snap' becomes"
expect_equal "$(in_bash batch --unl)" --unless-event "what '--unl' becomes"
