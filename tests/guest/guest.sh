# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Test guests that check themselves (see memguest.c), in a private libvirt or, where
# PRIVATE_LIBVIRT is empty, in the libvirt of $LIBVIRT_DEFAULT_URI. Source it after
# tests/functional/private-libvirt.sh.
#
#   guest_requires                     skip the test where guests cannot be made
#   guest_requires_agent               … with an agent in them
#   guest_start NAME MIB [OPTION]…     define and start one, wait for its heartbeat
#   guest_domain NAME MIB [OPTION]…    print its domain XML
#       --fill MIB      memory to fill with checkable data (default: most of it)
#       --vcpus N       (1)              --ws PAGES     working set (4096)
#       --maxvcpus N    vCPUs that can be plugged (as many as there are)
#       --plain PCT     compressible part of each page (0)
#       --agent         runs the QEMU guest agent (guest_requires_agent)
#       --disk          a qcow2 disk of 64 MiB, created if missing
#       --mount N       mount the N-th disk, which has ext4, instead of writing to it
#       --tcg           software emulation even where KVM works
#       --devices XML   more devices     --memory-backing XML
#       --domain XML    more children of <domain>
#   guest_console NAME                 read its console from now on (guest_start does it)
#   guest_send NAME COMMAND            e.g. "dirty 200"; see memguest.c
#   guest_ask NAME COMMAND REGEX [S]   send, print the first later line that matches
#   guest_await NAME US REGEX S        print the first line after US that matches
#   guest_log NAME                     path of its log: lines "HOST_US WHAT-IT-PRINTED"
#   guest_wait_heartbeat NAME S        wait for a heartbeat newer than the call
#   guest_last_heartbeat NAME [BEFORE_US]         print "HOST_US seq=N bad=N"
#   guest_time_of_first_heartbeat_after NAME US [S]   print HOST_US, waiting up to S (30)
#   guest_max_gap NAME FROM_US TO_US   print the longest time without a heartbeat, in us
#   guest_verify NAME [S]              fail unless the guest finds every page right
#   guest_virsh ARG…                   virsh on the libvirt that has the guests
#   in_libvirt COMMAND…                any command there
# Times are microseconds of the host's clock, as printed by now_us.

: "${top_srcdir:?source functions.sh first}"

in_libvirt ()
{
    if [ -n "${PRIVATE_LIBVIRT:-}" ]; then
        private_libvirt_exec "$@"
    else
        "$@"
    fi
}

guest_virsh ()
{
    in_libvirt virsh -q "$@"
}

guest_requires ()
{
    requires "no C compiler for the test guest" command -v "${FSN_GUEST_CC:-cc}"
    requires "cpio is not installed" command -v cpio
    requires "no readable Debian cloud kernel (linux-image-cloud-amd64)" \
        compgen -G "${FSN_GUEST_KERNEL:-${FSN_GUEST_ROOT:-}/boot/vmlinuz-*-cloud-amd64}"
    "$top_srcdir/tests/guest/build-guest.sh" "$FSN_GUEST_DIR" || fail "the test guest cannot be built"
}

guest_requires_agent ()
{
    guest_requires
    requires "qemu-ga is not installed" test -e "$FSN_GUEST_DIR/initramfs-agent"
}

# Where the console's socket, FIFO and log and the disk of guest $1 are, without suffix.
_guest_path ()
{
    echo "${GUEST_FOLDER:-$PRIVATE_LIBVIRT/guests}/$1"
}

guest_log ()
{
    echo "$(_guest_path "$1").log"
}

# Where the guest's files are for libvirt.
_guest_files ()
{
    if [ -n "${PRIVATE_LIBVIRT:-}" ]; then
        echo /run/foresnap-test/guest
    else
        (cd "$FSN_GUEST_DIR" && pwd)
    fi
}

guest_domain ()
{
    local name=$1 mib=$2 fill=$(($2 * 7 / 8 - 40)) vcpus=1 maxvcpus='' ws=4096 plain=0 disk='' type devices=''
    local backing='' domain='' emulator files path initrd=initramfs options=
    shift 2
    [[ ! ${1:-} =~ ^[0-9]+$ ]] || { fill=$1; shift; }
    files=$(_guest_files)
    path=$(_guest_path "$name")
    if kvm_works; then type=kvm; else type=qemu; fi
    while [ $# -gt 0 ]; do
        case $1 in
        --fill) fill=$2; shift ;;
        --vcpus) vcpus=$2; shift ;;
        --maxvcpus) maxvcpus=$2; shift ;;
        --ws) ws=$2; shift ;;
        --plain) plain=$2; shift ;;
        --disk) disk=$path.qcow2 ;;
        --agent) initrd=initramfs-agent options+=' memguest.agent=1' ;;
        --mount) options+=" memguest.mount=$2"; shift ;;
        --tcg) type=qemu ;;
        --devices) devices=$2; shift ;;
        --memory-backing) backing="<memoryBacking>$2</memoryBacking>"; shift ;;
        --domain) domain=$2; shift ;;
        *) fail "guest_domain: unknown option $1" ;;
        esac
        shift
    done
    emulator=/usr/bin/qemu-system-x86_64
    [ "$type" = kvm ] || emulator=$files/qemu-odd
    emulator=${FSN_EMULATOR:-$emulator}
    if [ "$initrd" = initramfs-agent ]; then
        devices+="<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    fi
    if [ -n "$disk" ]; then
        devices+="<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='$disk'/><target dev='vda' bus='virtio'/></disk>"
    fi
    cat <<END
<domain type='$type'>
  <name>$name</name>
  <memory unit='MiB'>$mib</memory>
  $backing
  <vcpu current='$vcpus'>${maxvcpus:-$vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>$files/vmlinuz</kernel>
    <initrd>$files/$initrd</initrd>
    <cmdline>console=ttyS0 quiet no_timer_check memguest.fill=$fill memguest.ws=$ws memguest.plain=$plain$options</cmdline>
  </os>
  <features><acpi/></features>
  <on_crash>preserve</on_crash>
  $domain
  <devices>
    <emulator>$emulator</emulator>
    <controller type='usb' model='none'/>
    <serial type='unix'><source mode='bind' path='$path.console'/></serial>
    <memballoon model='virtio'/>
    $devices
  </devices>
</domain>
END
}

guest_console ()
{
    local path pid
    path=$(_guest_path "$1")
    mkdir -p "${path%/*}"
    chmod 711 "${path%/*}"
    rm -f "$path.commands" "$path.log"
    mkfifo "$path.commands"
    : >"$path.log"
    setpriv --pdeathsig KILL "$FSN_GUEST_DIR/stamp" "$path.console" "$path.log" "$path.commands" \
        </dev/null 2>"$path.stamp-errors" &
    pid=$!
    cleanup_fn _end_child "$pid"
}

_end_child ()
{
    kill "$1" 2>/dev/null && wait "$1" 2>/dev/null || :
}

guest_start ()
{
    local name=$1 option path
    path=$(_guest_path "$name")
    guest_console "$name"
    for option; do
        if [ "$option" = --disk ] && [ ! -e "$path.qcow2" ]; then
            qemu-img create -q -f qcow2 "$path.qcow2" 64M
        fi
    done
    guest_domain "$@" >"$path.xml"
    guest_virsh define "$path.xml" >/dev/null
    guest_virsh start "$name" >/dev/null
    guest_wait_heartbeat "$name" 60
}

guest_send ()
{
    printf '%s\n' "$2" >"$(_guest_path "$1").commands"
}

# _guest_line_since NAME US REGEX : print the first line after US that matches, or fail.
_guest_line_since ()
{
    awk -v since="$2" -v regex="$3" \
        '$1 > since && $0 ~ regex { print; found = 1; exit } END { exit !found }' "$(guest_log "$1")"
}

_guest_line_or_panic ()
{
    _guest_found=$(_guest_line_since "$1" "$2" "$3|Kernel panic")
}

guest_await ()
{
    local _guest_found=
    wait_until "$4" _guest_line_or_panic "$1" "$2" "$3" ||
        fail "guest $1 printed nothing like '$3' for $4 s; its last words: $(tail -n 3 "$(guest_log "$1")")"
    [[ $_guest_found != *"Kernel panic"* ]] || fail "guest $1: $_guest_found"
    echo "$_guest_found"
}

guest_ask ()
{
    local since
    since=$(now_us)
    guest_send "$1" "$2"
    guest_await "$1" "$since" "$3" "${4:-30}"
}

guest_wait_heartbeat ()
{
    guest_await "$1" "$(now_us)" ' H seq=' "$2" >/dev/null
}

guest_last_heartbeat ()
{
    awk -v before="${2:-9e18}" '$2 == "H" && $1 + 0 < before + 0 { line = $1 " " $3 " " $5 }
        END { if (line == "") exit 1; print line }' "$(guest_log "$1")"
}

guest_time_of_first_heartbeat_after ()
{
    local line
    line=$(guest_await "$1" "$2" ' H seq=' "${3:-30}")
    echo "${line%% *}"
}

guest_max_gap ()
{
    awk -v from="$2" -v to="$3" '
        $2 != "H" { next }
        $1 < from { last = $1; next }
        last != "" && $1 - last > gap { gap = $1 - last }
        { last = $1 }
        $1 > to { exit }
        END { print gap + 0 }' "$(guest_log "$1")"
}

guest_verify ()
{
    local name=$1 answer ready heartbeat
    ready=$(grep -o 'READY pages=[0-9]*' "$(guest_log "$name")" | tail -n 1)
    [ -n "$ready" ] || fail "guest $name never said how many pages it has"
    answer=$(guest_ask "$name" verify ' VERIFY ' "${2:-120}")
    [[ "$answer " == *" VERIFY ${ready#READY } bad=0 stale=0 "* ]] ||
        fail "guest $name finds its memory wrong: $answer (expected ${ready#READY })"
    heartbeat=$(guest_last_heartbeat "$name")
    [[ $heartbeat == *" bad=0" ]] || fail "guest $name met wrong pages: $heartbeat"
}
