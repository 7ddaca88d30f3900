#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Storage under a suspend: a repository that fills up in its middle costs the suspend, not the
# guest; an idle guest's second suspend stores next to nothing; whatever is damaged is named,
# and what does not need it stays usable.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
private_libvirt_requires
guest_requires
private_libvirt_start
userfaultfd_allow
repo=$PRIVATE_LIBVIRT/repo

guest_start one 128 --fill 48

# --- a disk that fills up -----------------------------------------------------------------
# A file system of its own, large enough for the estimate; a file of ours takes the room.
mkdir "$repo"
private_libvirt_exec mount -t tmpfs -o size=320m,mode=700 repo "$repo"

on_repo ()
{
    private_libvirt_exec bash -c "cd '$repo' && $1"
}

# fill : leave no block free
fill ()
{
    on_repo 'dd if=/dev/zero of=filler bs=64k status=none 2>/dev/null || :'
}

# fill_in_the_middle PROGRAM : once it has begun to write; it is stopped meanwhile
fill_in_the_middle ()
{
    on_repo "for ((i = 0; i < 5000; i++)); do
            if [ -n \"\$(find tmp packs -type f -size +64k 2>/dev/null)\" ]; then
                pkill -STOP -x $1
                dd if=/dev/zero of=filler bs=64k status=none 2>/dev/null
                pkill -CONT -x $1
                exit
            fi
            sleep 0.002
        done; exit 1"
}

expect_full ()
{
    expect_exit 1 foresnap --json "$@"
    expect_json "$expect_out" error.code no-space
    expect_match "$expect_err" "foresnap gc" "the way out"
    expect_no_trace
    guest_wait_heartbeat one 20
    guest_verify one
}

# What was written in vain can be collected even though nothing is free.
collect ()
{
    expect_exit 0 foresnap gc --grace 0
    expect_equal "$(on_repo 'find . -type f -size +16k ! -name filler')" "" "what gc has left"
    on_repo 'rm -f filler'
}

for command in "suspend --paused" suspend prepare; do
    echo "full in the middle of: $command"
    program=foresnap
    [ "$command" = prepare ] && program=foresnap-holder
    fill_in_the_middle "$program" &
    # shellcheck disable=SC2086
    expect_full $command one
    wait $! || fail "nothing was written that could have been too much"
    collect
done

echo "full between a prepare and its suspend"
expect_exit 0 foresnap prepare one
guest_ask one 'dirty 2000' ' DIRTY rate=2000$' >/dev/null
guest_ask one 'dirty 0' ' DIRTY rate=0$' >/dev/null
fill
expect_full suspend one
collect

# The last ones come when the state is durable, and then guarded: it is withdrawn.
for step in begun migrating held stopping storing durable guarded; do
    echo "a journal that cannot be written at '$step'"
    FORESNAP_TEST_FAIL_AT=$step expect_exit 1 foresnap suspend one
    expect_match "$expect_err" "cannot write the journal" "the error"
    expect_no_trace
    guest_wait_heartbeat one 20
    guest_verify one
    expect_exit 0 foresnap gc --grace 0
done

# --- little is stored twice -----------------------------------------------------------------
echo "usable again; second suspend of an idle guest"
expect_exit 0 foresnap --json suspend one
first=$(json "$expect_out" snapshot)
expect_exit 0 foresnap verify --read-data
expect_exit 0 foresnap resume one --wait
guest_verify one
expect_exit 0 foresnap --json suspend one
expect_json "$expect_out" parent "$first"
changed=$(json "$expect_out" bytes_changed)
stored=$(json "$expect_out" bytes_stored)
echo "changed $((changed / 1024)) KiB, stored $((stored / 1024)) KiB"
expect_at_most "$stored" $((changed * 11 / 10 + 1048576)) "what the second suspend stored"
expect_at_most "$changed" $((32 << 20)) "what an idle guest has changed"
expect_exit 0 foresnap verify --read-data
expect_exit 0 foresnap resume one --wait
guest_verify one
for snapshot in $(foresnap list -q); do
    expect_exit 0 foresnap delete "$snapshot"
done
expect_exit 0 foresnap gc --grace 0

# --- damage -------------------------------------------------------------------------------
# Two snapshots that share no data.
guest_virsh define /dev/stdin >/dev/null <<'XML'
<domain type='qemu'><name>two</name><memory unit='MiB'>16</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>
XML
guest_virsh start two
expect_exit 0 foresnap --json suspend two
two=$(json "$expect_out" snapshot)
on_repo 'find packs indexes roots objects manifests -type f | sort' >"$PRIVATE_LIBVIRT/before"
expect_exit 0 foresnap --json suspend one
one=$(json "$expect_out" snapshot)
on_repo 'find packs indexes roots objects manifests -type f | sort' >"$PRIVATE_LIBVIRT/after"
expect_exit 0 foresnap verify --read-data

# file_of KIND : a file that only the snapshot of "one" has
file_of ()
{
    comm -13 "$PRIVATE_LIBVIRT/before" "$PRIVATE_LIBVIRT/after" | grep -m 1 "^$1/"
}

# damage HOW FILE
damage ()
{
    case $1 in
    flipped)
        on_repo "at=\$((\$(stat -c %s '$2') / 2))
            byte=\$(od -An -tu1 -j \$at -N 1 '$2')
            printf \"\\\\x\$(printf %02x \$((byte ^ 1)))\" |
                dd of='$2' bs=1 seek=\$at conv=notrunc status=none"
        ;;
    truncated) on_repo "truncate -s \$((\$(stat -c %s '$2') / 2)) '$2'" ;;
    missing) on_repo "rm '$2'" ;;
    esac
}

# The guest has to stay as it is: suspended, and never started on wrong data. What stands in
# the way is named: FILE, or that without its manifest there is no state.
expect_still_suspended ()
{
    expect_exit 1 foresnap resume one
    expect_match "$expect_err" "cannot resume 'one': .*($1|not suspended by foresnap)" "the refusal"
    expect_domain one "shut off"
    [ -s "$(stub_path one)" ] || fail "the guard has gone after a refused resume"
}

for kind in packs indexes roots objects manifests; do
    file=$(file_of $kind) || fail "the snapshot has no file of its own in $kind"
    for how in flipped truncated missing; do
        echo "$kind $how"
        on_repo "cp -a '$file' saved"
        damage $how "$file"
        if [ "$kind $how" = "manifests missing" ]; then
            # Without its manifest there is no snapshot.
            expect_exit 0 foresnap list -q
            expect_equal "$expect_out" "$two" "the list"
        else
            expect_exit 1 foresnap --json verify --read-data
            expect_json "$expect_out" error.code corrupt
            expect_match "$(json "$expect_out" problems)" "${file##*/}" "the problems found"
            [[ $(json "$expect_out" problems) != *"$two"* ]] ||
                fail "another snapshot is called damaged: $expect_out"
        fi
        expect_exit 0 foresnap verify --read-data "$two"
        # Page data is looked at when it is needed, and then the guest waits for it.
        [ "$kind $how" = "packs flipped" ] || expect_still_suspended "${file##*/}"
        case "$kind $how" in
        "packs missing" | "manifests truncated")
            # The other one does not only verify, it can be used.
            expect_exit 0 foresnap resume two --wait
            expect_exit 0 foresnap delete "$two"
            expect_exit 0 foresnap --json suspend two
            two=$(json "$expect_out" snapshot)
            ;;
        esac
        on_repo "cp -a saved '$file' && rm saved"
    done
done
expect_exit 0 foresnap verify --read-data
expect_exit 0 foresnap verify --read-data "$one"
expect_exit 0 foresnap resume one --wait
guest_wait_heartbeat one 20
guest_verify one
private_libvirt_alive
