#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The pager's processes are killed at random moments of a resume: worker, supervisor, peer.
# The guest waits, the load goes on or is continued, and the guest finds its memory exact.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
private_libvirt_start
userfaultfd_allow
builddir=$(cd "$top_builddir" && pwd)
repo=$PRIVATE_LIBVIRT/repo
runs=${FSN_KILL_RUNS:-1}
guest_start one 512

fsn ()
{
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$builddir" "$builddir/foresnap" -q \
        -c qemu:///system -r "$repo" "$@"
}

pids ()
{
    private_libvirt_exec pgrep -x "$1" || :
}

# kill_random NAME COUNT : kill processes called NAME, up to COUNT times, at random moments.
kill_random ()
{
    local i pid killed=0
    for ((i = 0; i < $2; i++)); do
        sleep "0.0$((RANDOM % 10))"
        pid=$(pids "$1")
        # shellcheck disable=SC2086
        [ -z "$pid" ] || { private_libvirt_exec kill -KILL $pid && killed=$((killed + 1)); } || :
    done
    echo "$killed times $1"
}

is_loaded ()
{
    [ -z "$(pids foresnap-superv)$(pids foresnap-pager)$(pids foresnap-worker)" ] &&
        [[ $(guest_virsh domstate --reason one) == "running (migrated)" ]]
}

# The supervisor holds the connection: its end is mended by libvirt's postcopy recovery,
# which ends the libvirtd of some releases (check-host's item "continuation" knows).
victims=(foresnap-worker foresnap-pager)
if { fsn check-host --json 2>/dev/null || :; } | jq -e '.items[] | select(.name == "continuation") | .state == "ok"' >/dev/null; then
    victims+=(foresnap-superv)
else
    echo "this libvirt cannot continue a load whose supervisor is gone: not tested"
fi

for ((run = 0; run < runs; run++)); do
    for victim in "${victims[@]}"; do
        count=5
        [ "$victim" = foresnap-worker ] || count=1
        fsn suspend one
        fsn resume one --mode lazy
        kill_random "$victim" "$count"
        wait_until 60 is_loaded ||
            fail "after killing $victim: $(guest_virsh domstate --reason one)"
        guest_wait_heartbeat one 20
        guest_verify one
        private_libvirt_alive
    done
done
