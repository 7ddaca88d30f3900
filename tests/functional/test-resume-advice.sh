#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a resume says of a guest that it does not suit: a clock that nobody sets, a watchdog
# that may fire before the first pages are there. It says nothing where it would not be so.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
userfaultfd_allow

# advised NAME MODE WARNING DEVICES : a domain with these devices is resumed so, and that is
# the only warning ("": there is none)
advised ()
{
    echo "$1"
    guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>$1</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator>$4</devices></domain>
XML
    guest_virsh start "$1" >/dev/null
    expect_exit 0 foresnap suspend "$1"
    expect_exit 0 foresnap resume "$1" --json --mode "$2"
    expect_json "$expect_out" mode "$2"
    if [ -n "$3" ]; then
        expect_json "$expect_out" warnings.length 1
        expect_match "$expect_err" "warning: .*$3" "the warning"
    else
        expect_equal "$expect_err" "" "what is said"
    fi
    wait_loaded "$1"
    expect_clean
    guest_virsh destroy "$1" >/dev/null
}

watchdog="<watchdog model='i6300esb' action='reset'/>"
agent="<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
advised bare lazy "its clock stays behind" ""
advised attended lazy "" "$agent"
advised watched lazy "watchdog.*--mode eager" "$watchdog$agent"
advised watched-eager eager "" "$watchdog$agent"
advised bare-eager eager "its clock stays behind" ""
