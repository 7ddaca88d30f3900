#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# foresnapd carries schedules out: what is due, however much was missed, is taken once, as a job.
. "${top_srcdir:-.}"/tests/functional/daemon.sh
test_dir
daemon_prepare
export TZ=UTC
make_disk nightly.qcow2 qcow2 16M
guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>nightly</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>$(disk_xml vda nightly.qcow2 qcow2)</devices></domain>
XML
expect_exit 0 foresnap policy nightly set "schedule.when=*:00" profile=standard
# the first run only notes from when on the schedule holds; then it has held for some hours
expect_exit 0 foresnap plan --run
record=$STATE/schedule/$(guest_virsh domuuid nightly | head -n 1).json
sed -i "s/\"handled_us\" : [0-9]*/\"handled_us\" : $(($(date +%s) - 5 * 3600))000000/" "$record"

snapshots ()
{
    foresnap --json list nightly | jq '.snapshots | length'
}

has_one ()
{
    [ "$(snapshots)" = 1 ]
}

printf '[sampling]\nenabled=false\n[schedules]\ninterval=1\n[jobs]\nbandwidth=64M/s\n' >"$CONF"
daemon_start
wait_until 60 has_one || fail "nothing is taken: $(cat "$DAEMON_LOG")"
expect_exit 0 foresnap --json jobs
job=$(jq -r '[.jobs[] | select(.operation == "plan")][0].job' <<<"$expect_out")
expect_equal "$(jq -r ".jobs[] | select(.job == \"$job\").origin" <<<"$expect_out")" schedule "who has started it"
expect_exit 0 foresnap jobs wait "$job" --timeout 60
expect_exit 0 foresnap --json jobs show "$job"
expect_match "$expect_out" "--bandwidth=67108864" "its limit"

# Three more looks at the plan, and nothing is due any more.
sleep 3
daemon_end TERM
expect_equal "$(snapshots)" 1 "how many snapshots five missed hours make"
expect_equal "$(foresnap --json jobs | jq '[.jobs[] | select(.operation == "plan")] | length')" 1 "the jobs"

echo "what is new is noted, and what a clock that went ahead has left, so that nothing is lost"
expect_exit 0 foresnap policy nightly set "schedule.when=*:30"
_noted ()
{
    [ "$(jq -r .when "$record")" = "*:30" ]
}
daemon_start
wait_until 60 _noted || fail "a new schedule is not noted: $(cat "$record" "$DAEMON_LOG")"
daemon_end TERM
sed -i "s/\"handled_us\" : [0-9]*/\"handled_us\" : $(($(date +%s) + 86400))000000/" "$record"
_back ()
{
    [ "$(jq -r .handled_us "$record")" -le "$(date +%s)000000" ]
}
daemon_start
wait_until 60 _back || fail "it waits for tomorrow: $(cat "$record" "$DAEMON_LOG")"
daemon_end TERM
private_libvirt_alive
