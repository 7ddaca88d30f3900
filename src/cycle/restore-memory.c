/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a snapshot over its disks. Unlike that of a suspend it is not used up: the
 * disks are put back first, every time. So nothing is claimed, and the mark that says whether
 * the guest has run is on an id of this restore's own.
 */
#include "config.h"

#include "cycle/restore-private.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "cycle/databases.h"
#include "cycle/recover.h"
#include "cycle/resume-private.h"
#include "virt/agent.h"

#include <string.h>

#define THAW_TIMEOUT_S 10
#define MAX_XML        ((size_t)4 << 20)

/* The guest as it ran, by its new name and with its disks where they are now. */
static bool
describe(FsnRestore *r, FsnResumeRun *run, GError **error)
{
    g_autoptr(GBytes) cpu = NULL;

    if (!fsn_restore_build_xml(r, r->xml_live, &run->xml_live, error) ||
        !fsn_domain_facts_parse(run->xml_live, &run->facts, error) ||
        !fsn_manifest_read_memory(r->manifest, &run->memory, error)) {
        return false;
    }
    if (run->memory.cpu_xml) {
        if (!fsn_repo_get_object(r->repo, run->memory.cpu_xml, MAX_XML, &cpu, error)) {
            return false;
        }
        run->cpu_xml = g_strndup(g_bytes_get_data(cpu, NULL), g_bytes_get_size(cpu));
    }
    run->memory.domain = r->name;
    run->memory.uuid = r->uuid;
    return true;
}

/* It has not run, or nobody knows: recovery ends what there is. */
static void
give_up(FsnRestore *r, FsnResumeRun *run)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&run->lock, fsn_lock_release);
    if (!fsn_cycle_recover_domain(r->cycle, r->uuid, 5000, NULL, &error)) {
        g_warning("%s", error->message);
    }
}

static void
take_result(FsnRestore *r, FsnResumeRun *run, const FsnPagerReports *reports)
{
    g_auto(FsnResumeResult) result = { 0 };

    fsn_resume_fill_result(run, reports, &result);
    for (char **warning = result.warnings; *warning; warning++) {
        g_ptr_array_add(r->warnings, g_strdup(*warning));
    }
    r->started = true;
    r->running_us = run->options.paused ? 0 : result.running_us;
}

static bool
was_frozen(FsnRestore *r)
{
    JsonObject *memory;

    return fsn_json_get_object(r->manifest, "memory", &memory, NULL) &&
           fsn_json_peek_bool(memory, "frozen", false);
}

/* A guest whose memory was taken while its file systems were frozen would hang on its first
 * write. Recovery, which ends the load, does it again in case this is too early. */
static void
thaw(FsnRestore *r, FsnResumeRun *run)
{
    g_autoptr(GError) error = NULL;

    if (run->options.paused) {
        g_ptr_array_add(
            r->warnings,
            g_strdup_printf("its file systems were frozen at the instant: when "
                            "it runs, 'virsh domfsthaw %s' thaws them",
                            r->name));
    } else if (!fsn_virt_agent_thaw(run->domain, THAW_TIMEOUT_S, NULL, &error)) {
        g_ptr_array_add(r->warnings,
                        g_strdup_printf("its file systems were frozen at the instant and "
                                        "could not be thawed; if it hangs, run 'virsh "
                                        "domfsthaw %s': %s",
                                        r->name, error->message));
    }
}

/* The databases that were at rest; NULL: none. The caller unrefs. */
static JsonArray *
resting(FsnRestore *r)
{
    JsonObject *memory;
    JsonArray *array;

    return fsn_json_get_object(r->manifest, "memory", &memory, NULL) &&
                   fsn_json_get_array(memory, "resting", &array, NULL)
               ? json_array_ref(array)
               : NULL;
}

static void
tell_database(gpointer user, const char *name, const char *why)
{
    FsnRestore *r = user;

    g_ptr_array_add(r->warnings,
                    g_strdup_printf("database '%s' was at rest at the instant and could "
                                    "not be released: %s",
                                    name, why));
}

/* As with file systems: recovery does it again. */
static void
release(FsnRestore *r, FsnResumeRun *run)
{
    if (run->options.paused && run->journal->databases) {
        g_ptr_array_add(
            r->warnings,
            g_strdup("databases of the guest were at rest at the instant: when "
                     "it runs, release them there"));
        return;
    }
    fsn_databases_release(run->journal, run->domain, tell_database, r);
}

bool
fsn_restore_memory(FsnRestore *r, GError **error)
{
    const char *state = fsn_json_peek_string(r->manifest, "run_state", "running");
    FsnId id = fsn_id_new();
    g_auto(FsnResumeRun) run = {
        .cycle = r->cycle,
        .virt = r->virt,
        .repo = r->repo,
        .started_us = r->started_us,
        .options = { .mode = FSN_RESUME_PREDICTED,
                     .sync_time = true,
                     .paused = r->options.paused || strcmp(state, "paused") == 0 },
    };
    g_auto(FsnPagerReports) reports = { 0 };

    if (!describe(r, &run, error)) {
        return false;
    }
    run.domain = g_steal_pointer(&r->domain);
    run.lock = g_steal_pointer(&r->lock);
    run.journal = g_steal_pointer(&r->journal);
    run.journal->marks = fsn_id_to_string(&id);
    run.journal->frozen = was_frozen(r);
    run.journal->databases = resting(r);
    run.journal->sync_time = !run.options.paused;
    run.marks = run.journal->marks;
    fsn_resume_choose(&run);
    if (!fsn_resume_load(&run, &reports, error)) {
        g_prefix_error(error, "its disks are restored, but not its memory: ");
        give_up(r, &run);
        return false;
    }
    take_result(r, &run, &reports);
    if (run.journal->frozen) {
        thaw(r, &run);
    }
    release(r, &run);
    return true;
}
