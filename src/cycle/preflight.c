/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks that can refuse an operation before its domain is touched, shared by those that read
 * a guest's memory or disks.
 */
#include "config.h"

#include "cycle/preflight.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/fill.h"
#include "cycle/journal.h"
#include "cycle/stub.h"
#include "qmp/migration-info.h"
#include "repo/manifests.h"
#include "repo/marks.h"

#include <string.h>

#define SPACE_RESERVE (UINT64_C(64) << 20)

FsnLock *
fsn_preflight_lock(FsnCycle *cycle, const FsnDomainFacts *facts, GError **error)
{
    FsnLock *lock;

    if (!fsn_fill_check_none(cycle, facts->uuid, error)) {
        g_prefix_error(error, "domain '%s': ", facts->name);
        return NULL;
    }
    lock = fsn_lock_take(fsn_cycle_state_dir(cycle), fsn_cycle_repo_location(cycle),
                         facts->uuid, 0, error);

    if (!lock) {
        g_prefix_error(error, "domain '%s': ", facts->name);
    }
    return lock;
}

bool
fsn_preflight_no_journal(FsnCycle *cycle, const FsnDomainFacts *facts, GError **error)
{
    if (!fsn_journal_exists(fsn_cycle_state_dir(cycle), facts->uuid)) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                "another foresnap operation is under way on domain '%s' in another "
                "repository",
                facts->name);
    return false;
}

bool
fsn_preflight_no_jobs(FsnVirtDomain *domain, const char *what, GError **error)
{
    g_autofree char *target = NULL;
    bool active;

    if (!fsn_virt_domain_has_job(domain, &active, error) ||
        !fsn_virt_domain_block_job(domain, &target, error)) {
        return false;
    }
    if (active || target) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "cannot %s domain '%s': %s%s is under way", what,
                    fsn_virt_domain_name(domain),
                    target ? "a block job on disk " : "another libvirt job",
                    target ? target : "");
        return false;
    }
    return true;
}

bool
fsn_preflight_can_migrate(FsnQmp *qmp,
                          const char *what,
                          const char *domain,
                          GError **error)
{
    g_auto(FsnMigrationInfo) info = { 0 };

    if (!fsn_qmp_query_migrate(qmp, &info, error)) {
        return false;
    }
    if (info.blocked_reasons && info.blocked_reasons[0]) {
        g_autofree char *reasons = g_strjoinv("; ", info.blocked_reasons);

        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "cannot %s domain '%s': %s", what,
                    domain, reasons);
        return false;
    }
    if (FSN_MIGRATION_BIT(info.status) & FSN_MIGRATION_IDLE) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                "cannot %s domain '%s': QEMU is already migrating it (%s)", what, domain,
                fsn_migration_status_name(info.status));
    return false;
}

bool
fsn_preflight_devices(const FsnDomainFacts *facts, const char *what, GError **error)
{
    g_autoptr(GString) text = NULL;

    if (facts->refusals->len == 0) {
        return true;
    }
    text = g_string_new(NULL);
    for (guint i = 0; i < facts->refusals->len; i++) {
        g_string_append_printf(text, "%s%s", i ? "; " : "",
                               (const char *)g_ptr_array_index(facts->refusals, i));
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED, "cannot %s domain '%s': %s",
                what, facts->name, text->str);
    return false;
}

bool
fsn_preflight_space(FsnRepo *repo,
                    const FsnDomainFacts *facts,
                    const char *what,
                    const char *whose,
                    uint64_t need,
                    GError **error)
{
    uint64_t space;
    g_autofree char *need_text = NULL;
    g_autofree char *space_text = NULL;

    if (!fsn_repo_space(repo, &space, error)) {
        return false;
    }
    need += SPACE_RESERVE;
    if (space >= need) {
        return true;
    }
    need_text = g_format_size_full(need, G_FORMAT_SIZE_IEC_UNITS);
    space_text = g_format_size_full(space, G_FORMAT_SIZE_IEC_UNITS);
    g_set_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE,
                "cannot %s domain '%s': %s may need %s and the repository '%s' "
                "has %s free; free some or choose another with --repo",
                what, facts->name, whose, need_text, fsn_repo_location(repo), space_text);
    return false;
}

void
fsn_preflight_memory_parent(GPtrArray *manifests,
                            const char *uuid,
                            JsonObject **out_manifest,
                            FsnManifestMemory *out_memory)
{
    *out_manifest = NULL;
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *m = g_ptr_array_index(manifests, i);
        g_auto(FsnManifestMemory) memory = { 0 };
        g_autoptr(GError) ignored = NULL;

        if (!fsn_manifest_read_memory(m, &memory, &ignored) ||
            !g_str_equal(memory.uuid, uuid)) {
            continue;
        }
        *out_manifest = json_object_ref(m);
        *out_memory = memory;
        memory.layout = NULL;
        return;
    }
}

bool
fsn_preflight_put_text(FsnRepo *repo, const char *text, char **out_object, GError **error)
{
    return !text || fsn_repo_put_object(repo, text, strlen(text), out_object, error);
}

bool
fsn_preflight_void_states(FsnCycle *cycle,
                          FsnRepo *repo,
                          GPtrArray *manifests,
                          const FsnDomainFacts *facts,
                          GError **error)
{
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *m = g_ptr_array_index(manifests, i);
        const char *id = fsn_json_peek_string(m, "id", "");
        JsonObject *domain;
        g_autoptr(JsonObject) body = json_object_new();
        g_autoptr(GError) local = NULL;

        if (!fsn_json_get_object(m, "domain", &domain, NULL) ||
            !g_str_equal(fsn_json_peek_string(domain, "uuid", ""), facts->uuid) ||
            !g_str_equal(fsn_json_peek_string(m, "kind", ""), "suspend")) {
            continue;
        }
        json_object_set_string_member(body, "reason", "the domain was running again");
        if (!fsn_repo_mark_create(repo, id, "consumed", body, &local) &&
            !g_error_matches(local, FSN_ERROR, FSN_ERROR_EXISTS)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    return fsn_stub_remove(cycle, facts->name, facts->uuid, error);
}
