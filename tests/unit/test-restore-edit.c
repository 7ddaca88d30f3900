/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/domxml/restore-edit.c: what a restored domain keeps, and what it gets of its own. */
#include "config.h"

#include "base/error.h"
#include "domxml/domain-facts.h"
#include "domxml/restore-edit.h"

#include <string.h>

static const char xml[] =
    "<domain type='kvm'><name>web</name><uuid>11111111-2222-3333-4444-555555555555</uuid>"
    "<genid>aaaaaaaa-2222-3333-4444-555555555555</genid>"
    "<memory>1024</memory><vcpu>1</vcpu>"
    "<os><nvram type='file' template='/t.fd'><source file='/web_VARS.fd'/></nvram></os>"
    "<devices>"
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>"
    "<source file='/top.qcow2' index='1'/>"
    "<backingStore type='file'><format type='raw'/><source file='/base.raw'/>"
    "</backingStore><target dev='vda' bus='virtio'/><serial>one</serial></disk>"
    "<disk type='block' device='disk'><source dev='/dev/x'/><target dev='vdb'/></disk>"
    "<disk type='file' device='cdrom'><target dev='sda'/></disk>"
    "<interface type='network'><mac address='52:54:00:00:00:01'/></interface>"
    "<interface type='network'><mac address='52:54:00:00:00:02'/><link state='up'/>"
    "</interface></devices></domain>";

static char *
edited(const FsnRestoreEdit *edit)
{
    g_autoptr(GError) error = NULL;
    char *out = NULL;

    g_assert_true(fsn_domain_xml_restore(xml, edit, &out, &error));
    g_assert_no_error(error);
    return out;
}

static void
test_disks(void)
{
    const FsnDiskPlace places[] = {
        { .target = "vda", .kind = "block", .path = "/dev/a&b", .format = "raw" },
        { .target = "vdb", .kind = "file", .path = "/b.qcow2", .format = "qcow2" },
    };
    const FsnRestoreEdit edit = { .disks = places, .n_disks = 2 };
    g_autofree char *out = edited(&edit);
    g_autoptr(FsnDomainFacts) facts = NULL;
    const FsnDiskFacts *disk;

    g_assert_true(fsn_domain_facts_parse(out, &facts, NULL));
    disk = g_ptr_array_index(facts->disks, 0);
    g_assert_cmpstr(disk->source_kind, ==, "block");
    g_assert_cmpstr(disk->source, ==, "/dev/a&b");
    g_assert_cmpstr(disk->format, ==, "raw");
    disk = g_ptr_array_index(facts->disks, 1);
    g_assert_cmpstr(disk->source_kind, ==, "file");
    g_assert_cmpstr(disk->source, ==, "/b.qcow2");
    g_assert_cmpstr(disk->format, ==, "qcow2");
    g_assert_null(strstr(out, "top.qcow2"));
    g_assert_null(strstr(out, "base.raw"));
    g_assert_null(strstr(out, "/dev/x"));
    /* all else of them stays */
    g_assert_nonnull(strstr(out, "cache=\"none\""));
    g_assert_nonnull(strstr(out, "<serial>one</serial>"));
    /* and the rest too */
    g_assert_cmpstr(facts->name, ==, "web");
    g_assert_cmpstr(facts->nvram, ==, "/web_VARS.fd");
    g_assert_nonnull(strstr(out, "52:54:00:00:00:01"));
    g_assert_nonnull(strstr(out, "aaaaaaaa-"));
}

/* Served, and standalone again. */
static void
test_served(void)
{
    const FsnDiskPlace places[] = {
        { .target = "vda",
          .kind = "file",
          .path = "/a.qcow2",
          .format = "qcow2",
          .served = "/run/a&b.monitor" },
        { .target = "vdb", .kind = "file", .path = "/b.qcow2", .format = "qcow2" },
    };
    const FsnRestoreEdit edit = { .disks = places, .n_disks = 2 };
    const FsnFilledDisk filled[] = { { .target = "vda", .own_policy = true },
                                     { .target = "gone" } };
    const FsnFilledDisk theirs = { .target = "vda" };
    g_autofree char *out = edited(&edit);
    g_autofree char *end = NULL;
    g_autofree char *kept = NULL;
    g_autoptr(FsnDomainFacts) facts = NULL;
    const FsnDiskFacts *disk;

    g_assert_true(fsn_domain_facts_parse(out, &facts, NULL));
    disk = g_ptr_array_index(facts->disks, 0);
    g_assert_true(disk->backing);
    g_assert_cmpstr(disk->rerror_policy, ==, "stop");
    g_assert_nonnull(strstr(out, "socket=\"/run/a&amp;b.monitor\""));
    g_assert_nonnull(strstr(out, "<format type=\"raw\"/>"));
    disk = g_ptr_array_index(facts->disks, 1);
    g_assert_false(disk->backing);
    g_assert_null(disk->rerror_policy);
    g_assert_true(fsn_domain_xml_filled(out, filled, 2, &end, NULL));
    g_assert_null(strstr(end, "nbd"));
    g_assert_null(strstr(end, "rerror_policy"));
    g_assert_nonnull(strstr(end, "/a.qcow2"));
    g_assert_true(fsn_domain_xml_filled(out, &theirs, 1, &kept, NULL));
    g_assert_nonnull(strstr(kept, "rerror_policy"));
}

static void
test_new_domain(void)
{
    const char *const dropped[] = { "vdb", "vdz", NULL };
    const FsnRestoreEdit edit = { .name = "n<w",
                                  .uuid = "99999999-2222-3333-4444-555555555555",
                                  .genid = "bbbbbbbb-2222-3333-4444-555555555555",
                                  .dropped = dropped,
                                  .new_macs = true,
                                  .new_nvram = true,
                                  .nvram = "/new & own.fd" };
    g_autofree char *out = edited(&edit);
    g_autoptr(FsnDomainFacts) facts = NULL;

    g_assert_true(fsn_domain_facts_parse(out, &facts, NULL));
    g_assert_cmpstr(facts->name, ==, "n<w");
    g_assert_cmpstr(facts->uuid, ==, "99999999-2222-3333-4444-555555555555");
    g_assert_nonnull(strstr(out, "bbbbbbbb-"));
    g_assert_null(strstr(out, "52:54:00"));
    g_assert_null(strstr(out, "web_VARS"));
    g_assert_cmpstr(facts->nvram, ==, "/new & own.fd");
    g_assert_nonnull(strstr(out, "template=\"/t.fd\""));
    g_assert_cmpuint(facts->disks->len, ==, 2);
    g_assert_nonnull(strstr(out, "state=\"up\""));
}

static void
test_links_down(void)
{
    const FsnRestoreEdit edit = { .links_down = true };
    g_autofree char *out = edited(&edit);
    g_auto(GStrv) parts = g_strsplit(out, "<link state=\"down\"/>", -1);

    g_assert_cmpuint(g_strv_length(parts), ==, 3); /* two links */
    g_assert_null(strstr(out, "state=\"up\""));
    g_assert_nonnull(strstr(out, "52:54:00:00:00:02"));
}

static void
test_refused(void)
{
    const FsnDiskPlace place = { .target = "vdq", .kind = "file", .path = "/q" };
    const FsnRestoreEdit edit = { .disks = &place, .n_disks = 1 };
    const FsnRestoreEdit none = { 0 };
    g_autoptr(GError) error = NULL;
    char *out = NULL;

    g_assert_false(fsn_domain_xml_restore(xml, &edit, &out, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, "vdq"));
    g_clear_error(&error);
    g_assert_false(fsn_domain_xml_restore("<domain/>", &none, &out, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_clear_error(&error);
    g_assert_false(
        fsn_domain_xml_restore("<domain><name>a</name></domain>", &edit, &out, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

static void
test_pool(void)
{
    g_autofree char *folder = NULL;
    g_autoptr(GError) error = NULL;
    char *none = NULL;

    g_assert_true(fsn_pool_xml_folder(
        "<pool type='dir'><target><path>/srv/p</path></target></pool>", &folder, &error));
    g_assert_cmpstr(folder, ==, "/srv/p");
    g_assert_false(fsn_pool_xml_folder(
        "<pool type='logical'><target><path>/dev/vg</path></target></pool>", &none,
        &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_clear_error(&error);
    g_assert_false(fsn_pool_xml_folder("<pool type='dir'/>", &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_clear_error(&error);
    g_assert_false(fsn_pool_xml_folder("<domain/>", &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/restore-edit/disks", test_disks);
    g_test_add_func("/restore-edit/new-domain", test_new_domain);
    g_test_add_func("/restore-edit/served", test_served);
    g_test_add_func("/restore-edit/links-down", test_links_down);
    g_test_add_func("/restore-edit/refused", test_refused);
    g_test_add_func("/restore-edit/pool", test_pool);
    return g_test_run();
}
