#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# suspend, status, list, discard and their refusals, as a user meets them: words, documents
# and exit codes.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
private_libvirt_requires
guest_requires
test_dir
private_libvirt_start
guest_start web 256

foresnap ()
{
    private_libvirt_exec env FORESNAP_LIBEXECDIR="$top_builddir" FORESNAP_REPO="$TEST_DIR/repo" \
        "$top_builddir/foresnap" -c qemu:///system "$@"
}

# has DOCUMENT KEY REGEX : the document has that member with such a value.
has ()
{
    [[ $1 =~ \"$2\"\ :\ $3 ]] || fail "no member '$2' like '$3' in: $1"
}

expect_exit 2 foresnap suspend
expect_exit 2 foresnap suspend web --paused --ahead 5
expect_exit 2 foresnap suspend web --codec rot13
expect_exit 2 foresnap resume web --mode slow
expect_exit 1 foresnap --json suspend nobody
has "$expect_out" code '"not-found"'
expect_match "$expect_err" "^foresnap: cannot suspend 'nobody': " "the error"
expect_exit 1 foresnap --json discard web
has "$expect_out" code '"state"'
expect_exit 1 foresnap resume web
expect_exit 0 foresnap --json recover
has "$expect_out" actions '\['
guest_verify web

expect_exit 0 foresnap suspend web --paused --json
for key in pause_us total_us bytes_read bytes_changed bytes_stored; do
    has "$expect_out" "$key" '[1-9][0-9]*'
done
has "$expect_out" domain '"web"'
has "$expect_out" kind '"suspend"'
has "$expect_out" parent null
[[ $expect_out =~ \"snapshot\"\ :\ \"([0-9a-f]{32})\" ]] || fail "no snapshot in: $expect_out"
snapshot=${BASH_REMATCH[1]}
expect_equal "$(guest_virsh domstate web)" "shut off" "the state of the domain"

expect_exit 0 foresnap list -q
expect_equal "$expect_out" "$snapshot" "the list"
expect_exit 0 foresnap list web
expect_match "$expect_out" "web +suspend +ready" "the list"
expect_exit 0 foresnap status
expect_match "$expect_out" "web +suspended +${snapshot:0:8}" "the status"
expect_exit 0 foresnap --json status
has "$expect_out" state '"suspended"'
expect_exit 0 foresnap verify --read-data
expect_match "$expect_out" "^verified 1 snapshots.*no problem" "the verification"
expect_exit 1 foresnap delete "$snapshot"
expect_match "$expect_err" "foresnap discard web" "the error"
! guest_virsh start web 2>/dev/null || fail "a suspended domain was booted over its memory"

expect_exit 0 foresnap discard web
expect_match "$expect_out" "discarded the saved memory of 'web'" "the output"
expect_exit 0 foresnap list
expect_equal "$expect_out" "there are no snapshots" "the list"
expect_exit 0 foresnap gc --grace 0
now=$(now_us)
guest_virsh start web
guest_await web "$now" ' READY pages=' 60 >/dev/null
guest_verify web
private_libvirt_alive
