#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples for cron and systemd: units that systemd accepts, and a batch that a real cron
# starts, with nothing of the environment that a shell has.
. "${top_srcdir:-.}"/tests/functional/resume.sh
requires "cron is not installed" command -v cron
requires "systemd-analyze is not installed" command -v systemd-analyze
test_dir

echo "systemd accepts the units"
mkdir "$TEST_DIR/units"
for unit in "$top_srcdir"/scripts/systemd/*; do
    # the program need not be installed, nor its manual
    sed -e 's|/usr/s*bin/foresnapd*|/bin/true|' -e '/^Documentation=/d' "$unit" >"$TEST_DIR/units/${unit##*/}"
done
systemd-analyze verify "$TEST_DIR"/units/* >"$TEST_DIR/verify" 2>&1 || fail "$(cat "$TEST_DIR/verify")"
expect_equal "$(grep -v 'libvirtd\|virt' "$TEST_DIR/verify")" "" "what systemd says of the units"
for time in 'Mon..Fri 20:00' 'Mon..Fri 07:00'; do
    grep -q "^OnCalendar=$time\$" "$top_srcdir"/scripts/systemd/*.timer || fail "no timer says $time"
    systemd-analyze calendar "$time" >/dev/null || fail "systemd does not know '$time'"
done

echo "the example of cron names commands and options that there are"
grep -o 'foresnap [^&]*' "$top_srcdir/scripts/cron/foresnap" | grep -v '^foresnap: ' | sort -u |
    while read -r _ options; do
        words=()
        for word in $options; do
            case $word in
            -q) ;;
            *) words+=("${word//\'/}") ;;
            esac
        done
        # only the options are looked at: no repository is there yet
        "$_foresnap_dir/foresnap" "${words[0]}" --help >"$TEST_DIR/help" || fail "there is no '${words[0]}'"
        for word in "${words[@]}"; do
            [[ $word != -* ]] || grep -q -e "$word" "$TEST_DIR/help" || fail "'${words[0]}' has no $word"
        done
    done || exit 1

resume_start
userfaultfd_allow
guest_start lab-1 128 --fill 32
guest_start lab-2 128 --fill 32
mkdir "$TEST_DIR/cron.d"
cat >"$TEST_DIR/cron.d/foresnap" <<END
SHELL=/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
FORESNAP_LIBEXECDIR=$_foresnap_dir
FORESNAP_STATE_DIR=$STATE
FORESNAP_REPO=$REPO
@reboot root $_foresnap_dir/foresnap -q -c qemu:///system batch suspend --match 'lab-*' >$TEST_DIR/mail 2>&1; echo \$? >$TEST_DIR/status
END
chmod 644 "$TEST_DIR/cron.d/foresnap"
# cron keeps its folders, its pid and what it knows of a restart to itself
# shellcheck disable=SC2016
private_libvirt_exec unshare --mount bash -c '
    mount --bind "$1" /etc/cron.d && mount -t tmpfs none /var/spool/cron &&
        mkdir /var/spool/cron/crontabs && rm -f /run/crond.reboot /run/crond.pid && exec cron -f' - "$TEST_DIR/cron.d" &
cron=$!
cleanup_fn end_cron
end_cron ()
{
    private_libvirt_exec pkill -x cron || :
    wait "$cron" 2>/dev/null || :
}

echo "cron suspends them, and has nothing to mail"
wait_until 90 test -s "$TEST_DIR/status" || fail "cron has not run the batch: $(cat "$TEST_DIR/mail" 2>&1)"
expect_equal "$(cat "$TEST_DIR/status")" 0 "the exit status of the batch"
expect_equal "$(cat "$TEST_DIR/mail")" "" "what cron would mail"
off lab-1 || fail "lab-1 is $(reason lab-1)"
off lab-2 || fail "lab-2 is $(reason lab-2)"
expect_exit 0 foresnap -q batch resume
wait_until 60 _at_rest || fail "the loads do not end"
guest_verify lab-1
guest_verify lab-2
private_libvirt_alive
