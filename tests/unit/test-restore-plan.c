/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/restore-plan.c: facts and requests, and what comes of them. */
#include "config.h"

#include "base/error.h"
#include "cycle/restore-plan.h"

#include <string.h>

#define ID "0123456789abcdef0123456789abcdef"

static GPtrArray *
stored_disks(void)
{
    static const FsnStoredDisk disks[] = {
        { .target = "vda", .format = "qcow2", .size = 1 << 20, .image = ID },
        { .target = "vdb", .format = "raw", .size = 4096, .image = ID },
        { .target = "vdc", .skipped = "it is read-only" },
    };
    GPtrArray *array =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_stored_disk_free);

    for (size_t i = 0; i < G_N_ELEMENTS(disks); i++) {
        FsnStoredDisk *disk = g_new0(FsnStoredDisk, 1);

        disk->target = g_strdup(disks[i].target);
        disk->format = g_strdup(disks[i].format);
        disk->image = g_strdup(disks[i].image);
        disk->skipped = g_strdup(disks[i].skipped);
        disk->size = disks[i].size;
        g_ptr_array_add(array, disk);
    }
    return array;
}

/* A domain with these <disk> elements. */
static FsnDomainFacts *
domain_with(const char *disks)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web</name><memory>1</memory><vcpu>1</vcpu>"
        "<uuid>11111111-2222-3333-4444-555555555555</uuid><devices>%s</devices></domain>",
        disks);
    FsnDomainFacts *facts = NULL;

    g_assert_true(fsn_domain_facts_parse(xml, &facts, NULL));
    return facts;
}

#define VDA                                                                   \
    "<disk type='file' device='disk'><driver type='raw'/><source file='/a'/>" \
    "<target dev='vda'/></disk>"
#define VDB                                                                       \
    "<disk type='block' device='disk'><driver type='raw'/><source dev='/dev/b'/>" \
    "<target dev='vdb'/></disk>"
#define VDQ                                                                     \
    "<disk type='file' device='disk'><driver type='qcow2'/><source file='/q'/>" \
    "<target dev='vda'/></disk>"
#define VDX                                                                   \
    "<disk type='file' device='disk'><driver type='raw'/><source file='/x'/>" \
    "<target dev='vdx'/></disk>"
#define CDROM                                                \
    "<disk type='file' device='cdrom'><source file='/iso'/>" \
    "<target dev='sda'/><readonly/></disk>"

static bool
plan(const FsnRestoreRequest *request,
     const char *disks,
     FsnRestorePlan *out,
     GPtrArray **out_stored,
     GError **error)
{
    g_autoptr(FsnDomainFacts) facts = domain_with(disks);

    *out_stored = stored_disks();
    return fsn_restore_plan(request, *out_stored, facts, out, error);
}

static void
test_in_place(void)
{
    const FsnRestoreRequest request = { .snapshot = ID };
    g_auto(FsnRestorePlan) p = { 0 };
    g_autoptr(GPtrArray) stored = NULL;
    g_autoptr(GError) error = NULL;
    const FsnRestoreDisk *disk;

    g_assert_true(plan(&request, VDA VDB VDX CDROM, &p, &stored, &error));
    g_assert_cmpuint(p.disks->len, ==, 2);
    disk = g_ptr_array_index(p.disks, 0);
    /* in the format that the domain has for it now */
    g_assert_cmpstr(disk->format, ==, "raw");
    g_assert_cmpstr(disk->path, ==, "/a");
    g_assert_cmpstr(disk->place, ==, "/a");
    g_assert_cmpstr(disk->temporary, ==, "/a.foresnap-0123456789ab");
    disk = g_ptr_array_index(p.disks, 1);
    g_assert_cmpstr(disk->kind, ==, "block");
    g_assert_cmpstr(disk->path, ==, "/dev/b");
    g_assert_null(disk->temporary);
    /* what the snapshot does not have stays */
    g_assert_cmpuint(p.dropped->len, ==, 1);
}

static void
test_new(void)
{
    const FsnRestoreRequest request = { .snapshot = ID, .as = "new", .folder = "/f" };
    g_auto(FsnRestorePlan) p = { 0 };
    g_autoptr(GPtrArray) stored = NULL;
    g_autoptr(GError) error = NULL;
    const FsnRestoreDisk *disk;

    g_assert_true(plan(&request, VDA VDB VDX CDROM, &p, &stored, &error));
    g_assert_cmpuint(p.disks->len, ==, 2);
    disk = g_ptr_array_index(p.disks, 0);
    g_assert_cmpstr(disk->kind, ==, "file");
    g_assert_cmpstr(disk->format, ==, "qcow2");
    g_assert_cmpstr(disk->path, ==, "/f/new-vda.qcow2");
    disk = g_ptr_array_index(p.disks, 1);
    g_assert_cmpstr(disk->kind, ==, "file");
    g_assert_cmpstr(disk->path, ==, "/f/new-vdb.raw");
    /* it must not write to the original's, and may read its CD */
    g_assert_cmpuint(p.dropped->len, ==, 2);
    g_assert_cmpstr(p.dropped->pdata[0], ==, "vdx");
    g_assert_null(p.dropped->pdata[1]);
}

static void
test_refused(void)
{
    static const char *const vda[] = { "vda", NULL };
    static const char *const vdc[] = { "vdc", NULL };
    static const char *const vdz[] = { "vdz", NULL };

    static const struct {
        FsnRestoreRequest request;
        const char *disks;
        int code;
    } cases[] = {
        /* disks that the snapshot does not have */
        { { .targets = vdz }, VDA VDB, FSN_ERROR_NOT_FOUND },
        { { .targets = vdc }, VDA VDB, FSN_ERROR_STATE },
        /* or the domain */
        { { 0 }, VDA, FSN_ERROR_STATE },
        { { .as = "n", .folder = "/f" }, VDA, FSN_ERROR_CORRUPT },
        /* memory over a disk that has moved on */
        { { .memory = true }, VDA VDB VDX, FSN_ERROR_STATE },
        { { .memory = true, .as = "n", .folder = "/f" }, VDA VDB VDX, FSN_ERROR_STATE },
        /* what it is in now */
        { { .targets = vda },
          "<disk type='network'><source protocol='nbd'/><target dev='vda'/></disk>",
          FSN_ERROR_UNSUPPORTED },
        { { .targets = vda },
          "<disk type='file'><target dev='vda'/></disk>",
          FSN_ERROR_UNSUPPORTED },
        { { .targets = vda },
          "<disk type='file'><driver type='vmdk'/><source file='/a'/>"
          "<target dev='vda'/></disk>",
          FSN_ERROR_UNSUPPORTED },
        { { .targets = vda },
          "<disk type='file'><source file='/a'/><target dev='vda'/>"
          "<encryption format='luks'/></disk>",
          FSN_ERROR_UNSUPPORTED },
        { { 0 },
          VDA "<disk type='file'><source file='/a'/><target dev='vdb'/></disk>",
          FSN_ERROR_UNSUPPORTED },
        /* names that lead elsewhere */
        { { .as = "", .folder = "/f" }, VDA VDB, FSN_ERROR_USAGE },
        { { .as = "a/b", .folder = "/f" }, VDA VDB, FSN_ERROR_USAGE },
        { { .as = "..", .folder = "/f" }, VDA VDB, FSN_ERROR_USAGE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        FsnRestoreRequest request = cases[i].request;
        g_auto(FsnRestorePlan) p = { 0 };
        g_autoptr(GPtrArray) stored = NULL;
        g_autoptr(GError) error = NULL;

        request.snapshot = ID;
        g_test_message("case %zu", i);
        g_assert_false(plan(&request, cases[i].disks, &p, &stored, &error));
        g_assert_error(error, FSN_ERROR, cases[i].code);
        g_assert_null(p.disks);
    }
}

static void
test_memory(void)
{
    const FsnRestoreRequest request = { .snapshot = ID, .memory = true };
    g_auto(FsnRestorePlan) p = { 0 };
    g_autoptr(GPtrArray) stored = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(plan(&request, VDA VDB CDROM, &p, &stored, &error));
    g_assert_cmpuint(p.disks->len, ==, 2);
}

static void
test_chosen(void)
{
    static const char *const vda[] = { "vda", NULL };
    const FsnRestoreRequest request = { .snapshot = ID, .targets = vda };
    g_auto(FsnRestorePlan) p = { 0 };
    g_autoptr(GPtrArray) stored = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(plan(&request, VDA, &p, &stored, &error));
    g_assert_cmpuint(p.disks->len, ==, 1);
}

static void
test_lazy(void)
{
    static const char *const vda[] = { "vda", NULL };
    const FsnRestoreRequest here = { .snapshot = ID, .targets = vda, .lazy = true };
    const FsnRestoreRequest new = {
        .snapshot = ID, .as = "new", .folder = "/d", .lazy = true
    };
    g_autoptr(GError) error = NULL;

    {
        g_auto(FsnRestorePlan) out = { 0 };
        g_autoptr(GPtrArray) stored = NULL;

        g_assert_false(plan(&here, VDA, &out, &stored, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
        g_clear_error(&error);
    }
    {
        g_auto(FsnRestorePlan) out = { 0 };
        g_autoptr(GPtrArray) stored = NULL;

        g_assert_true(plan(&here, VDQ, &out, &stored, &error));
        g_assert_true(((FsnRestoreDisk *)out.disks->pdata[0])->own_policy);
    }
    {
        g_auto(FsnRestorePlan) out = { 0 };
        g_autoptr(GPtrArray) stored = NULL;
        const FsnRestoreDisk *disk;

        /* raw in the snapshot, and on a device */
        g_assert_true(plan(&new, VDA VDB, &out, &stored, &error));
        disk = out.disks->pdata[1];
        g_assert_cmpstr(disk->format, ==, "qcow2");
        g_assert_cmpstr(disk->path, ==, "/d/new-vdb.qcow2");
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/restore-plan/in-place", test_in_place);
    g_test_add_func("/restore-plan/new", test_new);
    g_test_add_func("/restore-plan/refused", test_refused);
    g_test_add_func("/restore-plan/memory", test_memory);
    g_test_add_func("/restore-plan/chosen", test_chosen);
    g_test_add_func("/restore-plan/lazy", test_lazy);
    return g_test_run();
}
