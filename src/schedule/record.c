/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of scheduled snapshots, as JSON. If it is lost nothing is: the schedule is as a
 * new one then, and its next time is the next.
 */
#include "config.h"

#include "schedule/record.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FOLDER    "schedule"
#define MAX_SIZE  (64u << 10)
#define MAX_TIME  (G_MAXINT64 / 4)
#define MAX_ERROR 1000

struct FsnScheduleLock {
    int fd;
};

void
fsn_schedule_record_clear(FsnScheduleRecord *record)
{
    g_clear_pointer(&record->when, g_free);
    g_clear_pointer(&record->error, g_free);
    g_clear_pointer(&record->snapshot, g_free);
    *record = (FsnScheduleRecord){ 0 };
}

static FsnScheduleRecord
empty(void)
{
    return (FsnScheduleRecord){ .when = g_strdup("") };
}

static char *
path_of(const char *state_dir, const char *uuid)
{
    g_autofree char *name = g_strconcat(uuid, ".json", NULL);

    return g_build_filename(state_dir, FOLDER, name, NULL);
}

static bool
parse(GBytes *bytes, FsnScheduleRecord *record, GError **error)
{
    const struct {
        const char *name;
        int64_t *value;
    } times[] = {
        { "handled_us", &record->handled_us },
        { "begun_us", &record->begun_us },
        { "ended_us", &record->ended_us },
        { "took_us", &record->took_us },
    };

    g_autoptr(JsonObject) object = NULL;
    int64_t number;
    const char *when;
    size_t len;
    const char *text = g_bytes_get_data(bytes, &len);

    if (!fsn_json_parse_object(text, len, MAX_SIZE, "record", &object, error) ||
        !fsn_json_get_int(object, "version", 1, 1, &number, error) ||
        !fsn_json_get_string(object, "when", &when, error) ||
        !fsn_json_get_int(object, "failures", 0, G_MAXUINT, &number, error)) {
        return false;
    }
    record->failures = (unsigned)number;
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        if (!fsn_json_get_int(object, times[i].name, 0, MAX_TIME, times[i].value,
                              error)) {
            return false;
        }
    }
    g_free(record->when);
    record->when = g_strdup(when);
    record->error = g_strdup(fsn_json_peek_string(object, "error", NULL));
    record->snapshot = g_strdup(fsn_json_peek_string(object, "snapshot", NULL));
    return true;
}

bool
fsn_schedule_record_load(const char *state_dir,
                         const char *uuid,
                         FsnScheduleRecord *out_record,
                         GError **error)
{
    g_autofree char *path = path_of(state_dir, uuid);
    g_auto(FsnScheduleRecord) record = empty();
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) local = NULL;

    *out_record = empty();
    if (!fsn_file_read(path, MAX_SIZE, &bytes, &local)) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!parse(bytes, &record, error)) {
        g_prefix_error(error, "'%s': ", path);
        return false;
    }
    fsn_schedule_record_clear(out_record);
    *out_record = record;
    record = (FsnScheduleRecord){ 0 };
    return true;
}

bool
fsn_schedule_record_save(const char *state_dir,
                         const char *uuid,
                         const FsnScheduleRecord *record,
                         GError **error)
{
    g_autofree char *folder = g_build_filename(state_dir, FOLDER, NULL);
    g_autofree char *path = path_of(state_dir, uuid);
    g_autoptr(JsonObject) object = json_object_new();
    g_autofree char *text = NULL;

    json_object_set_int_member(object, "version", 1);
    json_object_set_string_member(object, "when", record->when);
    json_object_set_int_member(object, "handled_us", record->handled_us);
    json_object_set_int_member(object, "begun_us", record->begun_us);
    json_object_set_int_member(object, "ended_us", record->ended_us);
    json_object_set_int_member(object, "took_us", record->took_us);
    json_object_set_int_member(object, "failures", record->failures);
    if (record->error) {
        json_object_set_string_member(object, "error", record->error);
    }
    if (record->snapshot) {
        json_object_set_string_member(object, "snapshot", record->snapshot);
    }
    text = fsn_json_to_text(object, true);
    if (!fsn_mkdirs(folder, 0700, error) ||
        !fsn_file_replace(path, text, strlen(text), 0600, error)) {
        g_prefix_error(error, "cannot note what was done: ");
        return false;
    }
    return true;
}

bool
fsn_schedule_record_adopt(FsnScheduleRecord *record,
                          const FsnSchedule *schedule,
                          int64_t now_us)
{
    g_autofree char *when = g_strjoinv("; ", schedule->texts);
    bool ahead = record->begun_us > now_us + FSN_PLAN_STEP_US;

    /* The clock was put back by much: what failed then is not waited for until then. */
    if (ahead) {
        record->begun_us = record->ended_us = 0;
        record->failures = 0;
        g_clear_pointer(&record->error, g_free);
    }
    if (record->handled_us > 0 && record->handled_us <= now_us + FSN_PLAN_STEP_US &&
        strcmp(record->when, when) == 0) {
        return ahead;
    }
    record->handled_us = now_us;
    g_free(record->when);
    record->when = g_steal_pointer(&when);
    return true;
}

void
fsn_schedule_record_begin(FsnScheduleRecord *record, int64_t now_us)
{
    record->begun_us = now_us;
    record->ended_us = 0;
    record->failures += record->failures < G_MAXUINT;
    g_free(record->error);
    record->error = g_strdup("it did not come to its end");
}

void
fsn_schedule_record_end(FsnScheduleRecord *record,
                        int64_t now_us,
                        const char *snapshot,
                        const char *error)
{
    record->ended_us = now_us;
    g_clear_pointer(&record->error, g_free);
    if (!snapshot) {
        g_autofree char *shown =
            g_utf8_make_valid(error, (gssize)strnlen(error, MAX_ERROR));

        record->error = g_steal_pointer(&shown);
        return;
    }
    g_free(record->snapshot);
    record->snapshot = g_strdup(snapshot);
    record->failures = 0;
    record->handled_us = record->begun_us;
    record->took_us = MAX(now_us - record->begun_us, 0);
}

void
fsn_schedule_record_undo(FsnScheduleRecord *record, const FsnScheduleRecord *before)
{
    record->begun_us = before->begun_us;
    record->ended_us = before->ended_us;
    record->failures = before->failures;
    g_free(record->error);
    record->error = g_strdup(before->error);
}

void
fsn_schedule_record_fill(const FsnScheduleRecord *record, FsnPlanInput *input)
{
    input->handled_us = record->handled_us;
    input->took_us = record->took_us;
    input->failures = record->failures;
    input->tried_us = record->begun_us;
}

FsnScheduleLock *
fsn_schedule_lock(const char *state_dir, GError **error)
{
    g_autofree char *folder = g_build_filename(state_dir, FOLDER, NULL);
    g_autofree char *path = g_build_filename(folder, "lock", NULL);
    FsnScheduleLock *lock;
    int fd;

    if (!fsn_mkdirs(folder, 0700, error)) {
        return NULL;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        fsn_set_errno(error, errno, "cannot open '%s'", path);
        return NULL;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                        "somebody else carries out the schedules at this moment");
        } else {
            fsn_set_errno(error, errno, "cannot lock '%s'", path);
        }
        close(fd);
        return NULL;
    }
    lock = g_new(FsnScheduleLock, 1);
    lock->fd = fd;
    return lock;
}

void
fsn_schedule_unlock(FsnScheduleLock *lock)
{
    if (lock) {
        close(lock->fd);
        g_free(lock);
    }
}
