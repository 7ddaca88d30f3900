/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot put back, step by step: everything is checked; files are written beside their
 * places; they take their places; the domain is defined; its memory is loaded. What is
 * interrupted before files take their places is undone, by this process or by recovery, and
 * what is interrupted after is completed by recovery.
 */
#include "config.h"

#include "cycle/restore.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cycle/cargo.h"
#include "cycle/fill.h"
#include "cycle/lacks.h"
#include "cycle/recover.h"
#include "cycle/restore-files.h"
#include "cycle/restore-private.h"
#include "cycle/snapshot.h"
#include "virt/pool.h"

#include <string.h>

static void
restore_clear(FsnRestore *r)
{
    fsn_journal_free(r->journal);
    fsn_lock_release(r->lock);
    fsn_restore_plan_clear(&r->plan);
    fsn_domain_facts_free(r->facts);
    fsn_virt_domain_free(r->domain);
    g_clear_pointer(&r->stored, g_ptr_array_unref);
    g_clear_pointer(&r->manifest, json_object_unref);
    g_clear_pointer(&r->written, json_array_unref);
    g_clear_pointer(&r->config, json_array_unref);
    g_clear_pointer(&r->warnings, g_ptr_array_unref);
    g_free(r->name);
    g_free(r->uuid);
    g_free(r->xml);
    g_free(r->xml_live);
    g_free(r->folder);
    g_free(r->genid);
    fsn_firmware_record_clear(&r->firmware);
    g_free(r->nvram_place);
    g_free(r->nvram_format);
    g_free(r->tpm_place);
    g_free(r->kept);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnRestore, restore_clear)

void
fsn_restore_result_clear(FsnRestoreResult *result)
{
    g_clear_pointer(&result->domain, g_free);
    g_clear_pointer(&result->uuid, g_free);
    g_clear_pointer(&result->kept, g_free);
    g_clear_pointer(&result->disks, json_array_unref);
    g_clear_pointer(&result->config, json_array_unref);
    g_clear_pointer(&result->warnings, g_ptr_array_unref);
}

JsonObject *
fsn_restore_result_to_json(const FsnRestoreResult *result)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "snapshot", result->snapshot);
    json_object_set_string_member(o, "domain", result->domain);
    json_object_set_string_member(o, "uuid", result->uuid);
    fsn_json_set_string(o, "kept", result->kept);
    json_object_set_array_member(o, "disks", json_array_ref(result->disks));
    if (result->config) {
        json_object_set_array_member(o, "config", json_array_ref(result->config));
    }
    json_object_set_boolean_member(o, "memory", result->memory);
    json_object_set_boolean_member(o, "lazy", result->lazy);
    json_object_set_boolean_member(o, "started", result->started);
    json_object_set_int_member(o, "running_us", result->running_us);
    json_object_set_int_member(o, "total_us", result->total_us);
    return o;
}

/* The domain has just been defined again, and none of its disks is there. */
static bool
is_bare(const FsnRestore *r)
{
    for (guint i = 0; i < r->plan.disks->len; i++) {
        const FsnRestoreDisk *disk = g_ptr_array_index(r->plan.disks, i);

        if (g_file_test(disk->place, G_FILE_TEST_EXISTS)) {
            return false;
        }
    }
    return r->defined;
}

/* The state from before, if there is one and it is wanted. */
static bool
keep(FsnRestore *r, GError **error)
{
    FsnSnapshotOptions options = FSN_SNAPSHOT_OPTIONS_INIT;
    g_auto(FsnSnapshotResult) result = { 0 };
    g_autofree char *name = g_strdup_printf("before the restore of %.8s", r->id);

    if (r->options.as || r->options.no_keep || r->config_only || is_bare(r)) {
        return true;
    }
    options.whole = true; /* what is overwritten is kept whatever the policy says */
    options.name = name;
    options.targets = r->options.targets;
    if (!fsn_cycle_snapshot(r->cycle, r->uuid, &options, &result, error)) {
        g_prefix_error(error,
                       "the present state could not be kept (--no-keep goes without): ");
        return false;
    }
    r->kept = g_strdup(result.snapshot);
    return true;
}

static bool
begin(FsnRestore *r, GError **error)
{
    r->lock = fsn_lock_take(fsn_cycle_state_dir(r->cycle),
                            fsn_cycle_repo_location(r->cycle), r->uuid, 0, error);
    /* It may have been started while its state was kept. */
    if (!r->lock || !fsn_restore_check_off(r, error)) {
        return false;
    }
    r->journal =
        fsn_journal_new(FSN_OP_RESTORE, r->name, r->uuid, fsn_cycle_uri(r->cycle),
                        fsn_cycle_repo_location(r->cycle), r->id);
    if (r->options.as) {
        fsn_restore_warn_dropped(r);
    }
    r->journal->files = fsn_restore_files_of(&r->plan, r->options.as != NULL);
    return fsn_restore_firmware_files(r, r->journal->files, error) &&
           fsn_restore_build_xml(r, r->xml, &r->journal->xml, error) &&
           fsn_cycle_step(r->cycle, r->journal, FSN_STEP_BEGUN, error);
}

static bool
define(FsnRestore *r, GError **error)
{
    g_autoptr(FsnVirtDomain) defined = NULL;
    g_autoptr(GError) not_refreshed = NULL;

    if (!fsn_virt_define(r->virt, r->journal->xml, &defined, error)) {
        return false;
    }
    if (!r->domain) {
        r->domain = g_steal_pointer(&defined);
    }
    if (r->options.pool &&
        !fsn_virt_pool_refresh(r->virt, r->options.pool, &not_refreshed)) {
        g_ptr_array_add(r->warnings, g_strdup(not_refreshed->message));
    }
    return true;
}

static bool
put_disks(FsnRestore *r, GError **error)
{
    if (!fsn_cycle_step(r->cycle, r->journal, FSN_STEP_WRITING, error) ||
        !fsn_restore_files_write(r->cycle, r->id, &r->plan, r->written, r->cancellable,
                                 error) ||
        !fsn_restore_firmware_write(r, error) || !fsn_restore_check_off(r, error)) {
        return false;
    }
    if (r->options.lazy && !fsn_fill_protect(r->repo, r->journal, error)) {
        return false;
    }
    r->replacing = true;
    return fsn_cycle_step(r->cycle, r->journal, FSN_STEP_REPLACING, error) &&
           fsn_restore_files_replace(r->cycle, r->id, r->journal->files, r->written,
                                     error) &&
           fsn_cycle_step(r->cycle, r->journal, FSN_STEP_DEFINING, error) &&
           define(r, error) &&
           (!r->options.lazy ||
            (fsn_cycle_step(r->cycle, r->journal, FSN_STEP_FILLING, error) &&
             fsn_fill_start(r->cycle, r->journal, error)));
}

static bool
boot(FsnRestore *r, GError **error)
{
    if (!fsn_virt_domain_start(r->domain, false, error)) {
        g_prefix_error(error, "it is restored, but ");
        return false;
    }
    r->started = true;
    r->running_us = fsn_monotonic_us() - r->started_us;
    return true;
}

static bool
finish(FsnRestore *r, GError **error)
{
    if (r->memory) {
        return fsn_restore_memory(r, error);
    }
    if (!fsn_journal_remove(r->journal, fsn_cycle_state_dir(r->cycle), error)) {
        return false;
    }
    if (r->options.defined) {
        r->options.defined(r->domain, r->manifest_uuid, r->options.user);
    }
    return !r->options.start || boot(r, error);
}

/* Nothing has taken its place yet. */
static void
undo(FsnRestore *r)
{
    g_autoptr(GError) error = NULL;

    if (!fsn_fill_forget(r->repo, r->journal, &error) ||
        !fsn_restore_files_remove(r->journal->files, &error) ||
        !fsn_journal_remove(r->journal, fsn_cycle_state_dir(r->cycle), &error)) {
        g_warning("domain '%s': %s; 'foresnap recover' tries again", r->name,
                  error->message);
    }
}

static bool
put_back(FsnRestore *r, GError **error)
{
    if (r->config_only && !r->nvram_place && !r->tpm_place) {
        return !r->options.start || boot(r, error); /* there is nothing to put back */
    }
    if (!begin(r, error) || !put_disks(r, error)) {
        if (r->replacing) {
            g_prefix_error(error, "its disks may be in part those of the snapshot, and "
                                  "'foresnap recover' completes that: ");
        } else if (r->journal) {
            undo(r);
        }
        return false;
    }
    return finish(r, error);
}

/* What was left out of the snapshot is not as it was. */
static void
warn_left_out(FsnRestore *r)
{
    g_autoptr(GPtrArray) lacks = fsn_manifest_left_out(r->manifest, r->options.targets);

    for (guint i = 0; i < lacks->len; i++) {
        g_ptr_array_add(r->warnings, g_strdup(lacks->pdata[i]));
    }
}

static void
fill_result(FsnRestore *r, FsnRestoreResult *out)
{
    memset(out, 0, sizeof *out);
    g_strlcpy(out->snapshot, r->id, sizeof out->snapshot);
    out->domain = g_strdup(r->name);
    out->uuid = g_strdup(r->uuid);
    out->kept = g_steal_pointer(&r->kept);
    out->disks = g_steal_pointer(&r->written);
    out->config = g_steal_pointer(&r->config);
    warn_left_out(r);
    out->warnings = g_steal_pointer(&r->warnings);
    out->memory = r->memory;
    out->lazy = r->options.lazy;
    out->started = r->started;
    out->running_us = r->running_us;
    out->total_us = fsn_monotonic_us() - r->started_us;
}

bool
fsn_cycle_restore(FsnCycle *cycle,
                  const char *snapshot,
                  const FsnRestoreOptions *options,
                  GCancellable *cancellable,
                  FsnRestoreResult *out_result,
                  GError **error)
{
    g_auto(FsnRestore) r = { .cycle = cycle,
                             .options = *options,
                             .cancellable = cancellable,
                             .started_us = fsn_monotonic_us(),
                             .genid = g_uuid_string_random(),
                             .written = json_array_new(),
                             .warnings = g_ptr_array_new_with_free_func(g_free) };

    r.virt = fsn_cycle_virt(cycle, error);
    r.repo = r.virt ? fsn_cycle_repo(cycle, error) : NULL;
    if (!r.repo || (options->with_config && !fsn_restore_config(&r, snapshot, error)) ||
        !fsn_restore_check(&r, snapshot, error) || !keep(&r, error) ||
        !put_back(&r, error)) {
        return false;
    }
    fsn_cargo_take(r.cycle, r.repo, r.manifest, r.uuid, r.name, r.warnings);
    fill_result(&r, out_result);
    return true;
}
