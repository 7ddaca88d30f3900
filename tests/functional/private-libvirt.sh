#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A libvirtd that shares nothing with the host's: own mount, pid, network, IPC and UTS
# namespaces and own folders below one temporary one. Sourced it is a library; run as a
# program it executes a command (or a shell) inside and removes everything afterwards:
#     tests/functional/private-libvirt.sh [OPTION]… [COMMAND ARG…]
#
#   private_libvirt_requires           skip the test where this cannot work
#   private_libvirt_start [OPTION]…    start one; sets PRIVATE_LIBVIRT to its folder.
#                                      Call it in the test's own shell, not in $(…)
#       --qemu-user root|libvirt-qemu  default libvirt-qemu
#       --lockd                        virtlockd, and leases on every disk
#       --qemu-conf LINE               one more line of qemu.conf
#       --libvirtd-conf LINE           one more line of libvirtd.conf
#   private_libvirt_exec COMMAND…      run a command inside (network, /run, pids …)
#   private_libvirt_pid [DAEMON]       pid of libvirtd (or DAEMON) as seen inside
#   private_libvirt_kill [SIGNAL] [DAEMON]   end it and wait for its end
#   private_libvirt_start_again [DAEMON]     start what was ended
#   private_libvirt_restart            end libvirtd with TERM and start it again
#   private_libvirt_alive              false, with a message, if libvirtd has crashed
#   private_libvirt_stop               end it all (also done when the test ends)
#   userfaultfd_allow                  let ordinary users use userfaultfd until the end
# Several may live side by side: set PRIVATE_LIBVIRT to say which one is meant.
# It ends nothing but what it started: all of that is in its pid namespace.

if ! declare -F cleanup_fn >/dev/null; then
    # shellcheck source=tests/functional/functions.sh
    . "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
fi

# Filled by private_libvirt_start; the files that libvirt and the guests may see inside
# as /run/foresnap-test/guest (built by tests/guest/build-guest.sh).
: "${FSN_GUEST_DIR:=$top_builddir/tests/guest/out}"
# What libvirt learned about the emulators; kept between instances, for asking takes seconds.
: "${FSN_PROBE_CACHE:=$FSN_GUEST_DIR/probe-cache}"

private_libvirt_requires ()
{
    requires "root is needed for private libvirt instances" test "$(id -u)" = 0
    requires "libvirtd is not installed" command -v libvirtd
    requires "virtlogd is not installed" command -v virtlogd
    requires "qemu-system-x86_64 is not installed" command -v qemu-system-x86_64
    requires "no user libvirt-qemu" getent passwd libvirt-qemu
    requires "ip (iproute2) is not installed" command -v ip
    requires "this host does not permit new namespaces" \
        unshare --mount --uts --pid --net --ipc --fork true
}

# kvm_works : true if KVM really boots a guest (the node alone proves nothing: there
# are hosts where a guest starts and then hangs). The answer is kept in FSN_KVM (1 or
# 0), which may also be set from outside.
kvm_works ()
{
    [ -n "${FSN_KVM:-}" ] || _probe_kvm
    export FSN_KVM
    [ "$FSN_KVM" = 1 ]
}

_probe_kvm ()
{
    local kernel=$FSN_GUEST_DIR/vmlinuz
    FSN_KVM=0
    [ -r /dev/kvm ] && [ -w /dev/kvm ] && grep -qEm1 '\<(vmx|svm)\>' /proc/cpuinfo || return 0
    [ -e "$kernel" ] || return 0
    # Without a root file system the kernel panics, and with -no-reboot that ends QEMU.
    if timeout 5 qemu-system-x86_64 -nodefaults -display none -machine q35,accel=kvm \
        -m 256 -no-reboot -kernel "$kernel" -append 'quiet panic=-1' </dev/null >/dev/null 2>&1; then
        FSN_KVM=1
    fi
}

_private_libvirt_configure ()
{
    local d=$1 qemu_user=$2 lockd=$3
    cat >"$d/etc/libvirtd.conf" <<END
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0777"
host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
log_outputs = "${FSN_LIBVIRT_LOG:-3}:file:/var/log/libvirt/libvirtd.log"
END
    cat >"$d/etc/qemu.conf" <<END
cgroup_controllers = [ ]
security_driver = "none"
remember_owner = 0
user = "$qemu_user"
group = "$(id -gn "$qemu_user")"
END
    mkdir -p "$d/etc/qemu/networks/autostart"
    cp /etc/libvirt/virtlogd.conf "$d/etc/" 2>/dev/null || : >"$d/etc/virtlogd.conf"
    if [ "$lockd" = 1 ]; then
        : >"$d/etc/virtlockd.conf"
        echo 'lock_manager = "lockd"' >>"$d/etc/qemu.conf"
        echo 'auto_disk_leases = 1' >"$d/etc/qemu-lockd.conf"
    fi
}

private_libvirt_start ()
{
    local d qemu_user=libvirt-qemu lockd=0 qemu_lines=() libvirtd_lines=()
    while [ $# -gt 0 ]; do
        case $1 in
        --qemu-user) qemu_user=$2; shift ;;
        --lockd) lockd=1 ;;
        --qemu-conf) qemu_lines+=("$2"); shift ;;
        --libvirtd-conf) libvirtd_lines+=("$2"); shift ;;
        *) fail "private_libvirt_start: unknown option $1" ;;
        esac
        shift
    done
    d=$(mktemp -d "${TMPDIR:-/tmp}/foresnap-libvirt.XXXXXX")
    cleanup_fn private_libvirt_stop "$d"
    PRIVATE_LIBVIRT=$d
    chmod 711 "$d"
    mkdir -p "$d"/{etc,cache/qemu,log,dev,images} "$d"/lib/{qemu,boot,images} \
        "$FSN_GUEST_DIR" "$FSN_PROBE_CACHE"
    chmod 755 "$d/images"
    chown "$qemu_user" "$d/lib/qemu"
    chmod 751 "$d/lib/qemu"
    (cd "$FSN_GUEST_DIR" && pwd) >"$d/guest"
    if kvm_works; then echo kvm; fi >"$d/kvm"
    cp -a "$FSN_PROBE_CACHE/." "$d/cache/qemu/"
    _private_libvirt_configure "$d" "$qemu_user" "$lockd"
    printf '%s\n' "${qemu_lines[@]}" >>"$d/etc/qemu.conf"
    printf '%s\n' "${libvirtd_lines[@]}" >>"$d/etc/libvirtd.conf"

    mkfifo "$d/control"
    # If this shell dies without its clean-up, so does all that is inside.
    setpriv --pdeathsig KILL unshare --mount --uts --pid --net --ipc --fork --kill-child \
        bash "$top_srcdir/tests/functional/private-libvirt-init" "$d" \
        </dev/null >"$d/log/init.out" 2>&1 &
    echo $! >"$d/unshare.pid"
    wait_until 5 test -s "$d/init.pid" ||
        fail "private libvirt did not come up: $(cat "$d/log/init.out")"
    _private_libvirt_daemon virtlogd
    [ "$lockd" = 0 ] || _private_libvirt_daemon virtlockd
    _private_libvirt_daemon libvirtd
    _private_libvirt_answers
}

# Start a daemon inside and wait until it listens.
_private_libvirt_daemon ()
{
    local d=$PRIVATE_LIBVIRT socket=$1-sock
    [ "$1" = libvirtd ] && socket=libvirt-sock
    echo "$1" >"$d/control"
    wait_until 5 test -s "$d/$1.pid" || fail "$1 was not started"
    wait_until 20 _private_libvirt_listens "$1" "$socket" ||
        fail "$1 does not listen: $(cat "$d/log/$1.out")"
}

_private_libvirt_listens ()
{
    local d=$PRIVATE_LIBVIRT
    [ ! -e "$d/$1.status" ] || fail "$1 ended with status $(cat "$d/$1.status"): $(cat "$d/log/$1.out")"
    [ -S "/proc/$(cat "$d/init.pid")/root/run/libvirt/$2" ]
}

_private_libvirt_answers ()
{
    wait_until 30 private_libvirt_exec virsh -q uri >/dev/null 2>&1 ||
        fail "libvirtd does not answer: $(tail -5 "$PRIVATE_LIBVIRT/log/libvirtd.log")"
}

private_libvirt_exec ()
{
    local pid
    pid=$(cat "$PRIVATE_LIBVIRT/init.pid")
    nsenter --target "$pid" --mount --uts --net --ipc --pid \
        env -C "$PWD" LIBVIRT_DEFAULT_URI=qemu:///system \
        FORESNAP_STATE_DIR="$PRIVATE_LIBVIRT/state" \
        FORESNAP_HISTORY="${FORESNAP_HISTORY:-$PRIVATE_LIBVIRT/history.db}" \
        FORESNAP_EVENTS="${FORESNAP_EVENTS:-$PRIVATE_LIBVIRT/events}" "$@"
}

private_libvirt_pid ()
{
    cat "$PRIVATE_LIBVIRT/${1:-libvirtd}.pid"
}

private_libvirt_kill ()
{
    local signal=${1:-KILL} daemon=${2:-libvirtd} d=$PRIVATE_LIBVIRT
    touch "$d/$daemon.expected"
    private_libvirt_exec kill -s "$signal" "$(private_libvirt_pid "$daemon")"
    wait_until 20 test -e "$d/$daemon.status" || fail "$daemon outlived SIG$signal"
}

# private_libvirt_start_again [DAEMON] : after private_libvirt_kill
# shellcheck disable=SC2120
private_libvirt_start_again ()
{
    rm -f "$PRIVATE_LIBVIRT/${1:-libvirtd}".{status,expected}
    # What a killed one leaves would look like a listening one.
    private_libvirt_exec rm -f /run/libvirtd.pid /run/libvirt/libvirt-sock
    _private_libvirt_daemon "${1:-libvirtd}"
    _private_libvirt_answers
}

private_libvirt_restart ()
{
    private_libvirt_kill TERM
    private_libvirt_start_again
}

private_libvirt_alive ()
{
    local d=$PRIVATE_LIBVIRT status
    if [ -e "$d/libvirtd.status" ] && [ ! -e "$d/libvirtd.expected" ]; then
        status=$(cat "$d/libvirtd.status")
        echo "libvirtd ended with status $status$(_signal_name "$status")" >&2
        tail -n 20 "$d/log/libvirtd.log" "$d/log/libvirtd.out" >&2
        return 1
    fi
}

_signal_name ()
{
    [ "$1" -le 128 ] || echo " (SIG$(kill -l "$1"))"
}

# private_libvirt_stop [FOLDER]
private_libvirt_stop ()
{
    local d=${1:-$PRIVATE_LIBVIRT} unshare_pid file
    [ -d "$d" ] || return 0
    if [ -s "$d/unshare.pid" ]; then
        unshare_pid=$(cat "$d/unshare.pid")
        # Ending pid 1 ends all inside; unshare waits for that, and we for unshare.
        kill -KILL "$(cat "$d/init.pid" 2>/dev/null || echo "$unshare_pid")" 2>/dev/null || :
        wait "$unshare_pid" 2>/dev/null || :
        wait_until 5 process_ended "$unshare_pid" || :
    fi
    for file in "$d"/cache/qemu/capabilities/*.xml; do
        [ -e "$file" ] || continue
        mkdir -p "$FSN_PROBE_CACHE/capabilities"
        cp -a "$file" "$FSN_PROBE_CACHE/capabilities/.$$" &&
            mv "$FSN_PROBE_CACHE/capabilities/.$$" "$FSN_PROBE_CACHE/capabilities/${file##*/}"
    done
    rm -rf "$d"
    [ "$d" != "${PRIVATE_LIBVIRT:-}" ] || PRIVATE_LIBVIRT=
}

# --- vm.unprivileged_userfaultfd, shared by all tests that run at the same time -------
# The folder holds the value from before and one file per user of the permission, named
# by pid; whoever is last puts the old value back. A user that died is not counted, and
# somebody else puts it back for one that was killed.
_uffd_sysctl=/proc/sys/vm/unprivileged_userfaultfd
_uffd_state=/run/lock/foresnap-userfaultfd

_uffd_locked ()
{
    mkdir -p "$_uffd_state"
    (
        flock 9
        # Removed by the last user meanwhile: take a new one.
        [ "$_uffd_state/lock" -ef /proc/self/fd/9 ] || exit 75
        "$@"
    ) 9>"$_uffd_state/lock"
}

_uffd_lock_and ()
{
    local status=75
    while [ "$status" = 75 ]; do
        status=0
        _uffd_locked "$@" 2>/dev/null || status=$?
    done
    return "$status"
}

_uffd_add ()
{
    [ -e "$_uffd_state/before" ] || cat "$_uffd_sysctl" >"$_uffd_state/before"
    : >"$_uffd_state/pid-$1"
    echo 1 >"$_uffd_sysctl"
}

_uffd_remove ()
{
    local file
    rm -f "$_uffd_state/pid-$1"
    for file in "$_uffd_state"/pid-*; do
        [ ! -e "$file" ] || [ -d "/proc/${file##*/pid-}" ] || rm -f "$file"
    done
    compgen -G "$_uffd_state/pid-*" >/dev/null && return
    # Put back already, if there is none.
    [ ! -e "$_uffd_state/before" ] || cat "$_uffd_state/before" >"$_uffd_sysctl"
    rm -rf "$_uffd_state"
}

# Stays behind when a test is killed, and puts the value back in its place.
_uffd_watch ()
{
    setsid bash -c "$(declare -p _uffd_sysctl _uffd_state)
        $(declare -f _uffd_locked _uffd_lock_and _uffd_remove)
        tail --pid=$1 --sleep-interval=0.5 -f /dev/null
        _uffd_lock_and _uffd_remove $1" </dev/null >/dev/null 2>&1 &
    disown
}

userfaultfd_allow ()
{
    [ -e "$_uffd_sysctl" ] || return 0
    cleanup_fn _uffd_lock_and _uffd_remove "$$"
    _uffd_lock_and _uffd_add "$$"
    _uffd_watch "$$"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    options=()
    while [[ ${1:-} == --* ]]; do
        case $1 in
        --lockd) options+=("$1"); shift ;;
        *) options+=("$1" "$2"); shift 2 ;;
        esac
    done
    private_libvirt_requires
    private_libvirt_start "${options[@]}"
    [ $# -gt 0 ] || set -- "${SHELL:-/bin/bash}"
    # In the background, because bash heeds a signal only between foreground commands.
    private_libvirt_exec env PRIVATE_LIBVIRT="$PRIVATE_LIBVIRT" "$@" <&0 &
    wait $!
fi
