#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sample and history with a real guest; a suspend carries what is known of its domain, to a
# host that has never seen it too, and a damaged window keeps nobody from resuming.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow
guest_start web 192 --fill 32
export FORESNAP_HISTORY=$PRIVATE_LIBVIRT/history.db

expect_exit 1 foresnap history web
expect_match "$expect_err" "nothing was sampled yet" "what history says before"
expect_exit 0 foresnap --json sample --once
expect_json "$expect_out" domains 1
sleep 1 # a rate needs two looks
expect_exit 0 foresnap sample --once --domain web
expect_exit 0 foresnap --json history web
expect_match "$expect_out" '"metric" : "cpu"' "the metrics"
expect_exit 0 foresnap history web --csv --metric cpu --step 1s --since 1m
expect_match "$expect_out" "^time,metric,min,mean,max,p95.*Z,cpu,0*\.?[0-9]*[1-9]" "the use of processors"
expect_exit 0 foresnap history web --plot --metric memory.used
expect_match "$expect_out" "web: memory.used, B" "the plot"
expect_exit 0 foresnap history web --output "$PRIVATE_LIBVIRT/all.png"
expect_equal "$(head -c 4 "$PRIVATE_LIBVIRT/all.png" | tail -c 3)" PNG "the picture"
expect_exit 2 foresnap history web --output "$PRIVATE_LIBVIRT/all.gif"
expect_exit 1 foresnap history web --metric nothing
expect_exit 2 foresnap history web --add Bad=1
expect_exit 2 foresnap history web --add "later=1@2999-01-01"

echo "one sampler at a time, which ends when it is asked to"
foresnap sample --interval 1 >/dev/null &
sampler=$!
# Whether the lock is held; taking it to find out would turn a sampler away that just begins.
_sampling ()
{
    [ -e "$FORESNAP_HISTORY.sampler" ] &&
        grep -q ":$(stat -c %i "$FORESNAP_HISTORY.sampler") " /proc/locks
}
wait_until 20 _sampling || fail "it does not sample"
expect_exit 75 foresnap sample --once
kill_inside TERM foresnap
wait $sampler || fail "the sampler did not end in good order"

echo "a month from elsewhere"
{
    echo "time,cpu,orders"
    now=$(date +%s)
    for ((t = now - 26 * 86400; t < now - 86400; t += 900)); do
        echo "$t,$((t / 900 % 7)),$((t / 900 % 50))"
    done
} >"$PRIVATE_LIBVIRT/month.csv"
expect_exit 0 foresnap history web --import "$PRIVATE_LIBVIRT/month.csv"
echo "time,cpu
now,1" >"$PRIVATE_LIBVIRT/bad.csv"
expect_exit 1 foresnap history web --import "$PRIVATE_LIBVIRT/bad.csv"
expect_match "$expect_err" "line 2" "what is wrong with the file"

days ()
{
    FORESNAP_HISTORY=$1 foresnap history web --csv --metric orders --step 15m --since "@$((now - 26 * 86400))" \
        --until "@$((now - 86400))"
}
days "$FORESNAP_HISTORY" >"$PRIVATE_LIBVIRT/here"
expect_equal "$(wc -l <"$PRIVATE_LIBVIRT/here")" $((25 * 96 + 1)) "lines of a month"

echo "a forecast of it"
expect_exit 0 foresnap forecast web --metric orders --horizon 3
expect_match "$expect_out" "^step,mean,lo95,hi95,q95.*3,[0-9]" "the forecast"
fitted ()
{
    foresnap --json forecast web --metric orders --horizon 1 "$@" | grep '"fitted"'
}
chosen=$(fitted)
sleep 1.1 # it is told to the second
expect_equal "$(fitted)" "$chosen" "when the models were chosen, the second time"
[ "$(fitted --refit)" != "$chosen" ] || fail "--refit does not choose anew"
expect_exit 1 foresnap forecast web --metric nothing

echo "a network of all"
expect_exit 2 foresnap train --samples -1
expect_exit 0 foresnap train --samples 400
expect_match "$expect_out" "learned from [1-9][0-9]* series" "what is said of the training"
expect_exit 0 foresnap forecast web --metric orders --model lstm --horizon 3
expect_match "$expect_out" "3,[0-9]" "the forecast of the network"
FORESNAP_HISTORY=$PRIVATE_LIBVIRT/none.db expect_exit 1 foresnap train

expect_exit 2 foresnap forecast web --csv "$PRIVATE_LIBVIRT/month.csv"

echo "a suspend carries it"
expect_exit 0 foresnap suspend web
id=$(newest)
expect_exit 0 foresnap --json show "$id"
[[ $expect_out =~ \"history\"\ :\ \{[[:space:]]*\"object\"\ :\ \"([0-9a-f]{64})\" ]] ||
    fail "no history in: $expect_out"
object=$(find "$REPO/objects" -name "${BASH_REMATCH[1]}")
[ "$(stat -c %s "$object")" -le $((256 * 1024 + 200)) ] || fail "the window is too large"
expect_exit 0 foresnap verify --read-data
expect_exit 0 foresnap gc --grace 0
[ -f "$object" ] || fail "gc has taken the history"

echo "and a host that has never seen it takes it over"
export FORESNAP_HISTORY=$PRIVATE_LIBVIRT/elsewhere/history.db
expect_exit 0 foresnap resume web
[[ $expect_err != *history* ]] || fail "a warning: $expect_err"
wait_loaded web
guest_verify web
days "$FORESNAP_HISTORY" >"$PRIVATE_LIBVIRT/there"
# Numbers have 8 bits: these are small.
cut -d, -f 1,2,4 "$PRIVATE_LIBVIRT/here" >"$PRIVATE_LIBVIRT/here.mean"
cut -d, -f 1,2,4 "$PRIVATE_LIBVIRT/there" >"$PRIVATE_LIBVIRT/there.mean"
cmp "$PRIVATE_LIBVIRT/here.mean" "$PRIVATE_LIBVIRT/there.mean"
size=$(stat -c %s "$FORESNAP_HISTORY")
for _ in 1 2; do
    expect_exit 0 foresnap suspend web
    expect_exit 0 foresnap resume web
    wait_loaded web
done
days "$FORESNAP_HISTORY" | cmp - "$PRIVATE_LIBVIRT/there"
[ "$(stat -c %s "$FORESNAP_HISTORY")" -le $((size + 65536)) ] || fail "the history grows by itself"

echo "what is damaged is not used, and the guest goes on"
expect_exit 0 foresnap suspend web
id=$(newest)
expect_exit 0 foresnap --json show "$id"
[[ $expect_out =~ \"history\"\ :\ \{[[:space:]]*\"object\"\ :\ \"([0-9a-f]{64})\" ]]
object=$(find "$REPO/objects" -name "${BASH_REMATCH[1]}")
chmod u+w "$object"
printf 'XXXX' | dd of="$object" bs=1 seek=300 conv=notrunc status=none
expect_exit 1 foresnap verify
expect_exit 0 foresnap resume web
expect_match "$expect_err" "warning: the history in the snapshot is not used" "the warning"
wait_loaded web
guest_verify web

echo "a history that cannot be read keeps nobody from suspending"
echo "not a database, but long enough to look like something that was one" >"$FORESNAP_HISTORY"
rm -f "$FORESNAP_HISTORY"-*
expect_exit 0 foresnap suspend web
expect_match "$expect_err" "warning: the history is not carried along" "the warning"
expect_exit 0 foresnap resume web
wait_loaded web
guest_verify web
