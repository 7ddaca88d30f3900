# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What every functional test needs: strict mode, clean-up registered beside creation,
# prerequisites that are executed commands, waiting with a limit, assertions.
# A test starts with:  . "${top_srcdir:-.}"/tests/functional/functions.sh
# Exit status: 0 passed, 77 skipped (last line says why), anything else failed.

set -euo pipefail
# A failure inside $(…) must not be passed over either.
shopt -s inherit_errexit
export LC_ALL=C

: "${top_srcdir:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${top_builddir:=$top_srcdir}"
export top_srcdir top_builddir

_cleanup_commands=()

# cleanup_fn COMMAND ARG… : run it when the test ends, however it ends; last one first.
cleanup_fn ()
{
    _cleanup_commands+=("$(printf '%q ' "$@")")
}

_run_cleanups ()
{
    local status=$? i
    # A second signal must not cut the clean-up short.
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    for ((i = ${#_cleanup_commands[@]} - 1; i >= 0; i--)); do
        eval "${_cleanup_commands[i]}"
    done
    echo "took $SECONDS s"
    exit "$status"
}
trap _run_cleanups EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# skip REASON : end the test as skipped.
skip ()
{
    echo "SKIP: $*"
    exit 77
}

# fail MESSAGE : end the test as failed.
fail ()
{
    echo "FAIL: $*" >&2
    exit 1
}

# requires REASON COMMAND ARG… : skip with REASON unless COMMAND succeeds.
requires ()
{
    local reason=$1
    shift
    "$@" >/dev/null 2>&1 || skip "$reason"
}

# test_dir : make a scratch folder that is removed at the end; sets TEST_DIR.
# Other users may pass through it, because QEMU runs as one.
test_dir ()
{
    TEST_DIR=$(mktemp -d "${TMPDIR:-/tmp}/foresnap-test.XXXXXX")
    cleanup_fn rm -rf "$TEST_DIR"
    chmod 711 "$TEST_DIR"
}

# now_us : the host's clock in microseconds since the epoch, as in the guest logs.
now_us ()
{
    local t=$EPOCHREALTIME
    echo "${t/./}"
}

# wait_until SECONDS COMMAND ARG… : true once COMMAND succeeds, false after SECONDS.
# Looks often at first: what takes long must not lose its processor to those who wait for it.
wait_until ()
{
    local limit_us pause=20
    limit_us=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt "$limit_us" ] || return 1
        sleep "0.0$pause"
        pause=$((pause < 96 ? pause + 2 : pause))
    done
}

# process_ended PID : true if there is no such process or only its zombie.
process_ended ()
{
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    [[ ${stat##*) } == Z* ]]
}

# expect_exit STATUS COMMAND ARG… : fail unless COMMAND ends with STATUS.
# Its output is kept in $expect_out and $expect_err for further assertions.
expect_exit ()
{
    local want=$1 got=0 err
    shift
    err=$(mktemp "${TMPDIR:-/tmp}/foresnap-test.XXXXXX")
    expect_out=$("$@" 2>"$err") || got=$?
    expect_err=$(cat "$err")
    rm -f "$err"
    [ "$got" = "$want" ] ||
        fail "exit status $got instead of $want from: $*"$'\n'"$expect_out"$'\n'"$expect_err"
}

# expect_equal GOT WANT WHAT
expect_equal ()
{
    [ "$1" = "$2" ] || fail "$3 is '$1' instead of '$2'"
}

# expect_at_most GOT LIMIT WHAT : integers
expect_at_most ()
{
    [ "$1" -le "$2" ] || fail "$3 is $1, more than $2"
}

# expect_match TEXT REGEX WHAT
expect_match ()
{
    [[ $1 =~ $2 ]] || fail "$3 does not match '$2': $1"
}

# slow_tests : true when the long tests are wanted (scripts/check --full).
slow_tests ()
{
    [ "${FSN_SLOW_TESTS:-0}" = 1 ]
}

# long_test : end the test here unless those are wanted.
long_test ()
{
    slow_tests || skip "a long test: scripts/check --full runs it"
}
