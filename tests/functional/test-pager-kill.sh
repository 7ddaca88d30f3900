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
# Each of the three processes so many times.
runs=1
! slow_tests || runs=7
runs=${FSN_KILL_RUNS:-$runs}
guest_start one 384

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

# tell : what is known of a load that does not end
tell ()
{
    private_libvirt_exec pgrep -l foresnap || :
    cat "$PRIVATE_LIBVIRT"/state/*.status "$PRIVATE_LIBVIRT"/state/*.log 2>&1 || :
}

is_loaded ()
{
    guest_virsh domstate --reason one >>"$PRIVATE_LIBVIRT/reasons"
    [ -z "$(pids foresnap-superv)$(pids foresnap-pager)$(pids foresnap-worker)" ] &&
        [[ $(guest_virsh domstate --reason one) == "running (migrated)" ]]
}

for ((run = 0; run < runs; run++)); do
    for victim in foresnap-worker foresnap-pager foresnap-superv; do
        count=5
        [ "$victim" != foresnap-pager ] || count=1
        fsn suspend one
        fsn resume one --mode lazy
        : >"$PRIVATE_LIBVIRT/reasons"
        kill_random "$victim" "$count"
        wait_until 60 is_loaded ||
            fail "after killing $victim: $(guest_virsh domstate --reason one); $(tell)"
        # Another process went on with the connection: QEMU and libvirt have seen no end of it.
        ! grep 'failed' "$PRIVATE_LIBVIRT/reasons" || fail "the connection was lost; $(tell)"
        guest_wait_heartbeat one 20
        guest_verify one
        private_libvirt_alive
    done
done

# With both of its holders the connection is lost, and is made anew through libvirt, where
# that is known to be safe (check-host's item "continuation"). libvirt 9.0 asks QEMU in a way
# that waits for QEMU's main lock: a guest's device that waits for a page of memory just then
# holds it, and the load stays broken. So not each try has to succeed.
may_continue ()
{
    { fsn check-host --json 2>/dev/null || :; } |
        jq -e '.items[] | select(.name == "continuation") | .state == "ok"' >/dev/null
}

continued=0
for ((try = 0; try < 3 && continued == 0; try++)); do
    may_continue || { echo "this libvirt cannot continue a load whose connection is lost: not tested"; break; }
    fsn suspend one
    fsn resume one
    private_libvirt_exec pkill -KILL '^foresnap-(pager|superv)$' || :
    if wait_until 20 is_loaded; then
        continued=1
        guest_wait_heartbeat one 20
        guest_verify one
    else
        echo "not continued: $(guest_virsh domstate --reason one); $(tell)"
        guest_virsh destroy one >/dev/null
        began=$(now_us)
        guest_virsh start one >/dev/null
        guest_await one "$began" ' READY pages=' 60 >/dev/null
    fi
done
[ "$continued" = 1 ] || ! may_continue || fail "no lost connection was made anew"
private_libvirt_alive
