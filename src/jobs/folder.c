/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of jobs. What is in it is read by whoever asks, at any moment: a file of a job is
 * always whole, for it is replaced in one step. Whatever else lies there under such a name (a
 * pipe, a folder, somebody's link) is refused before it is opened.
 */
#include "config.h"

#include "jobs/record.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/id.h"
#include "jobs/progress.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER "jobs"
#define SUFFIX ".json"

char *
fsn_jobs_folder(const char *state_dir)
{
    return g_build_filename(state_dir, FOLDER, NULL);
}

char *
fsn_job_file(const char *state_dir, const char *id, const char *suffix)
{
    g_autofree char *name = g_strconcat(id, ".", suffix, NULL);

    return g_build_filename(state_dir, FOLDER, name, NULL);
}

bool
fsn_job_record_write(const FsnJobRecord *record, const char *state_dir, GError **error)
{
    g_autofree char *path = fsn_job_file(state_dir, record->job->id, "json");
    g_autofree char *text = fsn_job_record_to_text(record);

    return fsn_file_replace(path, text, strlen(text), 0600, error);
}

static bool
check_plain(const char *path, GError **error)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return fsn_set_errno(error, errno, "cannot look at '%s'", path);
    }
    if (!S_ISREG(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' is no plain file", path);
        return false;
    }
    return true;
}

static bool
parse_file(const char *path, const char *id, FsnJobRecord **out_record, GError **error)
{
    g_autoptr(FsnJobRecord) record = NULL;
    g_autoptr(GBytes) bytes = NULL;
    const char *text;
    size_t len;

    if (!check_plain(path, error) ||
        !fsn_file_read(path, FSN_JOB_MAX_RECORD, &bytes, error)) {
        return false;
    }
    text = g_bytes_get_data(bytes, &len);
    if (!fsn_job_record_parse(text, len, &record, error)) {
        g_prefix_error(error, "'%s' is no job: ", path);
        return false;
    }
    if (strcmp(record->job->id, id) != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' holds another job than its name says", path);
        return false;
    }
    *out_record = g_steal_pointer(&record);
    return true;
}

static void
read_progress(const char *state_dir, FsnJob *job)
{
    g_autofree char *path = fsn_job_file(state_dir, job->id, "progress");
    g_autoptr(GBytes) bytes = NULL;
    FsnJobProgress progress;

    if (!check_plain(path, NULL) || !fsn_file_read(path, FSN_JOB_LINE, &bytes, NULL)) {
        return;
    }
    /* Nobody is hurt by one that cannot be read. */
    if (fsn_job_progress_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                               &progress)) {
        job->phase = g_strdup(progress.phase);
        job->counts_bytes = progress.bytes;
        job->done = progress.done;
        job->total = progress.total;
    }
}

/* Numbers of processes say nothing about another boot. */
static void
judge(FsnJobRecord *record)
{
    g_autofree char *boot_id = fsn_boot_id();
    bool this_boot = g_strcmp0(boot_id, record->boot_id) == 0;

    record->job->state =
        fsn_job_judge(record->job->state, this_boot && fsn_process_lives(&record->keeper),
                      this_boot && fsn_process_lives(&record->process));
}

bool
fsn_job_record_read(const char *state_dir,
                    const char *id,
                    FsnJobRecord **out_record,
                    GError **error)
{
    g_autofree char *path = fsn_job_file(state_dir, id, "json");
    g_autoptr(FsnJobRecord) record = NULL;

    if (!parse_file(path, id, &record, error)) {
        return false;
    }
    judge(record);
    if (record->job->state == FSN_JOB_LOST) {
        /* It may have ended between the two looks. */
        g_clear_pointer(&record, fsn_job_record_free);
        if (!parse_file(path, id, &record, error)) {
            return false;
        }
        judge(record);
    }
    read_progress(state_dir, record->job);
    *out_record = g_steal_pointer(&record);
    return true;
}

/* Ids of the files of jobs; a missing folder is an empty one. Others with their suffix get a
 * line in @refused (may be NULL). */
static bool
list_ids(const char *state_dir, GPtrArray *ids, GPtrArray *refused, GError **error)
{
    g_autofree char *folder = fsn_jobs_folder(state_dir);
    g_autoptr(GError) local = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &local);
    const char *name;

    if (!dir) {
        if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
            return true;
        }
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "cannot list the jobs: %s",
                    local->message);
        return false;
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *id = NULL;
        FsnId parsed;

        if (!g_str_has_suffix(name, SUFFIX)) {
            continue;
        }
        id = g_strndup(name, strlen(name) - strlen(SUFFIX));
        if (fsn_id_parse(id, &parsed)) {
            g_ptr_array_add(ids, g_steal_pointer(&id));
        } else if (refused) {
            g_ptr_array_add(refused, g_strdup_printf("'%s/%s' has not the name of a job",
                                                     folder, name));
        }
    }
    return true;
}

static int
by_age(gconstpointer a, gconstpointer b)
{
    const FsnJob *left = *(const FsnJob *const *)a;
    const FsnJob *right = *(const FsnJob *const *)b;

    if (left->created_us != right->created_us) {
        return left->created_us < right->created_us ? -1 : 1;
    }
    return strcmp(left->id, right->id);
}

bool
fsn_jobs_list(const char *state_dir,
              GPtrArray **out_jobs,
              GPtrArray **out_refused,
              GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) jobs =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_job_free);

    if (!list_ids(state_dir, ids, refused, error)) {
        return false;
    }
    for (guint i = 0; i < ids->len; i++) {
        g_autoptr(FsnJobRecord) record = NULL;
        g_autoptr(GError) local = NULL;

        if (fsn_job_record_read(state_dir, ids->pdata[i], &record, &local)) {
            g_ptr_array_add(jobs, g_steal_pointer(&record->job));
        } else if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_ptr_array_add(refused, g_strdup(local->message));
        } /* else it was removed meanwhile */
    }
    g_ptr_array_sort(jobs, by_age);
    *out_jobs = g_steal_pointer(&jobs);
    if (out_refused) {
        *out_refused = g_steal_pointer(&refused);
    }
    return true;
}

bool
fsn_job_resolve(const char *state_dir, const char *text, char **out_id, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    const char *found = NULL;
    size_t len = strlen(text);

    if (len < FSN_ID_MIN_PREFIX || len > FSN_ID_HEX ||
        strspn(text, "0123456789abcdef") != len) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' names no job: give at least the first %d digits of its id",
                    text, FSN_ID_MIN_PREFIX);
        return false;
    }
    if (!list_ids(state_dir, ids, NULL, error)) {
        return false;
    }
    for (guint i = 0; i < ids->len; i++) {
        if (g_str_has_prefix(ids->pdata[i], text)) {
            if (found) {
                g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                            "several jobs begin with '%s'", text);
                return false;
            }
            found = ids->pdata[i];
        }
    }
    if (!found) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no job '%s'", text);
        return false;
    }
    *out_id = g_strdup(found);
    return true;
}
