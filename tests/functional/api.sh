# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The API beside a private libvirt. Source it after tests/functional/resume.sh and its start.
#
#   api_start [OPTION=VALUE]…   start it inside; sets API_SOCKET (and API_PORT with tcp=…)
#   api STATUS CURL-ARG… PATH   ask; the reply is in $api_reply
#   api_job OPERATION JSON      start a job and wait until it is done; the job is in $api_reply

: "${PRIVATE_LIBVIRT=}" "${top_srcdir:?source functions.sh first}" "${top_builddir:?}"

_api_end ()
{
    private_libvirt_exec pkill -TERM -x api-host 2>/dev/null || :
}

api_start ()
{
    local build d=$PRIVATE_LIBVIRT
    build=$(cd "$top_builddir" && pwd)
    API_SOCKET=$d/api.sock
    mkdir -p "$d/config"
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$build" FORESNAP_CONFIG_DIR="$d/config" \
        FORESNAP_DATA_DIR="$top_srcdir/policies" FORESNAP_STATE_DIR="${FORESNAP_STATE_DIR:-$d/state}" \
        FORESNAP_HISTORY="$d/history.db" \
        "$build/tests/functional/api-host" socket="$API_SOCKET" uri=qemu:///system \
        repo="${FORESNAP_REPO:-$d/repo}" state="${FORESNAP_STATE_DIR:-$d/state}" \
        history="$d/history.db" program="$build/foresnap" tokens="$d/tokens.json" "$@" \
        >"$d/api.out" 2>"$d/api.err" &
    cleanup_fn _api_end
    wait_until 20 grep -q ready "$d/api.out" || fail "the API does not start: $(cat "$d/api.err")"
    # shellcheck disable=SC2034 # for who sources this
    API_PORT=$(sed -n 's/^ready //p' "$d/api.out")
}

api ()
{
    local want=$1 got
    shift
    got=$(curl -s -m 60 -o "$PRIVATE_LIBVIRT/api.reply" -w '%{http_code}' \
        --unix-socket "$API_SOCKET" "${@:1:$#-1}" "http://localhost${*: -1}") || :
    api_reply=$(cat "$PRIVATE_LIBVIRT/api.reply")
    [ "$got" = "$want" ] || fail "$got instead of $want from $*: $api_reply"
}

_api_job_ended ()
{
    api 200 "/v1/jobs/$1"
    case $(json "$api_reply" state) in
    queued | running) return 1 ;;
    esac
}

api_job ()
{
    local id
    api 202 -H 'Content-Type: application/json' -d "{\"operation\": \"$1\", $2}" /v1/jobs
    id=$(json "$api_reply" job)
    wait_until 60 _api_job_ended "$id" || fail "job $1 does not end: $api_reply"
    expect_json "$api_reply" state "done"
}
