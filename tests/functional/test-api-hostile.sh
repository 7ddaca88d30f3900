#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The API under requests that are malformed, huge, slow, half, too many, and from those that may
# not ask: none of them stops it, or gets anything.
. "${top_srcdir:-.}"/tests/functional/functions.sh
requires "python3 is not installed" python3 --version
requires "curl is not installed" curl --version
test_dir
mkdir "$TEST_DIR/etc"
export FORESNAP_CONFIG_DIR=$TEST_DIR/etc FORESNAP_DATA_DIR=$top_srcdir/policies
socket=$TEST_DIR/api.sock
"$top_builddir/tests/functional/api-host" socket="$socket" repo="$TEST_DIR/repo" \
    state="$TEST_DIR/state" history="$TEST_DIR/history.db" uri=qemu:///nowhere \
    program="$top_builddir/foresnap" tokens="$TEST_DIR/tokens.json" \
    connections=40 request=2 streams=4 >"$TEST_DIR/out" 2>"$TEST_DIR/err" &
api=$!
end ()
{
    kill "$1" 2>/dev/null || : # it may have ended
}
cleanup_fn end "$api"
wait_until 20 grep -q ready "$TEST_DIR/out" || fail "it does not start: $(cat "$TEST_DIR/err")"

# ask STATUS CURL-ARGUMENT… PATH
ask ()
{
    local want=$1 got
    shift
    got=$(curl -s -m 30 -o "$TEST_DIR/reply" -w '%{http_code}' --unix-socket "$socket" \
        "${@:1:$#-1}" "http://localhost${*: -1}") || :
    [ "$got" = "$want" ] || fail "$got instead of $want from $*: $(cat "$TEST_DIR/reply")"
}

# token NAME SCOPE EXPIRES-US LIMITS : one whose secret is 64 times the same digit
secret ()
{
    printf '%s' "$1$1$1$1$1$1$1$1" | head -c 64
}
token ()
{
    printf '{"id": "%s", "name": "%s", "scope": "%s", "created_us": 1, "expires_us": %s, %s "sha256": "%s"}' \
        "$1" "$2" "$3" "$4" "$5" "$(secret "$6" | sha256sum | cut -d' ' -f1)"
}
s1=11111111 s2=22222222 s3=33333333 s4=44444444
{
    echo '{"version": 1, "tokens": ['
    token 00000000000000aa looker read 0 '' $s1; echo ,
    token 00000000000000bb old admin 1000000 '' $s2; echo ,
    token 00000000000000cc acme operate 0 '"prefix": "acme-",' $s3; echo ,
    token 00000000000000dd boss admin 0 '' $s4
    echo ']}'
} >"$TEST_DIR/tokens.json"
chmod 600 "$TEST_DIR/tokens.json"
bearer ()
{
    echo "Authorization: Bearer fsn_00000000000000$1_$(secret "$2")"
}
json='Content-Type: application/json'

echo "tokens: wrong, expired, too little"
ask 200 -H "$(bearer aa $s1)" /v1/domains
ask 401 -H "$(bearer aa $s2)" /v1/domains
ask 401 -H "$(bearer bb $s2)" /v1/domains
ask 401 -H "$(bearer ee $s1)" /v1/domains
ask 401 -H "Authorization: Bearer nonsense" /v1/domains
ask 401 -H "Authorization: Basic cm9vdDo=" /v1/domains
ask 403 -H "$(bearer aa $s1)" -H "$json" -d '{"operation": "gc"}' /v1/jobs
ask 403 -H "$(bearer cc $s3)" -H "$json" -d '{"operation": "gc"}' /v1/jobs
ask 403 -H "$(bearer cc $s3)" /metrics
ask 403 -H "$(bearer cc $s3)" -X PUT -H "$json" -H 'If-None-Match: *' -d '{"text": ""}' /v1/profiles/x
echo "a token that is taken away is not good any more"
sed -i '/00000000000000aa/d' "$TEST_DIR/tokens.json"
ask 401 -H "$(bearer aa $s1)" /v1/domains
ask 200 -H "$(bearer dd $s4)" /v1/domains
chmod 644 "$TEST_DIR/tokens.json"
ask 503 -H "$(bearer dd $s4)" /v1/domains
chmod 600 "$TEST_DIR/tokens.json"

echo "profiles: who has not seen the last one does not overwrite it"
ask 428 -X PUT -H "$json" -d '{"text": "[profile]\n"}' /v1/profiles/mine
ask 200 -X PUT -H "$json" -H 'If-None-Match: *' -d '{"text": "[profile]\ninherit=standard\n"}' /v1/profiles/mine
ask 412 -X PUT -H "$json" -H 'If-None-Match: *' -d '{"text": "[profile]\n"}' /v1/profiles/mine
ask 200 -D "$TEST_DIR/head" /v1/profiles/mine
etag=$(sed -n 's/^ETag: \("[0-9a-f]*"\).*/\1/p' "$TEST_DIR/head")
ask 422 -X PUT -H "$json" -H "If-Match: $etag" -d '{"text": "[disk]\nbase=nonsense\n"}' /v1/profiles/mine
grep -q '"line":2,"key":"disk.base"' "$TEST_DIR/reply" || fail "no place in $(cat "$TEST_DIR/reply")"
ask 200 -X PUT -H "$json" -H "If-Match: $etag" -d '{"text": "[profile]\ninherit=minimal\n"}' /v1/profiles/mine
ask 412 -X PUT -H "$json" -H "If-Match: $etag" -d '{"text": "[profile]\ninherit=raw\n"}' /v1/profiles/mine
ask 412 -X DELETE -H "If-Match: $etag" /v1/profiles/mine
ask 200 -X DELETE -H 'If-Match: *' /v1/profiles/mine
ask 404 /v1/profiles/mine
[ -z "$(ls "$TEST_DIR/etc/profiles")" ] || fail "left: $(ls "$TEST_DIR/etc/profiles")"

echo "only one listens on a socket"
expect_exit 1 "$top_builddir/tests/functional/api-host" socket="$socket" repo="$TEST_DIR/repo" program=x
expect_match "$expect_err" "somebody listens" "what the second one says"

python3 "$top_srcdir/tests/functional/api-hostile.py" "$socket" "$api" || fail "$(tail -n 5 "$TEST_DIR/err")"
kill -0 "$api" || fail "it has ended: $(cat "$TEST_DIR/err")"
kill "$api"
wait "$api" || fail "it did not end in good order: $(cat "$TEST_DIR/err")"
[ ! -e "$socket" ] || fail "the socket is left"
! grep -E 'WARNING|CRITICAL|ERROR' "$TEST_DIR/err" || fail "it has complained"
