/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of one snapshot: what is to be done in which order. */
#include "config.h"

#include "cycle/snapshot.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "cycle/snapshot-policy.h"
#include "cycle/snapshot-private.h"

#include <string.h>
#include <unistd.h>

void
fsn_snapshot_run_free(FsnSnapshotRun *run)
{
    if (!run) {
        return;
    }
    (void)!fsn_snapshot_undo(run, NULL); /* who could tell has done so before */
    fsn_capture_free(run->capture);
    for (int i = 0; i < 2; i++) {
        if (run->stream[i] >= 0) {
            close(run->stream[i]);
        }
    }
    fsn_outgoing_free(run->outgoing);
    fsn_instant_free(run->instant);
    fsn_qmp_free(run->qmp);
    if (run->stuck || (run->durable && !run->finished)) {
        /* Not at an end that we can reach: recovery goes on from here. */
        fsn_guard_abandon(g_steal_pointer(&run->guard));
    }
    fsn_guard_done(run->guard);
    fsn_journal_free(run->journal);
    fsn_lock_release(run->nbd_lock);
    fsn_lock_release(run->lock);
    fsn_manifest_memory_clear(&run->parent_memory);
    g_clear_pointer(&run->parent, json_object_unref);
    g_clear_pointer(&run->manifests, g_ptr_array_unref);
    g_clear_pointer(&run->disks, g_ptr_array_unref);
    fsn_firmware_record_clear(&run->firmware);
    g_free(run->nvram_node);
    fsn_domain_facts_free(run->facts);
    fsn_virt_domain_free(run->domain);
    g_free(run->socket);
    g_free(run->xml_live);
    g_free(run->xml_inactive);
    g_free(run->cpu);
    g_free(run->versions);
    g_free(run->object_live);
    g_free(run->object_inactive);
    g_free(run->object_cpu);
    g_clear_pointer(&run->cargo, g_hash_table_unref);
    g_clear_pointer(&run->config, json_object_unref);
    g_clear_pointer(&run->logs, json_array_unref);
    g_free(run->parent_id);
    fsn_snapshot_databases_free(run->databases);
    fsn_snapshot_policy_free(run->policy);
    g_free(run->warning);
    g_free(run);
}

FsnSnapshotRun *
fsn_snapshot_run_new(FsnCycle *cycle, const FsnSnapshotOptions *options, GError **error)
{
    g_autoptr(FsnSnapshotRun) run = g_new0(FsnSnapshotRun, 1);
    FsnId id = fsn_id_new();
    g_autofree char *text = fsn_id_to_string(&id);
    g_autofree char *repo_id = NULL;

    run->cycle = cycle;
    run->options = *options;
    run->started_us = fsn_monotonic_us();
    run->consistency = "crash";
    run->stream[0] = run->stream[1] = -1;
    run->nvram_number = -1;
    run->disks = g_ptr_array_new_with_free_func(fsn_snapshot_disk_free);
    g_strlcpy(run->id, text, sizeof(run->id));
    run->virt = fsn_cycle_virt(cycle, error);
    run->repo = run->virt ? fsn_cycle_storing_repo(cycle, error) : NULL;
    if (!run->repo) {
        return NULL;
    }
    repo_id = fsn_repo_id(run->repo);
    g_strlcpy(run->repo_id, repo_id, sizeof(run->repo_id));
    return g_steal_pointer(&run);
}

/* The failure that began it comes first. */
static void
add_to_error(GError **error, const char *text)
{
    if (error && *error) {
        g_autofree char *first = (*error)->message;

        (*error)->message = g_strdup_printf("%s; %s", first, text);
    }
}

static void
give_up(FsnSnapshotRun *run, GError **error)
{
    g_autoptr(GError) left = NULL;

    if (!fsn_snapshot_undo(run, &left)) {
        add_to_error(error, left->message);
    }
    if ((run->frozen || (run->journal && run->journal->databases)) && run->warning) {
        add_to_error(error, run->warning); /* why it is still frozen, or at rest */
    }
}

bool
fsn_cycle_snapshot(FsnCycle *cycle,
                   const char *domain,
                   const FsnSnapshotOptions *options,
                   FsnSnapshotResult *out_result,
                   GError **error)
{
    g_autoptr(FsnSnapshotRun) run = fsn_snapshot_run_new(cycle, options, error);

    if (!run) {
        return false;
    }
    if (fsn_snapshot_preflight(run, domain, false, error) &&
        (run->qmp ? fsn_snapshot_take(run, error)
                  : fsn_snapshot_open_offline(run, error)) &&
        fsn_snapshot_read(run, error) && fsn_snapshot_commit(run, out_result, error)) {
        return true;
    }
    give_up(run, error);
    return false;
}

bool
fsn_cycle_snapshot_plan(FsnCycle *cycle,
                        const char *domain,
                        const FsnSnapshotOptions *options,
                        FsnSnapshotResult *out_result,
                        GError **error)
{
    g_autoptr(FsnSnapshotRun) run = fsn_snapshot_run_new(cycle, options, error);

    if (!run || !fsn_snapshot_preflight(run, domain, true, error)) {
        return false;
    }
    out_result->domain = g_strdup(run->facts->name);
    out_result->consistency = g_strdup(fsn_snapshot_consistency(run, NULL));
    out_result->memory = g_strdup(fsn_ram_mode_name(run->ram_mode));
    g_strlcpy(out_result->parent, run->parent_id ? run->parent_id : "",
              sizeof(out_result->parent));
    out_result->warning = g_steal_pointer(&run->warning);
    out_result->granularity = fsn_snapshot_policy_json(run);
    out_result->databases = fsn_snapshot_databases_json(run);
    out_result->disks = fsn_snapshot_disks_json(run);
    out_result->resources = fsn_snapshot_resources_json(run);
    return true;
}

void
fsn_snapshot_warn(FsnSnapshotRun *run, const char *warning)
{
    char *both = run->warning ? g_strdup_printf("%s; %s", run->warning, warning)
                              : g_strdup(warning);

    g_free(run->warning);
    run->warning = both;
}

void
fsn_snapshot_result_clear(FsnSnapshotResult *r)
{
    g_clear_pointer(&r->domain, g_free);
    g_clear_pointer(&r->consistency, g_free);
    g_clear_pointer(&r->memory, g_free);
    g_clear_pointer(&r->warning, g_free);
    g_clear_pointer(&r->databases, json_array_unref);
    g_clear_pointer(&r->disks, json_array_unref);
    g_clear_pointer(&r->resources, json_array_unref);
    g_clear_pointer(&r->granularity, json_object_unref);
}

JsonObject *
fsn_snapshot_result_to_json(const FsnSnapshotResult *r)
{
    JsonObject *o = json_object_new();

    fsn_json_set_string(o, "snapshot", *r->snapshot ? r->snapshot : NULL);
    json_object_set_string_member(o, "domain", r->domain);
    json_object_set_string_member(o, "kind", "snapshot");
    fsn_json_set_string(o, "parent", *r->parent ? r->parent : NULL);
    json_object_set_string_member(o, "consistency", r->consistency);
    json_object_set_string_member(o, "memory", r->memory);
    json_object_set_int_member(o, "pause_us", r->pause_us);
    json_object_set_int_member(o, "total_us", r->total_us);
    json_object_set_int_member(o, "bytes_read", (int64_t)r->bytes_read);
    json_object_set_int_member(o, "bytes_changed", (int64_t)r->bytes_changed);
    json_object_set_int_member(o, "bytes_stored", (int64_t)r->bytes_stored);
    json_object_set_array_member(o, "disks", json_array_ref(r->disks));
    json_object_set_array_member(o, "resources", json_array_ref(r->resources));
    if (r->databases) {
        json_object_set_array_member(o, "databases", json_array_ref(r->databases));
    }
    if (r->granularity) {
        json_object_set_string_member(
            o, "profile", json_object_get_string_member(r->granularity, "profile"));
        json_object_set_object_member(o, "granularity", json_object_ref(r->granularity));
    }
    return o;
}
