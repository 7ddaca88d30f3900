# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnapd in a private libvirt, with a listener in the place of systemd. It sources what it
# needs, snapshot.sh among it.
#
#   daemon_start [OPTION]…    start foresnapd in the foreground, with $CONF if that is there;
#                             returns when it says that it is ready; sets $daemon, its pid
#                             outside. Its log is $DAEMON_LOG, what it tells systemd $NOTIFIED
#   daemon_run [OPTION]…      run it in the foreground of the test
#   daemon_end [SIGNAL]       end it and wait for its end; sets $daemon_status
#   logged TEXT [N]           true if its log has that at least N times (1)
#   notified TEXT [N]         the same of what systemd was told
#   has_samples NAME N        true if the history has N seconds of CPU use of the last minutes

# shellcheck source=tests/functional/snapshot.sh
. "${top_srcdir:-.}"/tests/functional/snapshot.sh

daemon_prepare ()
{
    snapshot_start "$@"
    DAEMON_LOG=$PRIVATE_LIBVIRT/log/foresnapd
    NOTIFIED=$PRIVATE_LIBVIRT/log/notified
    CONF=$PRIVATE_LIBVIRT/foresnapd.conf
    : >"$NOTIFIED"
    # shellcheck disable=SC2016
    perl -MIO::Socket::UNIX -e '
        my ($socket, $log) = @ARGV;
        my $in = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $socket) or die "$socket: $!";
        open(my $out, ">>", $log) or die;
        $out->autoflush(1);
        while (defined $in->recv(my $text, 4096)) { print $out "$text\n"; }
    ' "$PRIVATE_LIBVIRT/notify" "$NOTIFIED" &
    listener=$!
    cleanup_fn kill "$listener"
    wait_until 10 test -S "$PRIVATE_LIBVIRT/notify" || fail "nobody listens in the place of systemd"
}

daemon_run ()
{
    local options=()
    [ ! -e "$CONF" ] || options=(--config "$CONF")
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$_foresnap_dir" FORESNAP_BINDIR="$_foresnap_dir" \
        FORESNAP_DATA_DIR="$top_srcdir/policies" NOTIFY_SOCKET="$PRIVATE_LIBVIRT/notify" \
        WATCHDOG_USEC=1000000 "$_foresnap_dir/foresnapd" -c qemu:///system \
        -r "${FORESNAP_REPO:-$PRIVATE_LIBVIRT/repo}" --foreground "${options[@]}" "$@"
}

_times ()
{
    grep -c -e "$1" "$2" || :
}

notified ()
{
    [ "$(_times "$1" "$NOTIFIED")" -ge "${2:-1}" ]
}

logged ()
{
    [ "$(_times "$1" "$DAEMON_LOG")" -ge "${2:-1}" ]
}

daemon_start ()
{
    local before
    before=$(_times '^READY=1$' "$NOTIFIED")
    daemon_run "$@" >>"$DAEMON_LOG" 2>&1 &
    daemon_shell=$!
    cleanup_fn daemon_clean "$daemon_shell"
    wait_until 30 notified '^READY=1$' $((before + 1)) || fail "the daemon is not ready: $(cat "$DAEMON_LOG")"
    daemon=$(pgrep --ns "$(cat "$PRIVATE_LIBVIRT/init.pid")" --nslist pid -x foresnapd)
}

daemon_clean ()
{
    process_ended "$1" || kill -KILL "$1" 2>/dev/null || :
}

daemon_end ()
{
    # shellcheck disable=SC2034 # for the tests
    daemon_status=0
    kill -s "${1:-TERM}" "$daemon"
    wait_until 30 process_ended "$daemon" || fail "the daemon outlives SIG${1:-TERM}: $(tail "$DAEMON_LOG")"
    # shellcheck disable=SC2034
    wait "$daemon_shell" 2>/dev/null || daemon_status=$?
}

samples ()
{
    foresnap history "$1" --csv --metric cpu --step 1s --since 10m 2>/dev/null | grep -c ',cpu,' || :
}

has_samples ()
{
    [ "$(samples "$1")" -ge "$2" ]
}
