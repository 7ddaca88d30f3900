#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnapd: it tells systemd how it is, samples, sees what happens to domains, hears hooks,
# reads its configuration again, and is alone.
. "${top_srcdir:-.}"/tests/functional/daemon.sh
test_dir
daemon_prepare

echo "what makes no sense"
expect_exit 2 daemon_run --nonsense
expect_exit 2 daemon_run more
expect_exit 1 daemon_run -c qemu+ssh://elsewhere/system
expect_match "$expect_err" "does not lead to this host" "the refusal of a remote libvirt"
expect_exit 1 daemon_run --config "$TEST_DIR/missing"
printf '[sampling]\nintervall=1\n' >"$TEST_DIR/wrong"
expect_exit 2 daemon_run --config "$TEST_DIR/wrong"
expect_match "$expect_err" "wrong:2: unknown key 'intervall', did you mean 'interval'" "the error of a wrong key"

echo "it is ready, lives, and samples"
guest_start web 128 --fill 32
printf '[sampling]\ninterval=1\n[schedules]\nenabled=false\n' >"$CONF"
daemon_start
wait_until 60 has_samples web 2 || fail "nothing is in the history: $(cat "$DAEMON_LOG")"
wait_until 30 notified '^WATCHDOG=1$' 2 || fail "the watchdog is not fed"
wait_until 60 notified '^STATUS=1 domains, ' || fail "no status: $(cat "$NOTIFIED")"
expect_exit 75 foresnap sample --once
expect_match "$expect_err" "another foresnap samples" "the error of a second sampler"

echo "a second one leaves"
expect_exit 75 daemon_run
expect_match "$expect_err" "another foresnapd works on" "the error of a second daemon"

echo "it serves the API and the page"
ask ()
{
    private_libvirt_exec curl -s -m 30 --unix-socket "$1" "http://localhost$2" || :
}
state_is ()
{
    [ "$(json "$(ask /run/foresnap/api.sock /v1/domains)" domains.0.state 2>/dev/null)" = "$1" ]
}
wait_until 30 state_is running || fail "the API: $(ask /run/foresnap/api.sock /v1/domains)"
expect_match "$(ask /run/foresnap/api.sock /)" "<title>" "the page"

echo "it sees what happens"
guest_virsh suspend web >/dev/null
wait_until 30 logged "domain 'web' paused" || fail "a pause was not seen"
wait_until 30 state_is paused || fail "the API does not know: $(ask /run/foresnap/api.sock /v1/domains)"
guest_virsh resume web >/dev/null
wait_until 30 logged "domain 'web' resumed" || fail "a resume was not seen"

echo "a reload, of a good file and of a bad one"
printf '[sampling]\ninterval=1\n[hooks]\nsocket=%s\n[schedules]\nenabled=false\n[api]\nsocket=%s\n' \
    "$PRIVATE_LIBVIRT/hook.sock" "$PRIVATE_LIBVIRT/api.sock" >"$CONF"
kill -HUP "$daemon"
wait_until 30 logged "the configuration was read again" || fail "no reload: $(cat "$DAEMON_LOG")"
wait_until 10 test -S "$PRIVATE_LIBVIRT/hook.sock" || fail "the new socket is not there"
expect_match "$(ask "$PRIVATE_LIBVIRT/api.sock" /v1/health)" '"ok"' "what is answered at the other socket"
private_libvirt_exec test ! -e /run/foresnap/api.sock || fail "the old socket of the API is left"
notified '^RELOADING=1$' || fail "systemd was not told of the reload"
printf '[sampling]\ninterval=never\n' >"$CONF"
kill -HUP "$daemon"
wait_until 30 logged "the configuration stays as it was: .*foresnapd.conf:2: 'interval' takes" ||
    fail "a bad file was taken: $(cat "$DAEMON_LOG")"
wait_until 10 notified '^READY=1$' 3 || fail "systemd waits for the reload"
[ -S "$PRIVATE_LIBVIRT/hook.sock" ] || fail "a bad file has changed something"

echo "a storm of hooks harms nobody"
# shellcheck disable=SC2016
private_libvirt_exec env FORESNAP_HOOK_SOCKET="$PRIVATE_LIBVIRT/hook.sock" bash -c '
    for i in {1..100}; do "$1" storm-$i started begin - </dev/null & pids+=($!); done
    for pid in "${pids[@]}"; do wait "$pid" || exit 1; done' - "$_foresnap_dir/foresnap-hook" ||
    fail "a hook failed"
wait_until 30 logged "libvirt's hook for 'storm-[0-9]*': started" || fail "no hook was heard"
private_libvirt_exec env FORESNAP_HOOK_SOCKET="$PRIVATE_LIBVIRT/hook.sock" \
    "$_foresnap_dir/foresnap-hook" last stopped end - </dev/null
wait_until 30 logged "libvirt's hook for 'last': stopped" || fail "after the storm nothing is heard"

echo "it ends in good order"
daemon_end TERM
expect_equal "$daemon_status" 0 "the exit status ($(tail -n 3 "$DAEMON_LOG"))"
notified '^STOPPING=1$' || fail "systemd was not told of the end"
[ ! -e "$PRIVATE_LIBVIRT/hook.sock" ] && [ ! -e "$PRIVATE_LIBVIRT/api.sock" ] || fail "a socket is left"
expect_exit 0 foresnap -q sample --once

echo "in the background it returns when it is ready"
rm "$CONF"
private_libvirt_exec env FORESNAP_LIBEXECDIR="$_foresnap_dir" "$_foresnap_dir/foresnapd" -c qemu:///system \
    -r "$REPO" </dev/null >"$TEST_DIR/background" 2>&1 || fail "$(cat "$TEST_DIR/background")"
private_libvirt_exec pgrep -x foresnapd >/dev/null || fail "nobody is in the background"
expect_exit 75 daemon_run
private_libvirt_exec pkill -TERM -x foresnapd
none_left ()
{
    ! private_libvirt_exec pgrep -x foresnapd >/dev/null
}
wait_until 30 none_left || fail "it does not end"
private_libvirt_alive
