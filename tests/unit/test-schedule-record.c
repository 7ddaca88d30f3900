/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule/record.c: what is remembered, what a damaged file does, who may plan. */
#include "config.h"

#include "base/error.h"
#include "schedule/record.h"
#include "schedule/run.h"

#include <glib/gstdio.h>
#include <string.h>

#define UUID "5f1d6f3e-0000-4000-8000-000000000001"
#define SEC  ((int64_t)G_USEC_PER_SEC)

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

/* A host whose planner looks every minute, as the daemon does, and whose clock jumps. */
typedef struct {
    FsnSchedule schedule;
    FsnScheduleRecord record;
    GTimeZone *zone;
    GArray *taken; /* int64_t, real times */
    int64_t now_us;
    unsigned runs;
} Host;

static int64_t
newest_taken(const Host *host)
{
    int64_t newest_us = 0;

    for (guint i = 0; i < host->taken->len; i++) {
        int64_t us = g_array_index(host->taken, int64_t, i);

        if (us <= host->now_us + FSN_PLAN_STEP_US) {
            newest_us = MAX(newest_us, us);
        }
    }
    return newest_us;
}

static void
look(Host *host)
{
    FsnPlanInput input = { .now_us = host->now_us,
                           .until_us = host->now_us + 3600 * SEC,
                           .zone = host->zone,
                           .taken_us = newest_taken(host),
                           .changed = UINT64_MAX };
    g_autoptr(GArray) items = NULL;

    (void)fsn_schedule_record_adopt(&host->record, &host->schedule, host->now_us);
    fsn_schedule_record_fill(&host->record, &input);
    items = fsn_plan(&host->schedule, &input);
    if (fsn_plan_due(items)) {
        fsn_schedule_record_begin(&host->record, host->now_us);
        host->now_us += 5 * SEC;
        fsn_schedule_record_end(&host->record, host->now_us, "abc", NULL);
        g_array_append_val(host->taken, host->now_us);
        host->runs++;
    }
}

static unsigned
live(Host *host, unsigned minutes)
{
    unsigned before = host->runs;

    for (unsigned i = 0; i < minutes; i++) {
        host->now_us += 60 * SEC;
        look(host);
    }
    return host->runs - before;
}

static void
test_clock_jumps(void)
{
    FsnCalendar hourly;
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(int64_t));
    Host host = { .zone = zone, .taken = taken };

    g_assert_true(fsn_calendar_parse("*:00", &hourly, NULL));
    host.schedule = schedule_of("*:00");
    host.schedule.calendars = g_memdup2(&hourly, sizeof hourly);
    host.schedule.n_calendars = 1;
    host.now_us = INT64_C(1795996800) * SEC + 30 * 60 * SEC; /* half past an hour */
    look(&host);
    g_assert_cmpuint(host.runs, ==, 0);
    g_assert_cmpuint(live(&host, 180), ==, 3);
    /* A day ahead: one for all that were missed, then each hour's. */
    host.now_us += 86400 * SEC;
    g_assert_cmpuint(live(&host, 1), ==, 1);
    g_assert_cmpuint(live(&host, 180), ==, 3);
    /* Ten minutes back over the hour: not again, and the next one comes. */
    g_assert_cmpuint(live(&host, 35), ==, 1);
    host.now_us -= 600 * SEC;
    g_assert_cmpuint(live(&host, 20), ==, 0);
    g_assert_cmpuint(live(&host, 60), ==, 1);
    /* Two days back: it goes on with the next hour, and waits for nothing. */
    host.now_us -= 2 * 86400 * SEC;
    g_assert_cmpuint(live(&host, 180), ==, 3);
    /* … also after an attempt that failed in what is the future now. */
    fsn_schedule_record_begin(&host.record, host.now_us);
    fsn_schedule_record_end(&host.record, host.now_us, NULL, "it failed");
    host.now_us -= 2 * 86400 * SEC;
    g_assert_cmpuint(live(&host, 180), ==, 3);
    fsn_schedule_record_clear(&host.record);
    fsn_schedule_clear(&host.schedule);
}

static void
test_bandwidth(void)
{
    g_assert_cmpuint(fsn_schedule_bandwidth(0, 0, 3), ==, 0);
    g_assert_cmpuint(fsn_schedule_bandwidth(7, 0, 3), ==, 7);
    g_assert_cmpuint(fsn_schedule_bandwidth(0, 90, 3), ==, 30);
    g_assert_cmpuint(fsn_schedule_bandwidth(7, 90, 3), ==, 7);
    g_assert_cmpuint(fsn_schedule_bandwidth(50, 90, 3), ==, 30);
    g_assert_cmpuint(fsn_schedule_bandwidth(0, 2, 3), ==, 1); /* 0 would be no limit */
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
    g_test_add_func("/schedule/record/clock-jumps", test_clock_jumps);
    g_test_add_func("/schedule/bandwidth", test_bandwidth);
    return g_test_run();
}
