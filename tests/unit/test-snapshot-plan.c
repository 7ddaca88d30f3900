/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/snapshot-plan.c: facts and what is decided of them, with the reasons. */
#include "config.h"

#include "base/error.h"
#include "cycle/snapshot-plan.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)

static FsnDiskFound
usual(void)
{
    return (FsnDiskFound){ .target = "vda",
                           .size = 100 * MIB,
                           .allocated = 40 * MIB,
                           .parent = "0123456789abcdef0123456789abcdef",
                           .parent_size = 100 * MIB,
                           .bitmap = FSN_BITMAP_RECORDING,
                           .dirty = 3 * MIB };
}

static void
expect(const FsnDiskFound *found, FsnDiskMode mode, const char *reason, uint64_t estimate)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnDiskPlan) plan = fsn_disk_plan(found, false, &error);

    g_assert_no_error(error);
    g_assert_cmpint(plan->mode, ==, mode);
    g_assert_nonnull(strstr(plan->reason, reason));
    g_assert_cmpuint(plan->estimate, ==, estimate);
}

static void
test_bitmaps(void)
{
    static const struct {
        FsnBitmapState state;
        const char *reason;
    } full[] = {
        { FSN_BITMAP_ABSENT, "no record of the changes since 01234567" },
        { FSN_BITMAP_STOPPED, "was stopped" },
        { FSN_BITMAP_INCONSISTENT, "did not end in good order" },
        { FSN_BITMAP_BUSY, "another job" },
        { FSN_BITMAP_DATA_FILE, "data file" },
    };

    FsnDiskFound found = usual();

    expect(&found, FSN_DISK_INCREMENTAL, "changes since 01234567 are recorded", 3 * MIB);
    for (size_t i = 0; i < G_N_ELEMENTS(full); i++) {
        found.bitmap = full[i].state;
        expect(&found, FSN_DISK_FULL, full[i].reason, 40 * MIB);
    }
}

static void
test_other_disk(void)
{
    FsnDiskFound found = usual();

    found.parent_size = 99 * MIB;
    expect(&found, FSN_DISK_FULL, "its size was", 40 * MIB);
    found = usual();
    found.parent = NULL;
    expect(&found, FSN_DISK_FULL, "first snapshot", 40 * MIB);
    found.allocated = 0;
    expect(&found, FSN_DISK_FULL, "first snapshot", 100 * MIB);
    found.allocated = 200 * MIB; /* an image with snapshots of its own */
    expect(&found, FSN_DISK_FULL, "first snapshot", 100 * MIB);
}

/* What the guest can overwrite at the worst is all that there is, however little is read. */
static void
test_scratch(void)
{
    FsnDiskFound found = usual();
    g_autoptr(FsnDiskPlan) plan = fsn_disk_plan(&found, false, NULL);

    g_assert_cmpuint(plan->scratch, >=, 40 * MIB);
    g_assert_cmpuint(plan->scratch, <=, 100 * MIB);
}

static void
test_choice(void)
{
    FsnDiskFound found = usual();
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnDiskPlan) plan = fsn_disk_plan(&found, true, &error);

    g_assert_cmpint(plan->mode, ==, FSN_DISK_SKIPPED);
    g_assert_cmpstr(plan->reason, ==, "not asked for");
    found.refusal = "it is empty";
    expect(&found, FSN_DISK_SKIPPED, "it is empty", 0);
    found.asked = true;
    g_assert_null(fsn_disk_plan(&found, true, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "disk 'vda' cannot be taken: it is empty"));
}

static void
test_memory(void)
{
    static const struct {
        FsnRamFound found;
        int mode; /* -1: refused */
    } cases[] = {
        { { .unwanted = true, .running = true, .background = true }, FSN_RAM_NONE },
        { { .running = true, .background = true }, FSN_RAM_BACKGROUND },
        { { .running = true, .background = true, .starts = true }, FSN_RAM_BACKGROUND },
        /* A guest that its user has stopped is never started. */
        { { .background = true, .starts = true }, FSN_RAM_STOPPED },
        { { .background = true }, FSN_RAM_BACKGROUND },
        { { .background = false }, FSN_RAM_STOPPED },
        { { .running = true }, -1 },
        { { .running = true, .allow_stop = true }, FSN_RAM_STOPPED },
        { { .running = true, .allow_stop = true, .background = true },
          FSN_RAM_BACKGROUND },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const char *reason = NULL;
        FsnRamMode mode;
        bool ok = fsn_ram_plan(&cases[i].found, &mode, &reason, &error);

        g_assert_cmpint(ok ? (int)mode : -1, ==, cases[i].mode);
        g_assert_true(ok ? reason != NULL
                         : g_error_matches(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snapshot-plan/bitmaps", test_bitmaps);
    g_test_add_func("/snapshot-plan/other-disk", test_other_disk);
    g_test_add_func("/snapshot-plan/scratch", test_scratch);
    g_test_add_func("/snapshot-plan/choice", test_choice);
    g_test_add_func("/snapshot-plan/memory", test_memory);
    return g_test_run();
}
