/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/domxml/disk-support.c: each kind of disk, from XML. */
#include "config.h"

#include "domxml/disk-support.h"

#include <string.h>

#define FILE_DISK "<disk type='file'><source file='/v/a'/><target dev='vda'/>"

static FsnDomainFacts *
parse(const char *disk)
{
    g_autofree char *xml = g_strconcat("<domain type='kvm'><name>n</name>"
                                       "<uuid>0a0b0c0d-1111-2222-3333-444455556666</uuid>"
                                       "<memory>1</memory><vcpu>1</vcpu><devices>",
                                       disk, "</devices></domain>", NULL);
    FsnDomainFacts *facts = NULL;
    GError *error = NULL;

    g_assert_true(fsn_domain_facts_parse(xml, &facts, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(facts->disks->len, ==, 1);
    return facts;
}

static void
test_table(void)
{
    static const struct {
        const char *disk;
        const char *word; /* of the refusal; NULL: allowed */
    } cases[] = {
        { FILE_DISK "</disk>", NULL },
        { "<disk type='block' device='disk'><source dev='/dev/x'/><target dev='sda'/>"
          "</disk>",
          NULL },
        { "<disk type='volume'><source pool='p' volume='v'/><target dev='vda'/></disk>",
          NULL },
        { "<disk type='network'><source protocol='nbd' name='x'/><target dev='vda'/>"
          "</disk>",
          NULL },
        { "<disk type='network'><source protocol='nbd'/><target dev='vda'/></disk>",
          NULL },
        { "<disk type='network'><source protocol='rbd' name='p/i'/><target dev='vda'/>"
          "</disk>",
          "protocol" },
        { "<disk type='network'><target dev='vda'/></disk>", "protocol" },
        { "<disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>",
          "CD-ROM" },
        { "<disk type='file' device='floppy'><target dev='fda'/></disk>", "floppy" },
        { "<disk type='block' device='lun'><source dev='/dev/x'/><target dev='sda'/>"
          "</disk>",
          "passed through" },
        { "<disk type='file' device='odd'><target dev='sda'/></disk>",
          "devices of this type" },
        { "<disk type='dir'><source dir='/d'/><target dev='vda'/></disk>", "vvfat" },
        { "<disk type='nvme'><source type='pci'/><target dev='vda'/></disk>", "NVMe" },
        { "<disk type='vhostuser'><target dev='vda'/></disk>", "vhost-user" },
        { "<disk type='vhostvdpa'><source dev='/dev/v'/><target dev='vda'/></disk>",
          "vDPA" },
        { "<disk type='new'><target dev='vda'/></disk>", "disks of this type" },
        { "<disk><source file='/v/a'/><target dev='vda'/></disk>", "disks of this type" },
        { "<disk type='file'><target dev='vda'/></disk>", "medium" },
        { "<disk type='file'><source file='/v/a'/></disk>", "target" },
        { FILE_DISK "<readonly/></disk>", "read-only" },
        { FILE_DISK "<shareable/></disk>", "shared" },
        { FILE_DISK "<transient/></disk>", "transient" },
        { FILE_DISK "<encryption format='luks'/></disk>", "plain text" },
        { "<disk type='file'><source file='/v/a'><encryption format='luks'/></source>"
          "<target dev='vda'/></disk>",
          "plain text" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnDomainFacts) facts = parse(cases[i].disk);
        const char *refusal = fsn_disk_snapshot_refusal(facts->disks->pdata[0], false);

        g_test_message("%s: %s", cases[i].disk, refusal ? refusal : "allowed");
        if (cases[i].word) {
            g_assert_nonnull(refusal);
            g_assert_nonnull(strstr(refusal, cases[i].word));
        } else {
            g_assert_null(refusal);
        }
    }
}

/* Being told lifts this refusal and no other. */
static void
test_plain_text(void)
{
    g_autoptr(FsnDomainFacts) encrypted =
        parse(FILE_DISK "<encryption format='luks'/></disk>");
    g_autoptr(FsnDomainFacts) shared =
        parse(FILE_DISK "<shareable/><encryption format='luks'/></disk>");

    g_assert_null(fsn_disk_snapshot_refusal(encrypted->disks->pdata[0], true));
    g_assert_nonnull(fsn_disk_snapshot_refusal(shared->disks->pdata[0], true));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-support/table", test_table);
    g_test_add_func("/disk-support/plain-text", test_plain_text);
    return g_test_run();
}
