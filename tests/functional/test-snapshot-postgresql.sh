#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real PostgreSQL in a real Debian, written to while it is snapshot: restored as a new domain it
# starts, finds no damage in its own files, and has every transaction that was committed before
# the instant, whole, and none in halves.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
long_test
PATH=$PATH:/sbin:/usr/sbin
requires "debootstrap is not installed" command -v debootstrap
requires "mkfs.ext4 is not installed" mkfs.ext4 -V
snapshot_start
: "${FSN_DEBIAN_DIR:=$top_builddir/tests/guest/debian}"
"$top_srcdir/tests/guest/build-debian.sh" "$FSN_DEBIAN_DIR" || fail "the Debian guest cannot be built"
cp --sparse=always "$FSN_DEBIAN_DIR/debian.raw" "$IMAGES/pg.raw"
cp "$FSN_DEBIAN_DIR"/{vmlinuz,initrd} "$IMAGES/"
chmod 666 "$IMAGES/pg.raw"
chmod 644 "$IMAGES"/{vmlinuz,initrd}
bin=/usr/lib/postgresql/$(cat "$FSN_DEBIAN_DIR/version")/bin
unit=postgresql@$(cat "$FSN_DEBIAN_DIR/version")-main

if kvm_works; then type=kvm; else type=qemu; fi
cat >"$PRIVATE_LIBVIRT/one.xml" <<END
<domain type='$type'>
  <name>one</name>
  <memory unit='MiB'>1024</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>$IMAGES/vmlinuz</kernel>
    <initrd>$IMAGES/initrd</initrd>
    <cmdline>root=/dev/vda rw console=ttyS0 quiet systemd.show_status=no</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <serial type='pty'><log file='$IMAGES/console.log'/></serial>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    $(disk_xml vda pg.raw raw)
  </devices>
</domain>
END

agent ()
{
    guest_virsh qemu-agent-command "$1" "$2"
}

agent_answers ()
{
    agent "$1" '{"execute":"guest-ping"}' >/dev/null 2>&1
}

# exec_status NAME PID : sets $answer; true once the program has ended
exec_status ()
{
    answer=$(agent "$1" '{"execute":"guest-exec-status","arguments":{"pid":'"$2"'}}') &&
        [ "$(json "$answer" return.exited)" = 1 ]
}

# run_in NAME COMMAND : a shell's command in the guest; prints what that does, fails with it
run_in ()
{
    local question pid answer=
    question=$(perl -MJSON::PP -e 'print encode_json({execute => "guest-exec", arguments =>
        {path => "/bin/sh", arg => ["-c", "($ARGV[0]\n) 2>&1"], "capture-output" => JSON::PP::true}})' "$2")
    pid=$(json "$(agent "$1" "$question")" return.pid)
    wait_until 1200 exec_status "$1" "$pid" || fail "'$2' does not end in the guest"
    perl -MJSON::PP -MMIME::Base64 -e 'my $r = decode_json($ARGV[0])->{return};
        print decode_base64($r->{"out-data"} // ""); exit(($r->{exitcode} // 1) != 0)' "$answer"
}

# expect_in NAME COMMAND : the same, and the test fails with it; sets $out
expect_in ()
{
    out=$(run_in "$1" "$2") || fail "'$2' fails in guest $1: $out"
}

sql ()
{
    expect_in "$1" "runuser -u postgres -- psql -Atqc \"$2\" bench"
}

is_ready ()
{
    run_in "$1" "runuser -u postgres -- psql -Atqc 'SELECT 1'" >/dev/null 2>&1
}

# boot NAME : until its database answers
boot ()
{
    guest_virsh start "$1" >/dev/null
    wait_until 900 agent_answers "$1" ||
        fail "the agent of $1 does not answer: $(tail -n 20 "$IMAGES/console.log")"
    wait_until 600 is_ready "$1" ||
        fail "PostgreSQL does not start in $1: $(run_in "$1" "journalctl -u $unit; cat /var/log/postgresql/*.log" || :)"
    echo "  $1 is up after $SECONDS s"
}

has_rows ()
{
    [ "$(run_in one "runuser -u postgres -- psql -Atqc 'SELECT count(*) FROM credit' bench")" -ge "$1" ]
}

# take ROWS : one snapshot under load, once so many rows are there; sets $snapshot, $least and $most
take ()
{
    wait_until 600 has_rows "$1" || fail "there is no load"
    sql one "SELECT count(*) FROM credit"
    least=$out
    snapshot
    sql one "SELECT count(*) FROM credit"
    most=$out
    expect_json "$expect_out" consistency application
    expect_json "$expect_out" databases.0.state quiesced
    echo "  $least to $most rows, quiesced in $(json "$expect_out" databases.0.quiesce_us) us," \
        "$(json "$expect_out" disks.0.mode), $(json "$expect_out" bytes_read) bytes read"
    [ "$most" -gt "$least" ] || fail "nothing was written meanwhile"
}

guest_virsh define "$PRIVATE_LIBVIRT/one.xml" >/dev/null
boot one
echo "checksums, and an account book: what one table gets another one gives, in one transaction"
expect_in one "systemctl stop $unit && runuser -u postgres -- $bin/pg_checksums --enable -D /var/lib/postgresql/*/main && systemctl start $unit"
expect_in one "runuser -u postgres -- createdb bench"
sql one "CREATE TABLE debit (id bigserial PRIMARY KEY, amount int, filler text);
    CREATE TABLE credit (id bigint PRIMARY KEY REFERENCES debit, amount int, filler text);
    CREATE INDEX ON debit (amount); CREATE EXTENSION amcheck"
# shellcheck disable=SC2016
expect_in one 'cat >/tmp/book.sql <<"E"
\set n random(1, 1000)
BEGIN;
INSERT INTO debit (amount, filler) VALUES (:n, repeat(md5(random()::text), 20));
INSERT INTO credit SELECT id, -amount, filler FROM debit WHERE id = currval($$debit_id_seq$$);
COMMIT;
E
chmod 644 /tmp/book.sql'
expect_in one "systemd-run --quiet --unit=load runuser -u postgres -- $bin/pgbench -n -c 4 -j 2 -T 100000 -f /tmp/book.sql bench"
expect_exit 0 foresnap policy one set profile=standard \
    'database.declare=postgres on=vda quiesce="runuser -u postgres -- psql -qc CHECKPOINT" limit=5min on-failure=fail'

echo "snapshots under load"
take 200
first=$snapshot
take $((most + 200))
expect_json "$expect_out" disks.0.base "$first"
expect_in one "systemctl is-active load"
guest_virsh destroy one >/dev/null

echo "as a new domain"
expect_exit 0 foresnap restore "$snapshot" --as two --dir "$IMAGES"
private_libvirt_exec sh -c 'chmod 666 "$1"/two-*' sh "$IMAGES"
boot two
expect_in two "grep -hE 'interrupted|not properly shut down|redo (starts|done)|invalid|PANIC|FATAL' /var/log/postgresql/*.log | tail -n 8"
printf '%s\n' "$out" | sed 's/^/    /'
sql two "SELECT count(*) FROM credit"
rows=$out
echo "  $rows rows"
[ "$rows" -ge "$least" ] || fail "transactions that were committed before the instant are lost: $rows of $least"
[ "$rows" -le "$most" ] || fail "there is more than was written: $rows of $most"
sql two "SELECT count(*), coalesce(sum(d.amount + c.amount), 0),
    count(*) FILTER (WHERE d.filler IS DISTINCT FROM c.filler) FROM debit d FULL JOIN credit c USING (id)"
expect_equal "$out" "$rows|0|0" "the book"
expect_in two "runuser -u postgres -- $bin/pg_amcheck --heapallindexed --parent-check --install-missing --all"
sql two "INSERT INTO debit (amount) VALUES (1) RETURNING id"
expect_in two "systemctl stop $unit && runuser -u postgres -- $bin/pg_checksums --check -D /var/lib/postgresql/*/main"
expect_match "$out" "Bad checksums: +0" "what pg_checksums finds"
printf '%s\n' "$out" | sed 's/^/    /'
private_libvirt_alive
