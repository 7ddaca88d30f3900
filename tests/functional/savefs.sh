# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libvirt's managed saves through foresnap-savefs. Source it after foresnap.sh.
#
#   savefs_requires                    skip where there is no FUSE
#   savefs_pids                        pids of supervisor and worker, inside
#   savefs_state NAME                  what 'foresnap savefs status' calls its state
#   await_savefs_state NAME STATE      until it has that state, and nothing is under way
#   await_served NAME                  until what is saved of it can be started
#   expect_no_boot NAME                'virsh start' fails, and did not boot
#   savefs_show_log                    for cleanup_fn: what the server said

: "${expect_out=}"

savefs_requires ()
{
    requires "there is no usable /dev/fuse" test -c /dev/fuse
    requires "fuse is not in this kernel" grep -qw fuse /proc/filesystems
}

savefs_show_log ()
{
    sed 's/^/foresnap-savefs: /' "$PRIVATE_LIBVIRT/state/savefs.log" >&2 || :
}

# What they start has their name until it is a program of its own, and is not theirs.
savefs_pids ()
{
    # shellcheck disable=SC2016
    private_libvirt_exec bash -c '
        supervisor=$(pgrep -o -x foresnap-savefs) && echo "$supervisor" &&
            pgrep -x -P "$supervisor" foresnap-savefs' || :
}

savefs_state ()
{
    local out
    out=$(foresnap --json savefs status)
    perl -MJSON::PP -e '
        for (@{decode_json($ARGV[0])->{domains}}) { print $_->{state} if $_->{domain} eq $ARGV[1] }
    ' "$out" "$1"
}

# What libvirt has done is told before its journal is settled, and until then the domain is busy.
_state_is ()
{
    [ "$(savefs_state "$1")" = "$2" ] && ! compgen -G "$PRIVATE_LIBVIRT/state/*.journal" >/dev/null &&
        ! private_libvirt_exec pgrep -f 'foresnap-savefs --settle' >/dev/null
}

await_savefs_state ()
{
    wait_until 60 _state_is "$1" "$2" || fail "'$1' is $(savefs_state "$1") instead of $2"
}

_is_served ()
{
    private_libvirt_exec grep -qF " $PRIVATE_LIBVIRT/state/saved/$1.save " /proc/self/mountinfo
}

await_served ()
{
    wait_until 60 _is_served "$1" || fail "what is saved of '$1' is not served"
}

expect_no_boot ()
{
    local took
    took=$(now_us)
    ! guest_virsh start "$1" >"$TEST_DIR/start.out" 2>&1 || fail "'$1' was started: $(domain_reason "$1")"
    took=$(($(now_us) - took))
    domain_is "$1" "shut off" || fail "'$1' is $(domain_reason "$1")"
    echo "refused after $((took / 1000)) ms: $(cat "$TEST_DIR/start.out")"
}
