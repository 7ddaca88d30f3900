#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A prepared suspend ties nothing up: guest, monitor, balloon and hotplug go on as usual, and
# whatever ends the hold (abort, time, reboot, shutdown, a kill, a restart of libvirtd, a
# pause by the user) leaves the domain as its user wants it.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
private_libvirt_requires
guest_requires
private_libvirt_start
userfaultfd_allow
guest_start one 256 --fill 128 --disk --domain "<on_reboot>restart</on_reboot>"

# What a user's own migration would find.
migration_settings ()
{
    guest_virsh qemu-monitor-command one '{"execute":"query-migrate-parameters"}'
    guest_virsh qemu-monitor-command one '{"execute":"query-migrate-capabilities"}'
}

without_ids ()
{
    sed 's/,"id":"[^"]*"}$/}/'
}

prepare ()
{
    expect_exit 0 foresnap prepare one
    expect_exit 0 foresnap --json status
    expect_json "$expect_out" domains.0.state prepared
}

is_unheld ()
{
    [ -z "$(leftovers)" ]
}

# The hold ends by itself within so many seconds and leaves nothing.
expect_unheld ()
{
    wait_until "$1" is_unheld || fail "the hold goes on: $(leftovers)"
    expect_no_trace
    if domain_is one "shut off"; then
        return
    fi
    [[ $(guest_virsh qemu-monitor-command one '{"execute":"query-migrate"}') != *active* ]] ||
        fail "QEMU still migrates"
    expect_equal "$(migration_settings | without_ids)" "$settings" "QEMU's settings of migrations"
}

# monitor_latency N : milliseconds of N commands, one virsh for all, sorted
monitor_latency ()
{
    local i
    for ((i = 0; i < $1; i++)); do
        echo 'qemu-monitor-command one {"execute":"query-status"}'
    done | private_libvirt_exec virsh -t 2>&1 | sed -n 's/^(Time: \([0-9.]*\) ms)$/\1/p' | sort -n
}

# expect_in_time MS STATUS WHAT COMMAND… : it ends with that status, and takes no longer
expect_in_time ()
{
    local limit=$1 status=$2 what=$3 began
    shift 3
    began=$(now_us)
    expect_exit "$status" "$@"
    expect_at_most $((($(now_us) - began) / 1000)) "$limit" "$what during a hold (ms)"
}

echo "guest, monitor, balloon and hotplug during a hold"
qemu-img create -q -f raw "$PRIVATE_LIBVIRT/images/extra.raw" 8M
chmod 666 "$PRIVATE_LIBVIRT/images/extra.raw"
settings=$(migration_settings | without_ids)
prepare
began=$(now_us)
mapfile -t times < <(monitor_latency 31)
[ "${#times[@]}" -ge 31 ] || fail "virsh timed ${#times[@]} of 31 commands"
echo "monitor: median ${times[15]} ms, slowest ${times[-1]} ms"
expect_at_most "${times[15]%.*}" 100 "the median of QMP's answers during a hold (ms)"
expect_in_time 2000 0 "ballooning" guest_virsh setmem one 240M --live
expect_in_time 2000 0 "ballooning back" guest_virsh setmem one 256M --live
# QEMU refuses hotplug during any migration; what counts is that it says so, and at once.
expect_in_time 4000 1 "plugging a disk" \
    guest_virsh attach-disk one "$PRIVATE_LIBVIRT/images/extra.raw" vdb --subdriver raw --live
expect_match "$expect_err" "not allowed while migrating" "the refusal of hotplug"
expect_exit 0 foresnap --json status
expect_json "$expect_out" domains.0.state prepared
gap=$(guest_max_gap one "$began" "$(now_us)")
echo "longest gap of the heartbeat: $((gap / 1000)) ms"
expect_at_most "$gap" 1500000 "the longest gap of the heartbeat during a hold (us)"
guest_verify one
expect_exit 0 foresnap prepare one --abort
expect_unheld 2
expect_equal "$(domain_reason one)" "running (booted)" "the state after an abort"
expect_exit 0 guest_virsh attach-disk one "$PRIVATE_LIBVIRT/images/extra.raw" vdb --subdriver raw --live
expect_exit 0 guest_virsh detach-disk one vdb --live

echo "finished after all that"
prepare
expect_exit 0 foresnap suspend one --json
expect_json "$expect_out" prepared 1
expect_exit 0 foresnap resume one --wait
guest_wait_heartbeat one 20
guest_verify one
expect_exit 0 foresnap delete "$(foresnap list -q)"

echo "its time is over"
expect_exit 0 foresnap prepare one --hold 1
expect_unheld 6
guest_verify one

echo "reboot of the guest"
prepare
began=$(now_us)
guest_send one reboot
guest_await one "$began" ' READY pages=' 60 >/dev/null
expect_unheld 5
guest_verify one

echo "holder killed"
guest_virsh qemu-monitor-command one '{"execute": "migrate-set-capabilities", "arguments":
    {"capabilities": [{"capability": "auto-converge", "state": true}]}}' >/dev/null
settings=$(migration_settings | without_ids)
prepare
kill_inside KILL foresnap-holder
expect_unheld 5
guest_wait_heartbeat one 5
guest_verify one

# Without its connection foresnap would miss a reboot; it warns that it cannot restore all.
echo "libvirtd restarted"
unset G_DEBUG
prepare
private_libvirt_restart
guest_wait_heartbeat one 5
expect_unheld 5
guest_wait_heartbeat one 5
guest_verify one

echo "paused by its user"
prepare
guest_virsh suspend one >/dev/null
expect_unheld 5
expect_equal "$(domain_reason one)" "paused (user)" "the state after a pause during a hold"
guest_virsh resume one >/dev/null
guest_wait_heartbeat one 10
guest_verify one

echo "shutdown of the guest"
prepare
guest_virsh shutdown one >/dev/null
wait_until 20 domain_is one "shut off" || fail "the guest does not shut down during a hold"
expect_unheld 5
began=$(now_us)
guest_virsh start one >/dev/null
guest_await one "$began" ' READY pages=' 60 >/dev/null
guest_verify one
private_libvirt_alive
