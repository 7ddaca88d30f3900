#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnapd while libvirtd is restarted or stands still, and while it is itself killed: it goes
# on with the one, and jobs go on without the other.
. "${top_srcdir:-.}"/tests/functional/daemon.sh
test_dir
daemon_prepare
make_disk web.raw raw 64M
private_libvirt_exec dd if=/dev/urandom of="$IMAGES/web.raw" bs=1M count=48 conv=notrunc status=none
guest_start web 128 --fill 32 --devices "$(disk_xml vda web.raw raw)"
printf '[sampling]\ninterval=1\n[schedules]\nenabled=false\n' >"$CONF"

echo "libvirtd is restarted"
daemon_start
wait_until 60 has_samples web 2 || fail "nothing is in the history: $(cat "$DAEMON_LOG")"
private_libvirt_restart
wait_until 60 logged "connected to libvirt" 2 || fail "it does not connect again: $(cat "$DAEMON_LOG")"
guest_virsh suspend web >/dev/null
wait_until 30 logged "domain 'web' paused" || fail "events are not watched again"
guest_virsh resume web >/dev/null

echo "libvirtd stands still: the daemon does not"
private_libvirt_exec kill -STOP "$(private_libvirt_pid)"
# a round or two, so that it is in a call
sleep 2
kill -HUP "$daemon"
wait_until 30 logged "the configuration was read again" || fail "no reload while libvirtd stands still"
fed=$(grep -c '^WATCHDOG=1$' "$NOTIFIED")
wait_until 30 notified '^WATCHDOG=1$' $((fed + 2)) || fail "the watchdog is not fed while libvirtd stands still"
daemon_end TERM
expect_equal "$daemon_status" 0 "the exit status"
private_libvirt_exec kill -CONT "$(private_libvirt_pid)"

echo "it is killed while a job runs"
: >"$DAEMON_LOG"
daemon_start
# slow enough for all that follows
expect_exit 0 foresnap snapshot web --no-memory --bandwidth 1M --detach
job=$expect_out
progress_beyond ()
{
    [ "$(foresnap --json jobs show "$job" | jq '.progress.done // 0')" -gt "$1" ]
}
wait_until 60 is_reading || fail "the job does not begin: $(foresnap jobs show "$job")"
daemon_end KILL
expect_exit 0 foresnap --json jobs show "$job"
expect_json "$expect_out" state running
seen=$(jq '.progress.done // 0' <<<"$expect_out")
daemon_start
wait_until 60 logged "job [0-9a-f]* sees to them" || fail "nobody looks at journals: $(cat "$DAEMON_LOG")"
wait_until 30 progress_beyond "$seen" || fail "the job does not go on: $(foresnap jobs show "$job")"
recovery=$(foresnap --json jobs | jq -r '.jobs[] | select(.operation == "recover" and .origin == "daemon").job')
# what is still under way it leaves alone
expect_exit 0 foresnap jobs wait "$recovery" --timeout 60
expect_exit 0 foresnap --json jobs show "$job"
expect_json "$expect_out" state running
expect_exit 0 foresnap jobs cancel "$job"
expect_exit 1 foresnap jobs wait "$job" --timeout 60
expect_exit 0 foresnap -q recover
no_journal || fail "an operation is left"
daemon_end TERM
expect_equal "$daemon_status" 0 "the exit status"
guest_verify web
private_libvirt_alive
