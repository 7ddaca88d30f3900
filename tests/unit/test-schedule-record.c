/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule/record.c: what is remembered, what a damaged file does, who may plan. */
#include "config.h"

#include "base/error.h"
#include "schedule/record.h"

#include <glib/gstdio.h>
#include <string.h>

#define UUID "5f1d6f3e-0000-4000-8000-000000000001"

typedef char Folder;

static char *
new_folder(void)
{
    char *folder = g_dir_make_tmp("fsn-schedule-XXXXXX", NULL);

    g_assert_nonnull(folder);
    return folder;
}

static void
remove_folder(Folder *folder)
{
    g_autofree char *inner = g_build_filename(folder, "schedule", NULL);
    g_autofree char *file = g_build_filename(inner, UUID ".json", NULL);
    g_autofree char *lock = g_build_filename(inner, "lock", NULL);

    (void)g_remove(file); /* may not be there, as the next */
    (void)g_remove(lock);
    (void)g_rmdir(inner);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_free(folder);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Folder, remove_folder)

static FsnSchedule
schedule_of(const char *when)
{
    FsnSchedule schedule = { .texts = g_strsplit(when, ";", -1) };

    return schedule;
}

static void
test_round_trip(void)
{
    g_autoptr(Folder) folder = new_folder();
    g_auto(FsnScheduleRecord) record = { 0 };
    g_auto(FsnScheduleRecord) again = { 0 };
    g_auto(FsnSchedule) schedule = schedule_of("daily");
    FsnPlanInput input = { 0 };

    g_assert_true(fsn_schedule_record_load(folder, UUID, &record, NULL));
    g_assert_cmpstr(record.when, ==, "");
    g_assert_cmpint(record.handled_us, ==, 0);
    g_assert_true(fsn_schedule_record_adopt(&record, &schedule, 1000));
    fsn_schedule_record_begin(&record, 2000);
    g_assert_true(fsn_schedule_record_save(folder, UUID, &record, NULL));
    g_assert_true(fsn_schedule_record_load(folder, UUID, &again, NULL));
    /* Not ended: it counts as failed. */
    g_assert_cmpstr(again.when, ==, "daily");
    g_assert_cmpint(again.handled_us, ==, 1000);
    g_assert_cmpuint(again.failures, ==, 1);
    g_assert_cmpint(again.ended_us, ==, 0);
    g_assert_nonnull(again.error);
    fsn_schedule_record_end(&again, 5000, "abc", NULL);
    fsn_schedule_record_fill(&again, &input);
    g_assert_cmpint(input.handled_us, ==, 2000);
    g_assert_cmpint(input.took_us, ==, 3000);
    g_assert_cmpuint(input.failures, ==, 0);
    g_assert_null(again.error);
}

static void
test_failures(void)
{
    g_auto(FsnScheduleRecord) record = { .when = g_strdup("") };
    g_auto(FsnScheduleRecord) before = { .when = g_strdup("") };

    fsn_schedule_record_begin(&record, 10);
    fsn_schedule_record_end(&record, 20, NULL, "no \xff room");
    g_assert_cmpuint(record.failures, ==, 1);
    g_assert_true(g_utf8_validate(record.error, -1, NULL));
    g_assert_cmpint(record.handled_us, ==, 0);
    fsn_schedule_record_begin(&record, 30);
    g_assert_cmpuint(record.failures, ==, 2);
    fsn_schedule_record_undo(&record, &before);
    g_assert_cmpuint(record.failures, ==, 0);
    g_assert_cmpint(record.begun_us, ==, 0);
    g_assert_null(record.error);
}

/* Other times: the past is not theirs. */
static void
test_adopt(void)
{
    g_auto(FsnScheduleRecord) record = { .when = g_strdup("") };
    g_auto(FsnSchedule) daily = schedule_of("daily");
    g_auto(FsnSchedule) hourly = schedule_of("hourly");

    g_assert_true(fsn_schedule_record_adopt(&record, &daily, 1000));
    g_assert_false(fsn_schedule_record_adopt(&record, &daily, 2000));
    g_assert_cmpint(record.handled_us, ==, 1000);
    g_assert_true(fsn_schedule_record_adopt(&record, &hourly, 3000));
    g_assert_cmpint(record.handled_us, ==, 3000);
}

static void
test_damaged(void)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"version\":2}",
        "{\"version\":1,\"when\":1}",
        "{\"version\":1,\"when\":\"\",\"failures\":-1}",
        "{\"version\":1,\"when\":\"\",\"failures\":0,\"handled_us\":-5}",
        "{\"version\":1,\"when\":\"\",\"failures\":0,\"handled_us\":1e300}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Folder) folder = new_folder();
        g_autofree char *inner = g_build_filename(folder, "schedule", NULL);
        g_autofree char *file = g_build_filename(inner, UUID ".json", NULL);
        g_auto(FsnScheduleRecord) record = { 0 };
        g_autoptr(GError) error = NULL;

        g_test_message("%s", texts[i]);
        g_assert_cmpint(g_mkdir(inner, 0700), ==, 0);
        g_assert_true(g_file_set_contents(file, texts[i], -1, NULL));
        g_assert_false(fsn_schedule_record_load(folder, UUID, &record, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        /* It can be planned with all the same. */
        g_assert_cmpstr(record.when, ==, "");
        g_assert_cmpuint(record.failures, ==, 0);
    }
}

static void
test_lock(void)
{
    g_autoptr(Folder) folder = new_folder();
    g_autoptr(FsnScheduleLock) lock = fsn_schedule_lock(folder, NULL);
    g_autoptr(FsnScheduleLock) second = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(lock);
    second = fsn_schedule_lock(folder, &error);
    g_assert_error(error, FSN_ERROR, FSN_ERROR_BUSY);
    g_assert_null(second);
    fsn_schedule_unlock(g_steal_pointer(&lock));
    second = fsn_schedule_lock(folder, NULL);
    g_assert_nonnull(second);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schedule/record/round-trip", test_round_trip);
    g_test_add_func("/schedule/record/failures", test_failures);
    g_test_add_func("/schedule/record/adopt", test_adopt);
    g_test_add_func("/schedule/record/damaged", test_damaged);
    g_test_add_func("/schedule/record/lock", test_lock);
    return g_test_run();
}
