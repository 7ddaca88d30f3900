#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libvirt itself migrates a domain that foresnap has resumed, live and with its disk, to
# another host, and foresnap suspends and resumes it there. While its memory is still being
# loaded the migration is refused, and takes nothing from the domain.
. "${top_srcdir:-.}"/tests/functional/resume.sh
resume_start
there=$PRIVATE_LIBVIRT
resume_start
here=$PRIVATE_LIBVIRT
userfaultfd_allow
sockets=$there/sockets

# on HOST : what follows is about that one. They have one repository.
on ()
{
    PRIVATE_LIBVIRT=$1
    STATE=$1/state
    FORESNAP_REPO=$here/repo
}

# libvirt_of HOST : its address for those outside its namespaces
libvirt_of ()
{
    echo "qemu+unix:///system?socket=/proc/$(cat "$1/init.pid")/root/run/libvirt/libvirt-sock"
}

# The networks of the two have nothing in common, their files do. The console's socket has
# another path there: this host removes its own when the guest has left.
migrate ()
{
    guest_virsh dumpxml one --migratable | sed "s|$here/guests|$there/guests|" >"$there/one.xml"
    virsh -q -c "$(libvirt_of "$here")" migrate one --live --persistent --copy-storage-all \
        --xml "$there/one.xml" --persistent-xml "$there/one.xml" \
        --desturi "$(libvirt_of "$there")" \
        --migrateuri "unix://$sockets/memory" --disks-uri "unix://$sockets/disk"
}

# make_disk HOST PATTERN
make_disk ()
{
    qemu-img create -q -f qcow2 "$1/guests/one.qcow2" 64M
    qemu-io -f qcow2 -c "write -P $2 8M 1M" "$1/guests/one.qcow2" >/dev/null
}

# Hosts of one name are one host for libvirt.
on "$there"
private_libvirt_exec hostname there
mkdir "$sockets"
chown libvirt-qemu "$sockets"
guest_console one
make_disk "$there" 0
on "$here"
mkdir "$here/guests"
make_disk "$here" 7
guest_start one 192 --fill 96 --disk

echo "while the memory is loaded"
expect_exit 0 foresnap suspend one
begin_load one
wait_until 20 loading one || fail "the guest is $(reason one)"
expect_exit 1 migrate
expect_match "$expect_err" "migration" "the refusal"
loading one || fail "after a refused migration the guest is $(reason one)"
end_load
wait_loaded one
guest_verify one
expect_clean
on "$there"
expect_equal "$(guest_virsh list --all)" "" "the domains over there"

echo "after the load, with a guest that writes"
on "$here"
ready=$(grep ' READY pages=' "$(guest_log one)")
guest_ask one 'dirty 200' ' DIRTY rate=200$' >/dev/null
expect_exit 0 migrate
expect_equal "$(reason one)" "shut off (migrated)" "the state here"
expect_exit 1 foresnap resume one
expect_match "$expect_err" "has been used" "the refusal of a resume here"
expect_clean
on "$there"
expect_equal "$(reason one)" "running (migrated)" "the state over there"
# It does not say it again without a boot.
echo "$ready" >>"$(guest_log one)"
guest_ask one 'dirty 0' ' DIRTY rate=0$' >/dev/null
guest_verify one

echo "suspended and resumed over there"
expect_exit 0 foresnap suspend one
# The guest goes on writing, but not there.
expect_exit 0 qemu-io -r -f qcow2 -c "read -P 7 8M 1M" "$there/guests/one.qcow2"
expect_exit 0 foresnap resume one
wait_loaded one
guest_wait_heartbeat one 20
guest_verify one
expect_clean
