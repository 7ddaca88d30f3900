# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnap itself in a private libvirt: its own repository and journals, and what has to be
# true of them. Source it after tests/guest/guest.sh.
#
#   foresnap ARG…                      run it in the private libvirt, repository $FORESNAP_REPO
#                                      (default: "repo" in the private libvirt's folder)
#   json DOCUMENT PATH                 print a member, e.g. json "$expect_out" snapshots.0.kind;
#                                      an array's length with PATH.length; null prints nothing
#   expect_json DOCUMENT PATH WANT     the member has that value
#   domain_is NAME STATE               true if libvirt says so ("running", "shut off" …)
#   domain_reason NAME                 e.g. "running (booted)": it was never paused
#   expect_domain NAME STATE
#   stub_path NAME                     where the guard's image of that domain is, if it is
#   kill_inside SIGNAL PROGRAM          to all processes of that name in the private libvirt;
#                                      fails if there are none
#   stop_once CONDITION                stop foresnap in the moment in which the condition, a
#                                      shell's text, is first true; "step NAME" in it tells
#                                      the journal's step. False if the moment does not come
#   go_on                              let foresnap go on, if it is still there
#   marker_path NAME                   where what the libvirt hook looks for is, if it is
#   leftovers                          print what is left of an operation, by path or name
#   expect_no_trace                    nothing is left, listed or under way
#   expect_undisturbed NAME            no trace, and NAME runs, was never paused, is verified

: "${PRIVATE_LIBVIRT=}" "${expect_out=}" "${expect_err=}"
: "${top_builddir:?source functions.sh first}"

foresnap ()
{
    local build
    build=$(cd "$top_builddir" && pwd)
    # The shell between keeps nsenter from stopping for good when foresnap is stopped.
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$build" \
        FORESNAP_DATA_DIR="${FORESNAP_DATA_DIR:-$top_srcdir/policies}" \
        FORESNAP_REPO="${FORESNAP_REPO:-$PRIVATE_LIBVIRT/repo}" \
        sh -c '"$@"; exit $?' sh "$build/foresnap" -c qemu:///system "$@"
}

json ()
{
    perl -MJSON::PP -e '
        my ($value, $path) = (decode_json($ARGV[0]), $ARGV[1]);
        for my $key (split /\./, $path) {
            if (ref $value eq "ARRAY") {
                $value = $key eq "length" ? scalar @$value : $value->[$key];
            } elsif (ref $value eq "HASH") {
                exists $value->{$key} or die "no member $key of $path in $ARGV[0]\n";
                $value = $value->{$key};
            } else {
                die "no member $key of $path in $ARGV[0]\n";
            }
        }
        print ref $value && !JSON::PP::is_bool($value) ? encode_json($value) : $value // "", "\n"
    ' "$1" "$2"
}

expect_json ()
{
    local got
    got=$(json "$1" "$2") || fail "no '$2' in: $1"
    expect_equal "$got" "$3" "'$2'"
}

domain_is ()
{
    [ "$(guest_virsh domstate "$1" 2>&1)" = "$2" ]
}

domain_reason ()
{
    guest_virsh domstate --reason "$1"
}

expect_domain ()
{
    expect_equal "$(guest_virsh domstate "$1")" "$2" "the state of domain '$1'"
}

stub_path ()
{
    echo "$PRIVATE_LIBVIRT/lib/qemu/save/$1.save"
}

marker_path ()
{
    echo "$PRIVATE_LIBVIRT/state/guard/$(guest_virsh domuuid "$1")"
}

kill_inside ()
{
    private_libvirt_exec pkill "-$1" -x "$2"
}

stop_once ()
{
    private_libvirt_exec bash -c "
        step () { grep -qs '\"step\" : \"'\$1'\"' '$PRIVATE_LIBVIRT'/state/*.journal; }
        for ((i = 0; i < 10000; i++)); do
            if $1 && pkill -STOP -x foresnap; then
                exit
            fi
            sleep 0.001
        done
        exit 1"
}

# A helper may have been stopped too, between its fork and the change of its name.
go_on ()
{
    private_libvirt_exec pkill -CONT foresnap || :
}

# hold_domain UUID : hold its locks, as an operation does, until let_domain_go
hold_domain ()
{
    local file fd
    held_locks=()
    for file in "$PRIVATE_LIBVIRT/state/$1"-*.lock; do
        exec {fd}<"$file"
        flock -n "$fd" || fail "the lock '$file' is taken"
        held_locks+=("$fd")
    done
}

let_domain_go ()
{
    local fd
    for fd in "${held_locks[@]}"; do
        exec {fd}<&-
    done
}

# Locks and the pager's logs stay by design.
leftovers ()
{
    local folder
    for folder in "$PRIVATE_LIBVIRT/state" "$PRIVATE_LIBVIRT/lib/qemu/save"; do
        [ ! -d "$folder" ] || find "$folder" -mindepth 1 ! -type d ! -name '*.lock' ! -name '*.log'
    done
    private_libvirt_exec pgrep -lx foresnap-guard || :
    private_libvirt_exec pgrep -lx foresnap-holder || :
}

_nothing_left ()
{
    [ -z "$(leftovers)" ]
}

expect_no_trace ()
{
    wait_until 2 _nothing_left || fail "left behind: $(leftovers)"
    if [ -e "${FORESNAP_REPO:-$PRIVATE_LIBVIRT/repo}/superblock" ]; then
        expect_exit 0 foresnap list -q
        expect_equal "$expect_out" "" "the list of snapshots"
    fi
    expect_exit 0 foresnap --json status
    expect_json "$expect_out" domains.length 0
    expect_exit 0 foresnap recover
    expect_equal "$expect_out" "nothing to recover" "what recover says"
}

expect_undisturbed ()
{
    expect_no_trace
    expect_equal "$(domain_reason "$1")" "running (booted)" "the state of domain '$1'"
    guest_verify "$1"
}
