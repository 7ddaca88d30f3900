#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A postcopy load through libvirt survives what can happen around it: its client killed,
# libvirtd ended and killed while memory is still coming; and a lost source can be replaced
# where that is known to be safe. Each time the guest verifies its memory.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
here=$(cd "$top_builddir" && pwd)/tests/functional
private_libvirt_requires
guest_requires
userfaultfd_allow
private_libvirt_start
saved=$PRIVATE_LIBVIRT/saved
socket=$PRIVATE_LIBVIRT/in/sock
release=$PRIVATE_LIBVIRT/release
mkdir -p "$saved" "$PRIVATE_LIBVIRT/in"
chown libvirt-qemu "$PRIVATE_LIBVIRT/in"
guest_start one 256

state_is ()
{
    [[ $(guest_virsh domstate --reason one 2>&1) == "$1" ]]
}

# Save the guest and load it by postcopy up to where it runs and its memory is held back.
# The source is a child of its own, so that it outlives the client; sets $client.
begin_load ()
{
    in_libvirt "$here/virt-tool" save one "$saved" >/dev/null
    rm -f "$release" "$release.sending" "$socket"
    load --postcopy
    wait_until 20 state_is "running (post-copy)" || fail "the guest is $(guest_virsh domstate --reason one)"
    guest_wait_heartbeat one 20
}

load ()
{
    local sender="$here/postcopy-sender $saved/stream $socket $release"
    [[ " $* " != *" --recover "* ]] || sender+=" --recover"
    in_libvirt "$here/virt-tool" load "$saved" "$socket" "$@" --sender "setsid $sender" \
        >"$saved/out" 2>&1 &
    client=$!
}

end_load ()
{
    touch "$release"
    wait_until 30 state_is "running (migrated)" || fail "the guest is $(guest_virsh domstate --reason one)"
    guest_verify one
    guest_virsh suspend one >/dev/null
    guest_virsh resume one >/dev/null
    private_libvirt_alive
}

kill_inside ()
{
    in_libvirt pkill -KILL -f "^$here/$1 "
}

begin_load
end_load
wait "$client" || fail "the client of an undisturbed load failed: $(cat "$saved/out")"

echo "client killed"
begin_load
kill_inside virt-tool
wait "$client" || :
state_is "running (post-copy)" || fail "the guest of a dead client is not loading any more"
end_load

echo "libvirtd killed"
begin_load
private_libvirt_kill KILL
wait "$client" || :
private_libvirt_exec rm -f /run/libvirt/libvirt-sock
private_libvirt_start_again
state_is "running (post-copy)" || fail "libvirtd has not found the load again"
end_load

echo "libvirtd restarted"
begin_load
touch "$release" # libvirtd waits with its end for the end of the load
private_libvirt_restart
wait "$client" || :
end_load

# The source dies: the guest waits for its pages.
if in_libvirt "$here/virt-tool" check | grep -q 'recover=1'; then
    echo "source killed"
    begin_load
    kill_inside postcopy-sender
    ! wait "$client" || fail "a load without its source succeeded"
    state_is "running (post-copy failed)" || state_is "paused (post-copy failed)" ||
        fail "without its source the guest is $(guest_virsh domstate --reason one)"
    rm -f "$release.sending"
    load --postcopy --recover --finish-when "$release.sending"
    wait_until 20 state_is "running (post-copy)" || fail "the guest is $(guest_virsh domstate --reason one)"
    end_load
    wait "$client" || fail "the recovery failed: $(cat "$saved/out")"
fi
