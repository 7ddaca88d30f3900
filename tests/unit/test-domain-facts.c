/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/domxml/domain-facts.c, refusals.c, compare.c: facts of good XML, each refusal by
 * name, and hostile XML. */
#include "config.h"

#include "base/error.h"
#include "domxml/domain-facts.h"

#include <string.h>

#define HEAD                                              \
    "<domain type='kvm' id='3'><name>web &amp; co</name>" \
    "<uuid>0A0B0C0D-1111-2222-3333-444455556666</uuid>"   \
    "<memory unit='MiB'>512</memory><vcpu current='1'>4</vcpu>"
#define OS "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"

static FsnDomainFacts *
parse(const char *xml)
{
    FsnDomainFacts *facts = NULL;
    GError *error = NULL;
    bool ok = fsn_domain_facts_parse(xml, &facts, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    return facts;
}

static FsnDomainFacts *
parse_with_devices(const char *devices)
{
    g_autofree char *xml =
        g_strconcat(HEAD OS "<devices>", devices, "</devices></domain>", NULL);

    return parse(xml);
}

static void
test_identity(void)
{
    g_autoptr(FsnDomainFacts) facts = parse(
        HEAD
        "<genid>x</genid><memoryBacking><hugepages/><locked/><access mode='shared'/>"
        "</memoryBacking><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>"
        "<nvram format='raw'>/var/n.fd</nvram></os><cpu mode='custom'><model>qemu64</model></cpu>"
        "<devices><emulator>/usr/bin/qemu</emulator><tpm>"
        "<backend type='emulator' version='2.0'><source type='dir' path='/t'/></backend>"
        "</tpm><watchdog model='itco'/></devices></domain>");

    g_assert_cmpstr(facts->name, ==, "web & co");
    g_assert_cmpstr(facts->uuid, ==, "0a0b0c0d-1111-2222-3333-444455556666");
    g_assert_cmpstr(facts->type, ==, "kvm");
    g_assert_cmpstr(facts->arch, ==, "x86_64");
    g_assert_cmpstr(facts->machine, ==, "pc-q35-7.2");
    g_assert_cmpstr(facts->emulator, ==, "/usr/bin/qemu");
    g_assert_cmpuint(facts->memory_bytes, ==, 512u << 20);
    g_assert_cmpuint(facts->vcpus, ==, 4);
    g_assert_true(facts->hugepages && facts->locked && facts->shared_memory);
    g_assert_cmpstr(facts->nvram, ==, "/var/n.fd");
    g_assert_cmpstr(facts->nvram_format, ==, "raw");
    g_assert_true(facts->tpm && facts->vmgenid && facts->watchdog);
    g_assert_true(facts->tpm_emulated);
    g_assert_cmpstr(facts->tpm_version, ==, "2.0");
    g_assert_cmpstr(facts->tpm_source, ==, "/t");
    g_assert_false(facts->agent);
    g_assert_cmpstr(facts->cpu_xml, ==,
                    "<cpu mode=\"custom\"><model>qemu64</model></cpu>");
    g_assert_cmpuint(facts->refusals->len, ==, 0);
}

static void
test_disks_and_agent(void)
{
    g_autoptr(FsnDomainFacts) facts = parse_with_devices(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        "<source file='/v/a.qcow2'><encryption format='luks'/></source>"
        "<target dev='vda'/></disk>"
        "<disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>"
        "<disk type='network'><source protocol='rbd' name='pool/img'/>"
        "<target dev='vdb'/><shareable/></disk>"
        "<disk type='volume'><source pool='p' volume='v'/><target dev='vdc'/></disk>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' "
        "state='connected'/></channel>");
    FsnDiskFacts *const *disks = (FsnDiskFacts *const *)facts->disks->pdata;

    g_assert_cmpuint(facts->disks->len, ==, 4);
    g_assert_cmpstr(disks[0]->target, ==, "vda");
    g_assert_cmpstr(disks[0]->source, ==, "/v/a.qcow2");
    g_assert_cmpstr(disks[0]->format, ==, "qcow2");
    g_assert_true(disks[0]->encrypted);
    g_assert_false(disks[0]->readonly);
    g_assert_cmpstr(disks[1]->device, ==, "cdrom");
    g_assert_null(disks[1]->source);
    g_assert_true(disks[1]->readonly);
    g_assert_cmpstr(disks[2]->source, ==, "rbd:pool/img");
    g_assert_cmpstr(disks[2]->source_kind, ==, "network");
    g_assert_cmpstr(disks[2]->device, ==, "disk");
    g_assert_true(disks[2]->shareable);
    g_assert_cmpstr(disks[3]->source, ==, "p/v");
    g_assert_true(facts->agent && facts->agent_connected);
}

/* What a live description says of a disk beyond that of a stopped domain. */
static void
test_live_disks(void)
{
    g_autoptr(FsnDomainFacts) facts = parse_with_devices(
        "<disk type='file'><driver name='qemu' type='qcow2' cache='none' "
        "discard='unmap'/><source file='/v/a' index='2'/><backingStore type='file' "
        "index='1'><format type='raw'/><source file='/v/b'/><backingStore/>"
        "</backingStore><target dev='vda'/><serial>S 1</serial>"
        "<alias name='virtio-disk0'/></disk>"
        "<disk type='file'><source file='/v/c'/><backingStore/><target dev='vdb'/>"
        "<transient/></disk>");
    FsnDiskFacts *const *disks = (FsnDiskFacts *const *)facts->disks->pdata;

    g_assert_cmpstr(disks[0]->alias, ==, "virtio-disk0");
    g_assert_cmpstr(disks[0]->cache, ==, "none");
    g_assert_cmpstr(disks[0]->discard, ==, "unmap");
    g_assert_cmpstr(disks[0]->serial, ==, "S 1");
    g_assert_true(disks[0]->backing);
    g_assert_false(disks[0]->transient);
    g_assert_null(disks[1]->alias);
    g_assert_null(disks[1]->cache);
    g_assert_null(disks[1]->discard);
    g_assert_null(disks[1]->serial);
    g_assert_false(disks[1]->backing);
    g_assert_true(disks[1]->transient);
}

/* Each of these devices must be refused, in a sentence that has this word in it. */
static void
test_refusals(void)
{
    static const char *const cases[][2] = {
        { "<hostdev mode='subsystem' type='pci'/>", "host device (subsystem, pci)" },
        { "<interface type='hostdev'/>", "hostdev" },
        { "<interface type='vdpa'><mac address='52:54:00:00:00:01'/></interface>",
          "52:54:00:00:00:01" },
        { "<interface type='vhostuser'/>", "vhostuser" },
        { "<interface type='network'><teaming type='persistent'/></interface>",
          "teamed" },
        { "<disk type='vhostuser'><target dev='vdx'/></disk>", "'vdx'" },
        { "<disk type='vhostvdpa'><target dev='vdy'/></disk>", "'vdy'" },
        { "<disk type='nvme'><target dev='vdz'/></disk>", "'nvme'" },
        { "<disk type='block' device='lun'><target dev='sdb'/></disk>", "'sdb'" },
        { "<disk type='file'><target dev='vdt'/><transient/></disk>", "transient" },
        { "<filesystem><driver type='virtiofs'/><target dir='tag'/></filesystem>",
          "virtiofs" },
        { "<filesystem><target dir='tag'/></filesystem>", "9p" },
        { "<shmem name='s0'/>", "ivshmem" },
        { "<memory model='nvdimm'/>", "'nvdimm'" },
        { "<memory model='virtio-mem'/>", "'virtio-mem'" },
        { "<memory model='virtio-pmem'/>", "'virtio-pmem'" },
        { "<memory/>", "'none'" },
        { "<tpm><backend type='passthrough'/></tpm>", "TPM" },
        { "<video><driver name='vhostuser'/></video>", "vhost-user" },
        { "<video><model><acceleration accel3d='yes'/></model></video>", "3D" },
        { "<input type='passthrough'/>", "input" },
        { "<iommu model='intel'/>", "'iommu'" },
        { "<invented/>", "'invented'" },
        { "</devices><launchSecurity type='sev'/><devices>", "(sev)" },
        { "</devices><launchSecurity type='tdx'/><devices>", "(tdx)" },
        { "</devices><commandline><arg value='vfio-pci,host=1'/></commandline><devices>",
          "vfio-pci" },
        { "</devices><commandline><arg value='pvrdma'/></commandline><devices>",
          "pvrdma" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnDomainFacts) facts = parse_with_devices(cases[i][0]);

        g_test_message("%s", cases[i][0]);
        g_assert_cmpuint(facts->refusals->len, ==, 1);
        g_assert_nonnull(strstr(facts->refusals->pdata[0], cases[i][1]));
    }
}

static void
test_allowed(void)
{
    g_autoptr(FsnDomainFacts) facts = parse_with_devices(
        "<emulator>q</emulator><controller/><lease/><serial/><parallel/><console/>"
        "<channel/><graphics/><sound/><audio/><watchdog/><memballoon/><rng/><panic/>"
        "<hub/><redirdev/><redirfilter/><input type='tablet'/><memory model='dimm'/>"
        "<video><model type='qxl'/></video><interface type='bridge'/>"
        "<interface type='direct'/><tpm><backend type='emulator'/></tpm>"
        "<disk type='file'/>");

    g_assert_cmpuint(facts->refusals->len, ==, 0);
}

static void
test_memory_units(void)
{
    static const struct {
        const char *memory;
        uint64_t bytes;
    } cases[] = {
        { "<memory>1024</memory>", 1 << 20 },
        { "<memory unit='b'>4096</memory>", 4096 },
        { "<memory unit='KB'>2</memory>", 2000 },
        { "<memory unit='G'> 2 </memory>", UINT64_C(2) << 30 },
        { "<memory unit='TiB'>1</memory>", UINT64_C(1) << 40 },
        { "<memory unit='TiB'>18446744073709551615</memory>", 0 },
        { "<memory unit='ells'>1</memory>", 0 },
        { "<memory>-1</memory>", 0 },
        { "<memory>0</memory>", 0 },
        { "", 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strconcat("<domain type='qemu'><name>n</name>"
                        "<uuid>0a0b0c0d-1111-2222-3333-444455556666</uuid><vcpu>1</vcpu>",
                        cases[i].memory, "</domain>", NULL);
        g_autoptr(FsnDomainFacts) facts = NULL;
        g_autoptr(GError) error = NULL;

        if (cases[i].bytes > 0) {
            g_assert_true(fsn_domain_facts_parse(xml, &facts, NULL));
            g_assert_cmpuint(facts->memory_bytes, ==, cases[i].bytes);
        } else {
            g_assert_false(fsn_domain_facts_parse(xml, &facts, &error));
            g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        }
    }
}

static void
assert_refused(const char *xml, int code)
{
    FsnDomainFacts *facts = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_domain_facts_parse(xml, &facts, &error));
    g_assert_error(error, FSN_ERROR, code);
    g_assert_null(facts);
}

static void
test_hostile(void)
{
    g_autofree char *huge = g_strnfill(5 << 20, ' ');
    g_autoptr(GString) deep = g_string_new(HEAD);

    assert_refused("", FSN_ERROR_FORMAT);
    assert_refused("<domain", FSN_ERROR_FORMAT);
    assert_refused("<network/>", FSN_ERROR_FORMAT);
    assert_refused("<domain>\xff</domain>", FSN_ERROR_FORMAT);
    assert_refused("<domain type='kvm'/>", FSN_ERROR_FORMAT);
    assert_refused("<!DOCTYPE domain [<!ENTITY a 'x'>]>" HEAD "</domain>",
                   FSN_ERROR_FORMAT);
    assert_refused("<!DOCTYPE domain SYSTEM 'file:///etc/passwd'>" HEAD "</domain>",
                   FSN_ERROR_FORMAT);
    assert_refused("<domain type='kvm'><name>&undeclared;</name></domain>",
                   FSN_ERROR_FORMAT);
    assert_refused("<domain type='xen'><name>n</name>"
                   "<uuid>0a0b0c0d-1111-2222-3333-444455556666</uuid></domain>",
                   FSN_ERROR_UNSUPPORTED);
    assert_refused("<domain type='kvm'><name>n</name><uuid>0a0b</uuid></domain>",
                   FSN_ERROR_FORMAT);
    memcpy(huge, "<domain/>", 9);
    assert_refused(huge, FSN_ERROR_FORMAT);
    for (int i = 0; i < 5000; i++) {
        g_string_append(deep, "<a>");
    }
    assert_refused(deep->str, FSN_ERROR_FORMAT);
}

static void
test_host_uuid(void)
{
    g_autofree char *uuid = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_capabilities_host_uuid(
        "<capabilities><host><uuid>0A0B0C0D-1111-2222-3333-444455556666</uuid></host>"
        "</capabilities>",
        &uuid, NULL));
    g_assert_cmpstr(uuid, ==, "0a0b0c0d-1111-2222-3333-444455556666");
    g_assert_true(fsn_uuid_is_canonical(uuid));
    g_assert_false(fsn_uuid_is_canonical("0A0b0c0d-1111-2222-3333-444455556666"));
    g_assert_false(fsn_uuid_is_canonical("0a0b0c0d-1111-2222-3333-44445555666"));
    g_assert_false(fsn_uuid_is_canonical("0a0b0c0d-1111-2222-3333-4444555566667"));
    g_assert_false(fsn_capabilities_host_uuid("<capabilities/>", &uuid, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-facts/identity", test_identity);
    g_test_add_func("/domain-facts/disks-and-agent", test_disks_and_agent);
    g_test_add_func("/domain-facts/live-disks", test_live_disks);
    g_test_add_func("/domain-facts/refusals", test_refusals);
    g_test_add_func("/domain-facts/allowed", test_allowed);
    g_test_add_func("/domain-facts/memory-units", test_memory_units);
    g_test_add_func("/domain-facts/hostile", test_hostile);
    g_test_add_func("/domain-facts/host-uuid", test_host_uuid);
    return g_test_run();
}
