/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/virt/agent.c, disk-state.c on libvirt's test driver, which "freezes" two file systems
 * and gives every disk an error; backup jobs are QEMU's alone. */
#include "config.h"

#include "base/error.h"
#include "virt/agent.h"
#include "virt/disk-state.h"

#define DISK(target) \
    "<disk type='file'><source file='/" target "'/><target dev='" target "'/></disk>"

static FsnVirtDomain *
start_domain(FsnVirt *virt, const char *name, const char *disks)
{
    g_autofree char *xml = g_strconcat("<domain type='test'><name>", name,
                                       "</name><memory>1024</memory><vcpu>1</vcpu>"
                                       "<os><type>hvm</type></os><devices>",
                                       disks, "</devices></domain>", NULL);
    FsnVirtDomain *domain = NULL;
    GError *error = NULL;

    g_assert_true(fsn_virt_create(virt, xml, false, &domain, &error));
    g_assert_no_error(error);
    return domain;
}

static FsnVirt *
open_test(void)
{
    FsnVirt *virt = NULL;
    GError *error = NULL;

    g_assert_true(fsn_virt_open("test:///default", &virt, &error));
    g_assert_no_error(error);
    return virt;
}

static void
test_freeze(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain = start_domain(virt, "disks", "");
    g_autoptr(GError) error = NULL;
    int frozen = -1, thawed = -1, again = -1;

    g_assert_true(fsn_virt_agent_freeze(domain, 1, &frozen, &error));
    g_assert_no_error(error);
    g_assert_cmpint(frozen, >, 0);
    g_assert_true(fsn_virt_agent_thaw(domain, 1, &thawed, &error));
    g_assert_cmpint(thawed, ==, frozen);
    g_assert_true(fsn_virt_agent_thaw(domain, 1, &again, &error));
    g_assert_cmpint(again, ==, 0);
    g_assert_true(fsn_virt_agent_freeze(domain, 1, NULL, &error));
    g_assert_true(fsn_virt_agent_thaw(domain, 1, NULL, &error));
}

static void
test_freeze_stopped(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(GError) error = NULL;
    int count = -1;

    g_assert_true(fsn_virt_lookup(virt, "test", &domain, NULL));
    g_assert_true(fsn_virt_domain_destroy(domain, false, NULL));
    g_assert_false(fsn_virt_agent_freeze(domain, 1, &count, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
    g_assert_nonnull(strstr(error->message, "'test'"));
    g_assert_null(strstr(error->message, "thaw"));
    g_assert_cmpint(count, ==, -1);
}

static void
test_disk_errors(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain =
        start_domain(virt, "disks", DISK("vda") DISK("vdb") DISK("vdc"));
    g_autoptr(FsnVirtDomain) other = start_domain(virt, "other", "");
    g_autofree char *text = NULL;
    char *none = (char *)"unset";
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_virt_domain_disk_errors(domain, &text, &error));
    g_assert_no_error(error);
    g_test_message("%s", text);
    g_assert_nonnull(strstr(text, "vda: I/O error, vdb: no space, vdc: "));
    g_assert_true(fsn_virt_domain_disk_errors(other, &none, &error));
    g_assert_no_error(error);
    g_assert_null(none);
}

static void
test_backup_job(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain = start_domain(virt, "disks", "");
    g_autoptr(GError) error = NULL;
    bool active = true;

    g_assert_true(fsn_virt_domain_backup_job(domain, &active, &error));
    g_assert_no_error(error);
    g_assert_false(active);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt-disks/freeze", test_freeze);
    g_test_add_func("/virt-disks/freeze-stopped", test_freeze_stopped);
    g_test_add_func("/virt-disks/disk-errors", test_disk_errors);
    g_test_add_func("/virt-disks/backup-job", test_backup_job);
    return g_test_run();
}
