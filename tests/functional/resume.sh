# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of the resume share: the moments of a load, and what has to be true after
# it. It sources what it needs, foresnap.sh among it.
#
#   resume_start [OPTION]…      start a private libvirt; $REPO and $STATE are the folders of
#                               foresnap's repository and state
#   reason NAME                 state and reason, as domstate prints them
#   off, loading NAME           true if it is so
#   pager_pids PROCESS          pids, outside, of foresnap-pager, -superv or -worker
#   wait_loaded NAME [S]        until its memory is loaded and nobody works on it any more
#   expect_clean                no process, journal, plan or socket of a resume is left
#   cycle NAME [OPTION]…        suspend, resume with these options, loaded, verified
#   begin_load NAME [OPTION]…   resume in the background, its worker stopped as soon as the
#                               guest may run; sets $resuming (a pid) and $worker
#   end_load [STATUS]           let the worker go on; the resume's command ends with STATUS
#   newest                      id of the newest snapshot
#   has_mark ID MARK            true if the snapshot has that mark (claim, ran, consumed)

# shellcheck source=tests/functional/private-libvirt.sh
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
# shellcheck source=tests/guest/guest.sh
. "$top_srcdir"/tests/guest/guest.sh
# shellcheck source=tests/functional/foresnap.sh
. "$top_srcdir"/tests/functional/foresnap.sh
_foresnap_dir=$(cd "$top_builddir" && pwd)

resume_start ()
{
    private_libvirt_requires
    guest_requires
    requires "perl is not installed" perl -MJSON::PP -e 1
    private_libvirt_start "$@"
    REPO=$PRIVATE_LIBVIRT/repo
    STATE=$PRIVATE_LIBVIRT/state
}

reason ()
{
    guest_virsh domstate --reason "$1" 2>&1 || :
}

off ()
{
    [[ $(reason "$1") == "shut off"* ]]
}

loading ()
{
    [[ $(reason "$1") == "running (post-copy)" ]]
}

pager_pids ()
{
    pgrep --ns "$(cat "$PRIVATE_LIBVIRT/init.pid")" --nslist pid -x "$1" || :
}

_at_rest ()
{
    [ -z "$(pager_pids 'foresnap.*')" ]
}

wait_loaded ()
{
    wait_until "${2:-60}" _at_rest ||
        fail "the load does not end: $(reason "$1"); $(cat "$STATE"/*.status "$STATE"/*.log 2>&1)"
    # an eager load leaves it stopped, and foresnap continues it when all is there
    expect_match "$(reason "$1")" '^running \((migrated|unpaused)\)$' "the state of a loaded domain"
}

expect_clean ()
{
    wait_until 10 _at_rest || fail "processes are left: $(pager_pids 'foresnap.*')"
    expect_equal "$(find "$STATE" -type f ! -name '*.lock' ! -name '*.log')" "" \
        "what is left in the state folder"
    expect_equal "$(find "$PRIVATE_LIBVIRT/lib/qemu" -name 'foresnap-*')" "" "the socket folders"
    private_libvirt_alive
}

cycle ()
{
    local name=$1
    shift
    expect_exit 0 foresnap suspend "$name"
    expect_exit 0 foresnap resume "$name" --json "$@"
    wait_loaded "$name"
    guest_verify "$name"
}

begin_load ()
{
    local snapshot name=$1
    shift
    snapshot=$(newest)
    worker=
    foresnap resume "$name" "$@" >"$PRIVATE_LIBVIRT/resume.out" 2>&1 &
    resuming=$!
    # The worker is there long before the mark, which is the moment to be caught.
    wait_until 30 _has_worker || fail "no worker: $(cat "$PRIVATE_LIBVIRT/resume.out")"
    until has_mark "$snapshot" ran; do
        ! process_ended "$resuming" || fail "not resumed: $(cat "$PRIVATE_LIBVIRT/resume.out")"
    done
    kill -STOP "$worker"
}

_has_worker ()
{
    worker=$(pager_pids foresnap-worker)
    [ -n "$worker" ]
}

# end_load [STATUS]
end_load ()
{
    local status=0
    kill -CONT "$worker" 2>/dev/null || :
    wait "$resuming" || status=$?
    [ "$status" = "${1:-0}" ] ||
        fail "the resume ended with $status: $(cat "$PRIVATE_LIBVIRT/resume.out")"
}

# The snapshot that is resumed is the newest one.
newest ()
{
    # shellcheck disable=SC2012
    ls -t "$REPO/manifests" | head -n 1
}

has_mark ()
{
    [ -e "$REPO/marks/$1.$2" ]
}
