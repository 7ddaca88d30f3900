#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Administrators' hooks around operations on a real guest: they are told what it is about, one
# before may veto, those after are run however it ends, and what others can write is not run.
. "${top_srcdir:-.}"/tests/functional/snapshot.sh
# shellcheck disable=SC2119
snapshot_start
export FORESNAP_CONFIG_DIR=$PRIVATE_LIBVIRT/config
HOOKS=$FORESNAP_CONFIG_DIR/hooks
told=$PRIVATE_LIBVIRT/told
guest_with_disks one 128 --fill 32

# hook PLACE COMMAND… : a script there
hook ()
{
    local path=$HOOKS/$1
    shift
    mkdir -p "${path%/*}"
    printf '#!/bin/sh\n%s\n' "$*" >"$path"
    chmod -R go-w "$HOOKS"
    chmod 755 "$path"
}

# note PLACE : a hook that notes what it is told
note ()
{
    # shellcheck disable=SC2016
    hook "$1" 'echo "$FORESNAP_PHASE-$FORESNAP_OPERATION $FORESNAP_DOMAIN $FORESNAP_UUID ${FORESNAP_RESULT-} ${FORESNAP_SNAPSHOT:+id}" >>'"$told"
}

uuid=$(guest_virsh domuuid one | head -n 1)
for operation in suspend resume snapshot restore; do
    note "pre-$operation.d/50-note"
    note "post-$operation.d/50-note"
done

echo "one vetoes a suspend"
hook pre-suspend.d/10-no 'echo "not now"; exit 9'
expect_exit 1 foresnap suspend one
expect_match "$expect_err" "cannot suspend 'one': hook 'pre-suspend.d/10-no' ended with status 9: not now" "the refusal"
expect_equal "$(cat "$told")" "post-suspend one $uuid failed " "what the hooks were told"
expect_equal "$(domain_reason one)" "running (booted)" "the guest"
rm "$HOOKS/pre-suspend.d/10-no" "$told"

echo "one that others could write vetoes too"
hook pre-suspend.d/10-open true
chmod 777 "$HOOKS/pre-suspend.d/10-open"
expect_exit 1 foresnap suspend one
expect_match "$expect_err" "hooks are not run: '.*10-open' can be written by others" "the refusal"
rm "$HOOKS/pre-suspend.d/10-open" "$told"

echo "one that hangs is ended"
hook pre-suspend.d/10-hangs 'sleep 1000'
FORESNAP_HOOK_TIMEOUT=1 expect_exit 1 foresnap suspend one
expect_match "$expect_err" "'pre-suspend.d/10-hangs' took longer than 1 s and was ended" "the refusal"
rm "$HOOKS/pre-suspend.d/10-hangs" "$told"

echo "suspend and resume"
expect_exit 0 foresnap suspend one
expect_exit 0 foresnap resume one --wait
expect_equal "$(cat "$told")" "pre-suspend one $uuid  
post-suspend one $uuid done id
pre-resume one $uuid  
post-resume one $uuid done id" "what the hooks were told"
guest_verify one
rm "$told"

echo "a snapshot, for which a hook starts foresnap itself"
hook pre-snapshot.d/20-again "foresnap=$_foresnap_dir/foresnap"' && $foresnap -r "$FORESNAP_REPO" snapshot --dry-run --no-memory one'
hook post-snapshot.d/20-fails 'exit 1'
expect_exit 0 foresnap -v snapshot one --no-memory --dry-run
[ ! -e "$told" ] || fail "a dry run has run hooks"
expect_exit 0 foresnap -v snapshot one --no-memory
expect_match "$expect_out" "pre-snapshot.d/20-again: would snapshot 'one'" "what the hook prints"
expect_match "$expect_err" "warning: hook 'post-snapshot.d/20-fails' ended with status 1" "the warning"
expect_equal "$(cat "$told")" "pre-snapshot one $uuid  
post-snapshot one $uuid done id" "what the hooks were told"

echo "hooks run for each domain of a batch too"
rm "$told" "$HOOKS"/*/20-*
expect_exit 0 foresnap -q batch snapshot --all --no-memory
expect_equal "$(wc -l <"$told")" 2 "the hooks that were run"

echo "the examples"
for example in "$top_srcdir"/scripts/hooks/*/*; do
    sh -n "$example" || fail "$example"
done
# shellcheck disable=SC2016
hook pre-suspend.d/50-example "exec env FORESNAP_UUID=$uuid sh $top_srcdir/scripts/hooks/pre-suspend.d/50-nobody-logged-in"
expect_exit 0 foresnap suspend one
private_libvirt_alive
