/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread beside the loop: makes saves durable, serves what is saved, and keeps libvirt's
 * links in their places. Once a second it compares what is with what shall be, so nothing
 * depends on an event that somebody may have missed.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/journal.h"
#include "cycle/saved-place.h"
#include "savefs/savefs.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUND_US        ((guint64)G_USEC_PER_SEC)
/* libvirt writes the last header at once; a save that nobody finishes is given up. */
#define IDLE_LIMIT_US   (10 * (int64_t)G_USEC_PER_SEC)
/* A start that has worked takes libvirt's link away at once. */
#define SETTLE_AFTER_US ((int64_t)G_USEC_PER_SEC / 2)
#define SETTLE_AGAIN_US (60 * (int64_t)G_USEC_PER_SEC)

typedef struct {
    bool stop;
    FsnSavefsEntry *entry; /* NULL: only a round */
    GBytes *header;
    FsnSavefsReply reply;
    gpointer request;
} Job;

static void
job_free(Job *job)
{
    g_clear_pointer(&job->header, g_bytes_unref);
    g_free(job);
}

void
fsn_savefs_upkeep_add(FsnSavefs *fs,
                      FsnSavefsEntry *entry,
                      GBytes *header,
                      FsnSavefsReply reply,
                      gpointer request)
{
    Job *job = g_new0(Job, 1);

    job->entry = entry;
    job->header = header;
    job->reply = reply;
    job->request = request;
    g_async_queue_push(fs->jobs, job);
}

void
fsn_savefs_upkeep_wake(FsnSavefs *fs)
{
    g_async_queue_push(fs->jobs, g_new0(Job, 1));
}

/* The image as it is served, over its guard. Goes through the file system itself. */
static void
bind_image(FsnSavefs *fs, const char *name)
{
    g_autofree char *guard = fsn_saved_guard_path(fs->config->state_dir, name);
    g_autofree char *file = g_strconcat(name, ".save", NULL);
    g_autofree char *entry = g_build_filename(fs->config->run_dir, file, NULL);
    struct stat over;
    struct stat own;

    if (stat(fs->config->run_dir, &own) != 0 ||
        (stat(guard, &over) == 0 && over.st_dev == own.st_dev)) {
        return;
    }
    if (mount(entry, guard, NULL, MS_BIND, NULL) != 0) {
        g_message("domain '%s': cannot mount over '%s': %s", name, guard,
                  g_strerror(errno));
        return;
    }
    /* From now on the kernel answers this by itself, also when we are gone: libvirt asks
     * whether there is a file, and must not believe that there is none. */
    (void)!access(guard, F_OK);
}

/* Opened without the lock, for that may take a while. */
static void
open_image(FsnSavefs *fs, const FsnSavedRecord *record)
{
    g_autoptr(GError) error = NULL;
    FsnManagedImage *image = fsn_managed_image_new(fs->cycle, record->snapshot, &error);

    if (!image) {
        g_message("domain '%s': cannot serve its state: %s", record->name,
                  error->message);
        return;
    }
    g_mutex_lock(&fs->lock);
    fsn_savefs_entry(fs, record->name, true)->image = image;
    g_mutex_unlock(&fs->lock);
}

/* Used up or deleted without us: libvirt may boot the domain again. */
static void
forget_void(FsnSavefs *fs, const FsnSavedRecord *record)
{
    g_autoptr(GError) error = NULL;

    if (!fsn_journal_exists(fs->config->state_dir, record->uuid) &&
        fsn_managed_image_is_void(fs->cycle, record->snapshot) &&
        !fsn_saved_remove(fs->config->state_dir, fs->config->save_folder, record->name,
                          &error)) {
        g_message("domain '%s': %s", record->name, error->message);
    }
}

/* What became of an image that was read. */
static void
look_after(FsnSavefs *fs, FsnSavefsEntry *entry, const FsnSavedRecord *record)
{
    g_autoptr(GError) error = NULL;
    int64_t now_us = fsn_monotonic_us();
    bool used = false;

    if (!fsn_managed_image_conclude(entry->image, fs->config->save_folder, &used,
                                    &error)) {
        g_message("domain '%s': %s", entry->name, error->message);
        return;
    }
    if (used || !fsn_journal_exists(fs->config->state_dir, record->uuid)) {
        g_mutex_lock(&fs->lock);
        entry->unsettled = false;
        g_mutex_unlock(&fs->lock);
        return;
    }
    if (now_us - entry->closed_us > SETTLE_AFTER_US &&
        (entry->settled_us == 0 || now_us - entry->settled_us > SETTLE_AGAIN_US)) {
        entry->settled_us = now_us;
        fsn_savefs_settle_spawn(fs->config, record->uuid, -1);
    }
}

static void
serve_record(FsnSavefs *fs, const FsnSavedRecord *record)
{
    FsnSavefsEntry *entry;
    bool served;
    bool other;
    bool closed;

    g_mutex_lock(&fs->lock);
    entry = fsn_savefs_entry(fs, record->name, true);
    served = entry->image != NULL;
    closed = served && entry->readers == 0;
    other = served && strcmp(fsn_managed_image_id(entry->image), record->snapshot) != 0;
    g_mutex_unlock(&fs->lock);
    if (other) {
        return; /* it goes first, in its own time */
    }
    if (!served) {
        open_image(fs, record);
    } else if (closed && entry->unsettled) {
        look_after(fs, entry, record);
        return;
    }
    if (fsn_savefs_entry_visible(entry)) {
        bind_image(fs, record->name);
    }
    if (closed || !served) {
        forget_void(fs, record);
    }
}

/* What has no record any more is served no more, once nobody reads it. */
static void
drop_images(FsnSavefs *fs)
{
    g_mutex_lock(&fs->lock);
    for (guint i = 0; i < fs->entries->len; i++) {
        FsnSavefsEntry *entry = fs->entries->pdata[i];
        g_autoptr(FsnSavedRecord) record = NULL;

        if (!entry->image || entry->readers > 0) {
            continue;
        }
        record = fsn_saved_read(fs->config->state_dir, entry->name);
        if (!record ||
            strcmp(record->snapshot, fsn_managed_image_id(entry->image)) != 0) {
            g_clear_pointer(&entry->image, fsn_managed_image_free);
            entry->unsettled = false;
            entry->settled_us = 0;
        }
    }
    g_mutex_unlock(&fs->lock);
}

static void
drop_idle_saves(FsnSavefs *fs)
{
    int64_t now_us = fsn_monotonic_us();

    g_mutex_lock(&fs->lock);
    for (guint i = 0; i < fs->entries->len; i++) {
        FsnSavefsEntry *entry = fs->entries->pdata[i];

        if (entry->save && entry->writers == 0 && !entry->busy &&
            now_us - entry->idle_us > IDLE_LIMIT_US) {
            g_message("domain '%s': its save was not finished", entry->name);
            g_clear_pointer(&entry->save, fsn_managed_save_free);
        }
    }
    g_mutex_unlock(&fs->lock);
}

/* libvirt takes its link away after each restore and failed save. Where something is saved a
 * missing link is the user's will (managedsave-remove, start --force-boot). */
static void
place_links(FsnSavefs *fs)
{
    const char *state_dir = fs->config->state_dir;
    const char *folder = fs->config->save_folder;
    g_autoptr(GPtrArray) through = fsn_saved_list_through(state_dir);

    for (guint i = 0; i < through->len; i++) {
        const char *name = ((FsnSavedRecord *)through->pdata[i])->name;
        g_autoptr(FsnSavedRecord) record = fsn_saved_read(state_dir, name);
        g_autoptr(GError) error = NULL;

        if (!record && fsn_saved_look(state_dir, folder, name) == FSN_LINK_NONE &&
            !fsn_saved_link(state_dir, folder, name, FSN_LINK_ENTRY, false, &error)) {
            g_message("domain '%s': %s", name, error->message);
        }
    }
}

/* Of a state elsewhere nothing is known here, so its guard stays. */
static bool
is_of_our_repo(FsnSavefs *fs, const FsnSavedRecord *record)
{
    return !record->repo || strcmp(record->repo, fsn_cycle_repo_location(fs->cycle)) == 0;
}

static void
round_once(FsnSavefs *fs)
{
    g_autoptr(GPtrArray) records = fsn_saved_list(fs->config->state_dir);

    drop_images(fs);
    drop_idle_saves(fs);
    for (guint i = 0; i < records->len; i++) {
        if (is_of_our_repo(fs, records->pdata[i])) {
            serve_record(fs, records->pdata[i]);
        }
    }
    drop_images(fs);
    place_links(fs);
}

/* Takes the save out of the entry: it is a state now. */
static void
hand_over(FsnSavefs *fs, FsnSavefsEntry *entry)
{
    fsn_savefs_settle_spawn(fs->config, fsn_managed_save_uuid(entry->save),
                            fsn_managed_save_lock_fd(entry->save));
    g_mutex_lock(&fs->lock);
    g_clear_pointer(&entry->save, fsn_managed_save_free);
    g_mutex_unlock(&fs->lock);
}

static void
run_job(FsnSavefs *fs, Job *job)
{
    g_autoptr(GError) error = NULL;
    bool ok;

    if (job->header) {
        gsize len;
        const void *data = g_bytes_get_data(job->header, &len);

        ok = fsn_managed_save_finish(job->entry->save, data, len, &error);
        if (ok) {
            hand_over(fs, job->entry);
            round_once(fs);
        }
    } else {
        ok = fsn_managed_save_settle(job->entry->save, &error);
    }
    if (!ok) {
        g_message("%s", error->message);
    }
    g_mutex_lock(&fs->lock);
    job->entry->busy = false;
    g_mutex_unlock(&fs->lock);
    job->reply(job->request, error);
}

static void
tell_ready(FsnSavefs *fs)
{
    if (fs->ready_fd >= 0) {
        (void)!write(fs->ready_fd, "R", 1);
        close(fs->ready_fd);
        fs->ready_fd = -1;
    }
}

/* Operations that an earlier server left: libvirt knows what became of them. */
static void
settle_leftovers(FsnSavefs *fs)
{
    g_autoptr(GPtrArray) uuids = NULL;

    if (!fsn_journal_list(fs->config->state_dir, &uuids, NULL)) {
        return;
    }
    for (guint i = 0; i < uuids->len; i++) {
        g_autoptr(FsnJournal) j = NULL;

        if (fsn_journal_read(fs->config->state_dir, uuids->pdata[i], &j, NULL) &&
            (j->operation == FSN_OP_SAVE || j->operation == FSN_OP_LOAD)) {
            fsn_savefs_settle_spawn(fs->config, j->uuid, -1);
        }
    }
}

static void
begin_work(FsnSavefs *fs)
{
    atomic_store(&fs->beat->working, true);
    atomic_fetch_add(&fs->beat->jobs, 1);
}

static void
end_work(FsnSavefs *fs)
{
    atomic_store(&fs->beat->working, false);
}

static gpointer
work(gpointer user)
{
    FsnSavefs *fs = user;

    settle_leftovers(fs);
    for (;;) {
        Job *job;

        begin_work(fs);
        round_once(fs);
        end_work(fs);
        tell_ready(fs);
        job = g_async_queue_timeout_pop(fs->jobs, ROUND_US);
        if (job && job->stop) {
            job_free(job);
            return NULL;
        }
        if (job && job->entry) {
            begin_work(fs);
            run_job(fs, job);
            end_work(fs);
        }
        g_clear_pointer(&job, job_free);
    }
}

GThread *
fsn_savefs_upkeep_start(FsnSavefs *fs)
{
    return g_thread_new("upkeep", work, fs);
}

void
fsn_savefs_upkeep_stop(FsnSavefs *fs, GThread *thread)
{
    Job *job = g_new0(Job, 1);

    job->stop = true;
    g_async_queue_push(fs->jobs, job);
    g_thread_join(thread);
}
