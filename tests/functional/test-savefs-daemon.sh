#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnapd and managed saves: domains are enabled as they are defined, but for those whose user
# said no, and a server that stands still with its watchdog is ended and another one started.
. "${top_srcdir:-.}"/tests/functional/daemon.sh
. "$top_srcdir"/tests/functional/savefs.sh
savefs_requires
test_dir
daemon_prepare
cleanup_fn savefs_show_log
guest_start web 128 --fill 40
guest_virsh dumpxml web --inactive >"$TEST_DIR/web.xml"

# define_another NAME
define_another ()
{
    sed -e '/<uuid>/d' -e "s,<name>web</name>,<name>$1</name>," "$TEST_DIR/web.xml" >"$TEST_DIR/$1.xml"
    guest_virsh define "$TEST_DIR/$1.xml" >/dev/null
}

define_another first
printf '[sampling]\nenabled=false\n[schedules]\nenabled=false\n' >"$CONF"
daemon_start
echo "it leaves domains alone unless it is told otherwise"
expect_exit 0 foresnap --json savefs status
expect_json "$expect_out" domains.length 0
expect_exit 0 foresnap savefs disable first

echo "all domains that there are, and one that comes"
printf '[sampling]\nenabled=false\n[schedules]\nenabled=false\n[savefs]\nenabled=true\n' >"$CONF"
kill -HUP "$daemon"
await_savefs_state web ready
define_another second
await_savefs_state second ready
expect_equal "$(savefs_state first)" "" "the state of the domain whose user said no"
[ ! -L "$(stub_path first)" ] || fail "it has a link"

echo "a save and a start"
guest_virsh managedsave web >/dev/null
await_savefs_state web saved

echo "server and watchdog stand still: libvirt gets its answer, and is served again"
before=$(savefs_pids)
# all at once, or the one would see to the other
kill_inside STOP foresnap-savefs
expect_no_boot web
wait_until 60 logged "does not go on, nor does its watchdog" || fail "nobody notices: $(cat "$DAEMON_LOG")"
another ()
{
    local now
    now=$(savefs_pids)
    [ "$(wc -w <<<"$now")" = 2 ] && [ "$now" != "$before" ]
}
wait_until 60 another || fail "no other server: $(cat "$DAEMON_LOG")"
start_works ()
{
    guest_virsh start web >"$TEST_DIR/start.out" 2>&1
}
wait_until 60 start_works || fail "it is not started: $(cat "$TEST_DIR/start.out")"
expect_equal "$(domain_reason web)" "running (restored)" "the state after the start"
guest_verify web
daemon_end TERM
expect_equal "$daemon_status" 0 "the exit status"
[ "$(wc -w <<<"$(savefs_pids)")" = 2 ] || fail "the server ended with the daemon"
private_libvirt_alive
