#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnap events: calendars from files and from a real HTTP server, kept, fetched again only
# when they have changed, and never lost to what a server may answer.
. "${top_srcdir:-.}"/tests/functional/functions.sh
requires "python3 is not installed" python3 -c 'import http.server'
test_dir
export FORESNAP_EVENTS=$TEST_DIR/events TZ=UTC
web=$TEST_DIR/web
mkdir "$web"

events ()
{
    "$top_builddir/foresnap" events "$@"
}

# calendar NAME : an event tomorrow, each day
calendar ()
{
    printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 BEGIN:VEVENT UID:1 \
        "DTSTART:$(date -u -d tomorrow +%Y%m%dT030000Z)" DURATION:PT1H \
        'RRULE:FREQ=DAILY' "SUMMARY:$1" CATEGORIES:Backup END:VEVENT END:VCALENDAR
}

calendar nightly > "$web/calendar.ics"
python3 "$top_srcdir/tests/functional/http-server.py" "$web" &
cleanup_fn kill $!
wait_until 10 test -e "$web/port"
url=http://127.0.0.1:$(cat "$web/port")

expect_exit 0 events list
expect_exit 0 events add "$url/moved" --json
expect_match "$expect_out" '"events_30_days" : (29|30)' "the document"
expect_match "$expect_out" '"next_name" : "nightly"' "the document"
id=$(sed -n 's/.*"id" : "\(.*\)".*/\1/p' <<< "$expect_out")
[ "$(stat -c %a "$FORESNAP_EVENTS/$id.data" "$FORESNAP_EVENTS" | xargs)" = "600 700" ] ||
    fail "others may read the copies"

# Unchanged: the server says so, and nothing is sent again.
: > "$web/log"
expect_exit 0 events refresh
expect_match "$expect_out" "$id: unchanged" "a refresh"
expect_equal "$(tail -n 1 "$web/log")" "304 /calendar.ics" "what the server has seen"
calendar other > "$web/calendar.ics"
expect_exit 0 events refresh "$id"
expect_match "$expect_out" "$id: a new copy" "a refresh of a changed calendar"
grep -q SUMMARY:other "$FORESNAP_EVENTS/$id.data" || fail "the copy is the old one"

# A broken answer leaves the copy.
echo '<html>' > "$web/calendar.ics"
expect_exit 1 events refresh
expect_match "$expect_err" "$id keeps its old copy" "a refresh that fails"
grep -q SUMMARY:other "$FORESNAP_EVENTS/$id.data" || fail "the copy is lost"
calendar other > "$web/calendar.ics"
expect_exit 0 events refresh

# Servers that misbehave.
expect_exit 1 events add "$url/loop"
expect_exit 1 events add "$url/file"
expect_match "$expect_err" "foresnap: cannot add events of '$url/file': cannot fetch" "a redirection to a file"
expect_exit 1 events add "$url/endless"
expect_match "$expect_err" "is longer than [0-9]* bytes" "an endless answer"
expect_exit 1 events add "$url/missing.ics"
expect_match "$expect_err" "the server says 404" "a missing file"
expect_exit 1 events add http://127.0.0.1:1/
expect_exit 2 events add ftp://127.0.0.1/x
expect_exit 1 events add "http://user:secret@127.0.0.1:1/"
[[ $expect_err != *secret* ]] || fail "a password is shown"
"$top_builddir/foresnap" events add "$url/silent" 2> "$TEST_DIR/err" &
silent=$!
wait_until 10 grep -q '/silent' "$web/log" || fail "the server is not asked"
kill -TERM "$silent"
kill -TERM "$silent" # twice, as timeout(1) does
status=0
wait "$silent" || status=$?
expect_equal "$status" 1 "the exit status of what is interrupted"
grep -q cancelled "$TEST_DIR/err" || fail "a signal does not end a silent transfer: $(cat "$TEST_DIR/err")"

# Files, kinds and domains.
printf 'start,name\n%s,stocktaking\n' "$(date -u -d '+5 days' +%Y-%m-%d)" > "$TEST_DIR/table.csv"
expect_exit 0 events add "$TEST_DIR/table.csv" --kind closing --domain shop
expect_exit 0 events list
expect_match "$expect_out" "closing +shop .* 1 +$TEST_DIR/table.csv" "the list"
expect_exit 1 events add "$TEST_DIR/nothing.csv"
echo nonsense > "$TEST_DIR/bad.csv"
expect_exit 1 events add "$TEST_DIR/bad.csv"
expect_match "$expect_err" "no column 'start'" "a bad table"
expect_exit 2 events add "$TEST_DIR/table.csv" --kind 'No!'
expect_exit 2 events frobnicate

# Damage is named, and can be removed.
echo '{' > "$FORESNAP_EVENTS/$id.json"
expect_exit 0 events list
expect_match "$expect_err" "the source '$id' cannot be read" "a damaged source"
expect_exit 0 events remove "$id"
expect_exit 1 events remove "$id"
expect_exit 1 events remove ../../x
[ "$(find "$FORESNAP_EVENTS" -type f | wc -l)" = 2 ] || fail "files are left over"
