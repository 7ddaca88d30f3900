#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A database in the guest is at rest at the instant and goes on afterwards, by commands that the
# guest's agent runs. One that cannot be brought to rest, whatever its command does, is told or
# refused as it is declared, and is released in any case, also by whoever clears up.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
PATH=$PATH:/sbin:/usr/sbin
requires "mkfs.ext4 is not installed" mkfs.ext4 -V
requires "debugfs is not installed" debugfs -V
snapshot_start
guest_requires_agent
make_disk one-a.qcow2 qcow2 64M
make_disk one-b.raw raw 64M
mkfs.ext4 -q "$IMAGES/one-b.raw"
guest_start one 192 --fill 40 --agent --mount 2 \
    --devices "$(disk_xml vda one-a.qcow2 qcow2)$(disk_xml vdb one-b.raw raw)"
grep -q 'MOUNT /dev/vdb: done' "$(guest_log one)" || fail "the guest has not mounted its disk"
agent_answers ()
{
    guest_virsh qemu-agent-command one '{"execute":"guest-ping"}' >/dev/null 2>&1
}
wait_until 60 agent_answers || fail "the agent does not answer"

# The "database" writes to its disk and to the console what it does.
rest='echo rest >/mnt/state; echo DB rest >/dev/ttyS0'
go='echo go >/mnt/state; echo DB go >/dev/ttyS0'

# declare PLACE COMMAND-TO-REST [WORD…]
declare_db ()
{
    local place=$1 command=$2
    shift 2
    expect_exit 0 foresnap policy one set \
        "database.declare=db on=$place quiesce=\"/bin/sh -c '$command'\" release=\"/bin/sh -c '$go'\" $*"
}

# said US TEXT : how often the console has had that since
said ()
{
    awk -v since="$1" -v text=" $2" '$1 > since && index($0, text) { n++ } END { print n + 0 }' "$(guest_log one)"
}

# released US : it was, since then, and is what the disk has now
released ()
{
    [ "$(said "$1" 'DB go')" -ge 1 ]
}

expect_released ()
{
    wait_until 30 released "$1" || fail "the database was not released"
    wait_until 30 no_journal || fail "the journal is still there"
}

# state_in SNAPSHOT : what the database's disk has in it
state_in ()
{
    local out=$PRIVATE_LIBVIRT/exported
    rm -f "$out"
    expect_exit 0 foresnap export "$1" --disk vdb --format raw "$out"
    debugfs -R 'cat /state' "$out" 2>/dev/null
}

n_snapshots ()
{
    expect_exit 0 foresnap --json list
    json "$expect_out" snapshots.length
}

declare_db vdb "$rest"
began=$(now_us)
echo "only planned"
expect_exit 0 foresnap --json snapshot one --no-memory --dry-run
expect_json "$expect_out" databases.0.state planned
expect_json "$expect_out" consistency application
expect_equal "$(said "$began" DB)" 0 "what the database heard of a plan"

echo "at rest at the instant"
snapshot --no-memory
expect_json "$expect_out" consistency application
expect_json "$expect_out" databases.0.state quiesced
expect_json "$expect_out" databases.0.on '["vdb"]'
expect_json "$expect_out" disks.0.consistency filesystem
expect_json "$expect_out" disks.1.consistency application
expect_released "$began"
expect_equal "$(said "$began" 'DB rest')" 1 "how often it was brought to rest"
expect_equal "$(state_in "$snapshot")" rest "the state in the snapshot"
expect_exit 0 foresnap explain "$snapshot"
expect_match "${expect_out//$'\n'/ }" "Database 'db' was at rest" "what explain says"
expect_match "${expect_out//$'\n'/ }" "Database: level detailed" "what explain says"
expect_exit 0 foresnap show "$snapshot"
expect_match "$expect_out" "database: +db on vdb: quiesced" "what show prints"

echo "not with memory, nor if nothing is to be brought to rest"
began=$(now_us)
snapshot
expect_json "$expect_out" databases.0.state passed
snapshot --no-memory --quiesce none
expect_json "$expect_out" databases.0.state passed
expect_json "$expect_out" consistency crash
expect_equal "$(said "$began" DB)" 0 "what the database heard"

# told PLACE COMMAND WARNING [WORD…] : the snapshot goes on without it
told ()
{
    local place=$1 command=$2 warning=$3
    shift 3
    echo "  $warning"
    declare_db "$place" "$command" "$@"
    began=$(now_us)
    snapshot --no-memory
    expect_json "$expect_out" consistency filesystem
    expect_json "$expect_out" databases.0.state failed
    expect_match "$(json "$expect_out" warnings.0)" "$warning" "the warning"
}

# refused PLACE COMMAND WARNING [WORD…] : there is no snapshot
refused ()
{
    local place=$1 command=$2 warning=$3
    shift 3
    echo "  refused: $warning"
    declare_db "$place" "$command" "$@" on-failure=fail
    began=$(now_us)
    expect_exit 1 foresnap snapshot one --no-memory
    expect_match "$expect_err" "$warning" "the refusal"
}

echo "a database that is not at rest"
told vdb 'exit 3' "exit status 3"
expect_released "$began"
told vdb "sleep 1000; $rest" "did not end within 1 s and was ended" limit=1s
expect_released "$began"
expect_equal "$(said "$began" 'DB rest')" 0 "what an ended command has done"
told vdb:7 "$rest" "no partition 7"
had=$(n_snapshots)
# shellcheck disable=SC2016
refused vdb 'kill -TERM $$' "signal 15"
expect_released "$began"
refused vdb:7 "$rest" "no partition 7"
expect_released "$began"
refused vdz "$rest" "no disk 'vdz'"
expect_equal "$(said "$began" DB)" 0 "what was run of a database that lives nowhere"
expect_equal "$(n_snapshots)" "$had" "the number of snapshots"

echo "a command that prints 24 MiB, which nobody reads"
flood='s=x; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do s=$s$s; done'
flood+='; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $s$s; done'
declare_db vdb "$flood; $rest" on-failure=fail
began=$(now_us)
snapshot --no-memory
expect_json "$expect_out" consistency application
expect_released "$began"

echo "killed while it is brought to rest, and when it is"
declare_db vdb "$rest"
began=$(now_us)
FORESNAP_TEST_KILL_AT=quiesced expect_exit 137 foresnap snapshot one --no-memory
expect_exit 0 foresnap recover
expect_released "$began"
declare_db vdb "sleep 1000; $rest"
began=$(now_us)
FORESNAP_TEST_KILL_AT=quiescing expect_exit 137 foresnap snapshot one --no-memory
expect_exit 0 foresnap recover
expect_released "$began"
expect_equal "$(said "$began" 'DB rest')" 0 "what it does after its release"
expect_as_before one

echo "the agent has gone"
declare_db vdb "$rest"
guest_virsh qemu-agent-command one \
    '{"execute":"guest-exec","arguments":{"path":"/bin/sh","arg":["-c","kill -KILL $PPID"]}}' >/dev/null 2>&1 || :
# shellcheck disable=SC2016
wait_until 30 private_libvirt_exec sh -c 'virsh dumpxml one | grep -q "state=.disconnected."' ||
    fail "the agent's channel is still connected"
snapshot --no-memory
expect_json "$expect_out" consistency crash
expect_match "$(json "$expect_out" warnings.0)" "agent is not connected" "the warning"
expect_exit 0 foresnap policy one set database.on-failure=fail
expect_exit 1 foresnap snapshot one --no-memory
expect_match "$expect_err" "agent is not connected" "the refusal"
expect_exit 1 foresnap snapshot one --no-memory --dry-run
private_libvirt_alive
