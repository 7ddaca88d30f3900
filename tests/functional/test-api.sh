#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The API beside a real libvirt: a guest is suspended and resumed by it, events tell, tenants see
# what is theirs, and a libvirt that hangs leaves the API answering.
. "${top_srcdir:-.}"/tests/functional/resume.sh
. "$top_srcdir"/tests/functional/api.sh
requires "curl is not installed" curl --version
requires "jq is not installed" jq --version
requires "certtool (gnutls-bin) is not installed" certtool --version
# shellcheck disable=SC2119 # it has no options here
resume_start
userfaultfd_allow
guest_start acme-web 192 --fill 32
guest_domain other 128 >"$PRIVATE_LIBVIRT/other.xml"
guest_virsh define "$PRIVATE_LIBVIRT/other.xml"
export FORESNAP_HISTORY=$PRIVATE_LIBVIRT/history.db
uuid=$(guest_virsh domuuid acme-web)

expect_exit 0 foresnap sample --once
{
    echo "time,cpu"
    now=$(date +%s)
    for ((t = now - 5 * 86400; t < now; t += 300)); do
        echo "$t,$((t / 3600 % 24 > 8 ? 1 : 0)).5"
    done
} >"$PRIVATE_LIBVIRT/week.csv"
expect_exit 0 foresnap history acme-web --import "$PRIVATE_LIBVIRT/week.csv"

s=3333333333333333333333333333333333333333333333333333333333333333
printf '{"version": 1, "tokens": [{"id": "00000000000000cc", "name": "acme", "scope": "operate",
    "created_us": 1, "expires_us": 0, "prefix": "acme-", "sha256": "%s"}]}' \
    "$(printf %s $s | sha256sum | cut -d' ' -f1)" >"$PRIVATE_LIBVIRT/tokens.json"
chmod 600 "$PRIVATE_LIBVIRT/tokens.json"
acme="Authorization: Bearer fsn_00000000000000cc_$s"
certtool --generate-privkey --outfile "$PRIVATE_LIBVIRT/key.pem" 2>/dev/null
printf 'cn = localhost\ndns_name = localhost\nexpiration_days = 2\ntls_www_server\nca\ncert_signing_key\nsigning_key\nencryption_key\n' >"$PRIVATE_LIBVIRT/template"
certtool --generate-self-signed --load-privkey "$PRIVATE_LIBVIRT/key.pem" \
    --template "$PRIVATE_LIBVIRT/template" --outfile "$PRIVATE_LIBVIRT/cert.pem" 2>/dev/null
api_start tcp=127.0.0.1:0 certificate="$PRIVATE_LIBVIRT/cert.pem" key="$PRIVATE_LIBVIRT/key.pem"

echo "lists"
api 200 /v1/domains
expect_json "$api_reply" domains.length 2
expect_json "$api_reply" domains.0.domain acme-web
expect_json "$api_reply" domains.0.state running
expect_json "$api_reply" domains.0.usage.cpu.length 48
expect_json "$api_reply" domains.1.state "shut off"
api 200 "/v1/domains/$uuid"
expect_json "$api_reply" domain acme-web
api 200 "/v1/domains/acme-web/history?hours=48&step=3600"
expect_json "$api_reply" mean.length "$(json "$api_reply" max.length)"
api 400 "/v1/domains/acme-web/history?hours=x"
api 400 "/v1/domains/acme-web/history?metric=../x"
api 404 /v1/domains/acme-web/forecast
api 200 "/v1/domains/acme-web/forecast?hours=24&at=$(($(date +%s) - 86400))"
expect_json "$api_reply" mean.length "$(json "$api_reply" q95.length)"
expect_json "$api_reply" of mean
api 404 "/v1/domains/acme-web/forecast?at=$(($(date +%s) - 20 * 86400))"
api 400 "/v1/domains/acme-web/forecast?at=$(($(date +%s) + 86400))"
api 404 /v1/domains/acme-web/changemap
api 200 /v1/domains/acme-web/idle
expect_json "$api_reply" domain acme-web
api 200 /v1/health
expect_json "$api_reply" status ok

echo "what is another one's is not there"
api 200 -H "$acme" /v1/domains
expect_json "$api_reply" domains.length 1
api 404 -H "$acme" /v1/domains/other
api 404 -H "$acme" /v1/domains/other/policy
api 404 -H "$acme" -H 'Content-Type: application/json' -d '{"operation": "suspend", "domain": "other"}' /v1/jobs
api 403 -H "$acme" -H 'Content-Type: application/json' -d '{"operation": "discard", "domain": "acme-web"}' /v1/jobs

echo "by TCP only with TLS and a token"
remote ()
{
    private_libvirt_exec curl -s -m 30 --cacert "$PRIVATE_LIBVIRT/cert.pem" -o /dev/null \
        -w '%{http_code}' "$@" || :
}
expect_equal "$(remote "https://localhost:$API_PORT/v1/domains")" 401 "without a token"
expect_equal "$(remote -H "$acme" "https://localhost:$API_PORT/v1/domains")" 200 "with one"
expect_equal "$(remote -H "$acme" "http://localhost:$API_PORT/v1/domains")" 000 "in plain text"

echo "suspend and resume, with events"
curl -sN --unix-socket "$API_SOCKET" http://localhost/v1/events >"$PRIVATE_LIBVIRT/events" &
reader=$!
wait_until 20 grep -q retry "$PRIVATE_LIBVIRT/events" || fail "no events"
sleep 1.5 # what was there before anybody read is no news
api_job suspend '"domain": "acme-web"'
snapshot=$(json "$api_reply" result.snapshot)
expect_json "$api_reply" owner root
_suspended ()
{
    api 200 /v1/domains/acme-web
    [ "$(json "$api_reply" state)" = suspended ]
}
wait_until 20 _suspended || fail "it is not shown as suspended: $api_reply"
expect_json "$api_reply" suspend "$snapshot"
api 200 "/v1/suspends?domain=acme-web"
expect_json "$api_reply" suspends.0.snapshot "$snapshot"
api 200 "/v1/snapshots/$snapshot"
expect_json "$api_reply" manifest.kind suspend
api_job resume '"domain": "acme-web", "wait": true'
wait_loaded acme-web
guest_verify acme-web
_told ()
{
    grep -A1 'event: job' "$PRIVATE_LIBVIRT/events" | grep -q '"operation":"resume".*"state":"done"\|"state":"done".*"operation":"resume"' &&
        grep -A1 'event: domain' "$PRIVATE_LIBVIRT/events" | grep -q '"state":"suspended"'
}
wait_until 20 _told || fail "events: $(cat "$PRIVATE_LIBVIRT/events")"
kill $reader
api 200 -H "$acme" /v1/jobs
expect_json "$api_reply" jobs.length 2
api 200 /v1/domains/acme-web/workingset
expect_json "$api_reply" uuid "$uuid"

echo "policy, and what it would do"
api 200 -X PATCH -H 'Content-Type: application/json' -d '{"profile": "standard"}' /v1/domains/acme-web/policy
expect_json "$api_reply" profile standard
api 200 -H 'Content-Type: application/json' \
    -d '{"profile": "new", "text": "[profile]\ninherit=minimal\n"}' /v1/domains/acme-web/preview
expect_json "$api_reply" profile new
[ -z "$(compgen -G "${TMPDIR:-/tmp}/foresnap-preview-*")" ] || fail "a folder is left"

echo "the plan, to everybody that of his own"
for name in acme-web other; do
    expect_exit 0 foresnap policy "$name" set "schedule.when=*:00" profile=standard
done
api 200 "/v1/plan?hours=3"
# by names: at the full hour there is one more
names ()
{
    jq -r "[.$1[].domain] | unique | join(\" \")" <<<"$api_reply"
}
expect_equal "$(names plan)" "acme-web other" "of whom the plan is"
expect_json "$api_reply" plan.0.reason "calendar: *:00"
expect_json "$api_reply" unscheduled 0
api 200 "/v1/plan?hours=2&domain=other"
expect_equal "$(names plan)" other "the plan of one"
api 400 "/v1/plan?hours=0"
api 200 -H "$acme" "/v1/plan?hours=3"
expect_equal "$(names plan)" acme-web "the plan of his"
expect_equal "$(names domains)" acme-web "the domains of his"
[[ $api_reply != *other* && $api_reply != *unscheduled* ]] || fail "it tells of others: $api_reply"
api 404 -H "$acme" "/v1/plan?domain=other"

echo "metrics"
_counted ()
{
    api 200 /metrics
    [[ $api_reply == *"foresnap_domain_own_bytes{domain=\"acme-web\""* ]]
}
wait_until 20 _counted || fail "sizes are not counted: $api_reply"
[[ $api_reply == *"foresnap_domain_running{domain=\"acme-web\",uuid=\"$uuid\"} 1"* ]] ||
    fail "it does not run: $api_reply"
if command -v promtool >/dev/null; then
    complaints=$(promtool check metrics <<<"$api_reply" 2>&1) || fail "$complaints"
    expect_equal "$complaints" "" "what promtool says"
fi

echo "a libvirt that hangs"
kill_inside STOP libvirtd
for _ in 1 2 3 4 5 6 7 8; do
    api 200 /v1/domains
    sleep 0.5
done
expect_json "$api_reply" domains.length 2
kill_inside CONT libvirtd
private_libvirt_restart
_back ()
{
    api 200 /v1/health
    [ "$(json "$api_reply" status)" = ok ]
}
wait_until 30 _back || fail "it does not find libvirt again: $api_reply"
! grep -E 'WARNING|CRITICAL' "$PRIVATE_LIBVIRT/api.err" || fail "it has complained"
private_libvirt_alive
