#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# serve: what is read is what was stored, by several at once; it ends when it is told to, with
# its clients attached; damage is an error of the read, and is named.
. "${top_srcdir:-.}"/tests/functional/functions.sh
. "$top_srcdir"/tests/functional/stored-disk.sh
requires "nbdkit is not installed" nbdkit --version
requires "qemu-img is not installed" qemu-img --version
test_dir
REPO=$TEST_DIR/repo
id=0123456789abcdef0123456789abcdef
socket=$TEST_DIR/s.sock
uri="nbd+unix:///?socket=$socket"
make_disk "$TEST_DIR/disk" 48
store_disks $id web 0f0e0d0c-0b0a-0908-0706-050403020100 -- vda "$TEST_DIR/disk" raw -- vdb - raw

# serve : in the background; sets $server
serve ()
{
    # not by the function: the pid has to be that of the command
    "$_build/run" "$_build/foresnap" -r "$REPO" serve $id --disk vda --socket "$socket" \
        >"$TEST_DIR/out" 2>"$TEST_DIR/err" &
    server=$!
    cleanup_fn _end "$server"
    wait_until 20 grep -q serving "$TEST_DIR/out" || fail "no server: $(cat "$TEST_DIR/err")"
}

_end ()
{
    kill -KILL "$1" 2>/dev/null || :
}

# ended STATUS : within 5 s, without anything left
ended ()
{
    local status=0 begun=$SECONDS
    wait "$server" || status=$?
    expect_equal "$status" "$1" "the exit status of serve"
    expect_at_most $((SECONDS - begun)) 5 "the seconds that the end took"
    [ ! -e "$socket" ] || fail "the socket is left"
    ! pgrep -f "nbdkit .*$TEST_DIR" >/dev/null || fail "nbdkit is left"
}

expect_exit 2 plain_foresnap serve $id
expect_exit 2 plain_foresnap serve $id --disk vda
expect_exit 1 plain_foresnap serve $id --disk vdz --socket "$socket"
expect_match "$expect_err" "no disk 'vdz'; its disks: vda, vdb" "the error"
expect_exit 1 plain_foresnap serve $id --disk vdb --socket "$socket"
expect_match "$expect_err" "the test skips it" "the error"

serve
expect_equal "$(stat -c %a "$socket")" 600 "the mode of the socket"
qemu-img compare -f raw -F raw "$TEST_DIR/disk" "$uri" >/dev/null || fail "the disk differs"
# qemu-img counts in sectors of 512 bytes
expect_equal "$(qemu-img info -f raw --output=json "$uri" | grep virtual-size | tr -dc 0-9)" \
    "$(stat -c %s "$TEST_DIR/disk")" "the size"
qemu-img map -f raw --output=json "$uri" | grep '"zero": true' >/dev/null || fail "there are no extents"
for i in 1 2 3; do
    qemu-img convert -f raw -O raw "$uri" "$TEST_DIR/copy.$i" &
done
for job in $(jobs -p); do
    [ "$job" = "$server" ] || wait "$job"
done
for i in 1 2 3; do
    cmp "$TEST_DIR/disk" "$TEST_DIR/copy.$i"
done
qemu-io -f raw -c 'write 0 4k' "$uri" >/dev/null 2>&1 && fail "it can be written"

expect_exit 75 plain_foresnap serve $id --disk vda --socket "$socket"

# attach : a client that stays
attach ()
{
    perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; sysread $s, my $b, 18;
        print "attached\n"; $| = 1; print "\n"; sleep 60' "$socket" >"$TEST_DIR/client" &
    cleanup_fn _end $!
    wait_until 10 grep -q attached "$TEST_DIR/client" || fail "no client"
}

attach
kill -TERM "$server"
ended 0
serve
attach
kill -INT "$server"
ended 0

# Killed, it takes nbdkit with it; what it leaves is replaced.
serve
kill -KILL "$server"
wait "$server" || :
wait_until 5 eval "! pgrep -f 'nbdkit .*$TEST_DIR' >/dev/null" || fail "nbdkit is left"
[ -S "$socket" ] || fail "there is no stale socket to be replaced"
serve
qemu-img compare -f raw -F raw "$TEST_DIR/disk" "$uri" >/dev/null || fail "the disk differs"
kill -TERM "$server"
ended 0

# Damage is where it is, and nowhere else.
pack=$(find "$REPO/packs" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
flip_byte "$pack" $(($(stat -c %s "$pack") / 2))
serve
! qemu-img convert -f raw -O raw "$uri" "$TEST_DIR/copy" 2>"$TEST_DIR/reader" ||
    fail "damage is handed out"
expect_match "$(cat "$TEST_DIR/reader")" "Input/output error" "what the reader says"
expect_match "$(cat "$TEST_DIR/err")" "packs/" "what serve says"
qemu-io -r -f raw -c 'read -P 0 32M 64k' "$uri" | grep 'read 65536/65536' >/dev/null ||
    fail "the rest cannot be read"
kill -TERM "$server"
ended 0
