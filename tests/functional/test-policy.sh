#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A domain's policy in a real libvirt's metadata: in the definition and in what runs, over a
# restart of libvirtd and of the domain; garbled by hand it is told, and the default is used.
. "${top_srcdir:-.}"/tests/functional/private-libvirt.sh
. "$top_srcdir"/tests/guest/guest.sh
. "$top_srcdir"/tests/functional/foresnap.sh
private_libvirt_requires
guest_requires
private_libvirt_start
export FORESNAP_DATA_DIR=$top_srcdir/policies FORESNAP_CONFIG_DIR=$PRIVATE_LIBVIRT/config
mkdir -p "$FORESNAP_CONFIG_DIR/profiles"

define ()
{
    guest_virsh define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>one</name><uuid>5b21f0a1-7c1c-4f0a-9c3e-0d9a7f2b6c11</uuid><memory unit='MiB'>32</memory>
<metadata><x:note xmlns:x='urn:x'>of somebody else</x:note>$1</metadata>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/run/foresnap-test/guest/qemu-odd</emulator></devices></domain>
XML
}

# setting KEY : its value and source, of the document of the last command
setting ()
{
    perl -MJSON::PP -e 'for (@{decode_json($ARGV[0])->{settings}}) {
        print "$_->{value} $_->{source}\n" if $_->{key} eq $ARGV[1] }' "$expect_out" "$1"
}

define ""
echo "a domain that names none"
expect_exit 0 foresnap policy one
expect_match "$expect_out" "has profile 'detailed' \(it names none\), and 0 keys" "the policy"

echo "set and unset"
expect_exit 0 foresnap --json policy one set profile=standard memory.base=minimal \
    "partition.exclude=size:<1M; label:a&b\"'"
expect_json "$expect_out" profile standard
expect_equal "$(setting memory.base)" "minimal domain 'one'" "a key of its own"
expect_equal "$(setting partition.exclude)" "size:<1M; label:a&b\"' domain 'one'" "a key of its own"
expect_match "$(setting disk.base)" "standard $FORESNAP_DATA_DIR/profiles/standard.profile:" "an inherited key"
xml=$(guest_virsh dumpxml one)
expect_match "$xml" "<foresnap:policy xmlns:foresnap=\"urn:foresnap:policy:1\" profile=\"standard\">" "the XML"
expect_match "$xml" "of somebody else" "the XML"
expect_exit 0 foresnap --json profile show --effective one
expect_equal "$(setting memory.base)" "minimal domain 'one'" "a key of its own"
expect_json "$expect_out" domain one
expect_exit 0 foresnap policy one unset partition.exclude
[[ $(guest_virsh dumpxml one) != *partition.exclude* ]] || fail "the key is still there"

echo "what is not sound is not stored"
before=$(guest_virsh dumpxml one)
expect_exit 2 foresnap policy one set disk.bsae=raw
expect_match "$expect_err" "did you mean 'base'" "the refusal"
expect_exit 1 foresnap policy one set disk.base=all
expect_match "$expect_err" "domain 'one': disk.base: 'all' is not known here; allowed" "the refusal"
expect_exit 1 foresnap policy one set memory.least=raw
expect_match "$expect_err" "memory.base is 'minimal' \(domain 'one'\), which is below" "the refusal"
expect_exit 1 foresnap policy one set profile=nothing
expect_match "$expect_err" "there is no profile 'nothing'" "the refusal"
expect_exit 1 foresnap policy one set profile=
expect_match "$expect_err" "no name of a profile" "the refusal"
expect_exit 2 foresnap policy one sett disk.base=raw
expect_exit 1 foresnap policy two
expect_equal "$(guest_virsh dumpxml one)" "$before" "the domain"

echo "live and in the definition, over restarts"
guest_virsh start --paused one >/dev/null
expect_exit 0 foresnap policy one set log.tail=1M
for which in "" --inactive; do
    # shellcheck disable=SC2086
    expect_match "$(guest_virsh dumpxml $which one)" 'key="log.tail" value="1M"' "the XML"
done
private_libvirt_restart
guest_virsh destroy one >/dev/null
expect_exit 0 foresnap --json policy one
expect_equal "$(setting log.tail)" "1M domain 'one'" "the key"
expect_equal "$(setting memory.base)" "minimal domain 'one'" "the key"
guest_virsh dumpxml one >"$PRIVATE_LIBVIRT/one.xml"
guest_virsh undefine one >/dev/null
guest_virsh create --paused "$PRIVATE_LIBVIRT/one.xml" >/dev/null
expect_exit 0 foresnap --json policy one set log.tail=2M
expect_equal "$(setting log.tail)" "2M domain 'one'" "the key of a transient domain"
guest_virsh destroy one >/dev/null

echo "a profile that is gone"
printf '[profile]\ninherit=standard\n' >"$FORESNAP_CONFIG_DIR/profiles/web.profile"
define "<f:policy xmlns:f='urn:foresnap:policy:1' profile='web'/>"
expect_exit 0 foresnap policy one
expect_match "$expect_out" "has profile 'web', and 0 keys" "the policy"
rm "$FORESNAP_CONFIG_DIR/profiles/web.profile"
expect_exit 0 foresnap policy one
expect_match "$expect_err" "policy of domain 'one' cannot be used, so profile 'detailed' is: .*no profile 'web'" "the warning"

echo "garbled by hand"
for garbled in "<f:policy xmlns:f='urn:foresnap:policy:1' profil='raw'/>" \
    "<f:policy xmlns:f='urn:foresnap:policy:1'>raw</f:policy>" \
    "<f:policy xmlns:f='urn:foresnap:policy:1'><f:set key='disk.base'/></f:policy>" \
    "<f:policies xmlns:f='urn:foresnap:policy:1'/>"; do
    define "$garbled"
    expect_exit 0 foresnap --json policy one
    expect_json "$expect_out" profile detailed
    expect_json "$expect_out" usable 0
    expect_match "$expect_err" "cannot be used, so profile 'detailed' is: the policy's XML is refused" "the warning"
    expect_exit 1 foresnap policy one set profile=raw
    expect_match "$expect_err" "removed by 'foresnap policy DOMAIN unset'" "the way out"
done
expect_exit 0 foresnap policy one unset
expect_match "$(guest_virsh dumpxml one)" "of somebody else" "the XML"
[[ $(guest_virsh dumpxml one) != *urn:foresnap* ]] || fail "the policy is still there"
expect_exit 0 foresnap policy one unset
expect_exit 0 foresnap policy one set profile=raw
expect_match "$expect_out" "has profile 'raw'" "the policy"
private_libvirt_alive
