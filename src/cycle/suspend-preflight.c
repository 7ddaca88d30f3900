/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can refuse a suspend, before the domain is touched; and what can be stored
 * beforehand, so that the pause does not pay for it.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/incoming-defer.h"
#include "cycle/recover.h"
#include "cycle/stub.h"
#include "cycle/suspend-run-private.h"
#include "domxml/edit.h"
#include "qmp/commands-memory.h"
#include "qmp/commands-status.h"
#include "qmp/migration-info.h"
#include "repo/manifests.h"
#include "repo/marks.h"
#include "virt/qmp-transport.h"

#include <string.h>

/* RAM of another size works around the bug below: the slow path clears what it must. */
#define TCG_SAFE_MODULUS (UINT64_C(256) << 10)
#define SPACE_RESERVE    (UINT64_C(64) << 20)

static bool
refuse(GError **error, FsnSuspendRun *run, const char *why)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "cannot suspend domain '%s': %s",
                fsn_virt_domain_name(run->domain), why);
    return false;
}

static bool
check_state(FsnSuspendRun *run, GError **error)
{
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(run->domain, &status, error)) {
        return false;
    }
    if (status.state != FSN_VIRT_RUNNING) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "cannot suspend domain '%s': it is %s, not running",
                    fsn_virt_domain_name(run->domain), fsn_virt_state_name(status.state));
        return false;
    }
    if (!status.persistent) {
        return refuse(
            error, run,
            "it is transient and would be gone; define it first ('virsh dumpxml', "
            "'virsh define')");
    }
    return true;
}

static bool
check_devices(FsnSuspendRun *run, GError **error)
{
    g_autoptr(GString) text = NULL;

    if (run->facts->refusals->len == 0) {
        return true;
    }
    text = g_string_new(NULL);
    for (guint i = 0; i < run->facts->refusals->len; i++) {
        g_string_append_printf(text, "%s%s", i ? "; " : "",
                               (const char *)g_ptr_array_index(run->facts->refusals, i));
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED, "cannot suspend domain '%s': %s",
                run->facts->name, text->str);
    return false;
}

static bool
check_qemu(FsnSuspendRun *run, GError **error)
{
    g_auto(FsnMigrationInfo) info = { 0 };

    if (!fsn_qmp_query_migrate(run->qmp, &info, error)) {
        return false;
    }
    if (info.blocked_reasons && info.blocked_reasons[0]) {
        g_autofree char *reasons = g_strjoinv("; ", info.blocked_reasons);

        return refuse(error, run, reasons);
    }
    if (FSN_MIGRATION_BIT(info.status) & FSN_MIGRATION_IDLE) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                "cannot suspend domain '%s': QEMU is already migrating it (%s)",
                run->facts->name, fsn_migration_status_name(info.status));
    return false;
}

/* Software emulation before QEMU 9 loses pages that the guest writes while they are sent
 * (cpu_physical_memory_sync_dirty_bitmap() does not reset the TLB): stop first. */
static bool
check_emulation(FsnSuspendRun *run, GError **error)
{
    g_auto(FsnQmpVersion) version = { 0 };
    uint64_t base;
    uint64_t plugged;

    if (!fsn_qmp_query_version(run->qmp, &version, error) ||
        !fsn_qmp_query_memory_size(run->qmp, &base, &plugged, error)) {
        return false;
    }
    run->versions =
        g_strdup_printf("QEMU %d.%d.%d", version.major, version.minor, version.micro);
    if (!g_str_equal(run->facts->type, "qemu") || version.major >= 9 ||
        base % TCG_SAFE_MODULUS != 0) {
        return true;
    }
    if (run->options.ahead_s >= 0) {
        return refuse(
            error, run,
            "QEMU before 9 loses memory when an emulated guest (type 'qemu', no "
            "KVM) is transferred while it runs; use 'foresnap suspend' alone");
    }
    run->options.paused = true;
    return true;
}

static bool
check_space(FsnSuspendRun *run, GError **error)
{
    uint64_t need = run->facts->memory_bytes + SPACE_RESERVE;
    uint64_t space;
    g_autofree char *need_text = NULL;
    g_autofree char *space_text = NULL;

    if (!fsn_repo_space(run->repo, &space, error)) {
        return false;
    }
    if (space >= need) {
        return true;
    }
    need_text = g_format_size_full(need, G_FORMAT_SIZE_IEC_UNITS);
    space_text = g_format_size_full(space, G_FORMAT_SIZE_IEC_UNITS);
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_NO_SPACE,
        "cannot suspend domain '%s': its memory may need %s and the repository '%s' "
        "has %s free; free some or choose another with --repo",
        run->facts->name, need_text, fsn_repo_location(run->repo), space_text);
    return false;
}

/* The newest snapshot of this VM that has memory; a damaged one is passed over. */
static void
find_parent(FsnSuspendRun *run, GPtrArray *manifests)
{
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *m = g_ptr_array_index(manifests, i);
        g_auto(FsnManifestMemory) memory = { 0 };
        g_autoptr(GError) ignored = NULL;

        if (!fsn_manifest_read_memory(m, &memory, &ignored) ||
            !g_str_equal(memory.uuid, run->facts->uuid)) {
            continue;
        }
        run->parent = json_object_ref(m);
        run->parent_memory = memory;
        memory.layout = NULL;
        return;
    }
}

/* The domain runs, so whatever states were stored of it before can never be used again. */
static bool
void_old_states(FsnSuspendRun *run, GPtrArray *manifests, GError **error)
{
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *m = g_ptr_array_index(manifests, i);
        const char *id = fsn_json_peek_string(m, "id", "");
        JsonObject *domain;
        g_autoptr(JsonObject) body = json_object_new();
        g_autoptr(GError) local = NULL;

        if (!fsn_json_get_object(m, "domain", &domain, NULL) ||
            !g_str_equal(fsn_json_peek_string(domain, "uuid", ""), run->facts->uuid) ||
            !g_str_equal(fsn_json_peek_string(m, "kind", ""), "suspend")) {
            continue;
        }
        json_object_set_string_member(body, "reason", "the domain was running again");
        if (!fsn_repo_mark_create(run->repo, id, "consumed", body, &local) &&
            !g_error_matches(local, FSN_ERROR, FSN_ERROR_EXISTS)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    return fsn_stub_remove(run->cycle, run->facts->name, run->facts->uuid, error);
}

static bool
look_at_repository(FsnSuspendRun *run, GError **error)
{
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;

    if (!fsn_repo_list_manifests(run->repo, &manifests, &damaged, error)) {
        return false;
    }
    find_parent(run, manifests);
    return void_old_states(run, manifests, error);
}

static bool
put_text(FsnSuspendRun *run, const char *text, char **out_object, GError **error)
{
    return fsn_repo_put_object(run->repo, text, strlen(text), out_object, error);
}

static bool
store_descriptions(FsnSuspendRun *run, GError **error)
{
    g_autofree char *inactive = NULL;
    g_autofree char *cpu = NULL;

    /* The CPU that the guest really has: an update of libvirt or microcode would otherwise
     * give it another one on resume. */
    return fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_INACTIVE, &inactive, error) &&
           fsn_virt_domain_live_cpu(run->domain, &cpu, error) &&
           put_text(run, run->xml_live, &run->object_live, error) &&
           put_text(run, inactive, &run->object_inactive, error) &&
           (!cpu || put_text(run, cpu, &run->object_cpu, error));
}

/* libvirt's own jobs and block jobs would be torn by the end of QEMU. */
static bool
check_jobs(FsnSuspendRun *run, GError **error)
{
    g_autofree char *target = NULL;
    bool active;

    if (!fsn_virt_domain_has_job(run->domain, &active, error) ||
        !fsn_virt_domain_block_job(run->domain, &target, error)) {
        return false;
    }
    if (active || target) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "cannot suspend domain '%s': %s%s is under way", run->facts->name,
                    target ? "a block job on disk " : "another libvirt job",
                    target ? target : "");
        return false;
    }
    return true;
}

/* A guest that was resumed through the monitor still has the argument that let its QEMU wait
 * for the stream (incoming-defer.h); whoever starts it next must not wait so again. */
static bool
read_live(FsnSuspendRun *run, GError **error)
{
    g_autofree char *xml = NULL;

    return fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_MIGRATABLE, &xml, error) &&
           fsn_domain_xml_drop_arguments(xml, fsn_incoming_defer_arguments,
                                         &run->xml_live, error);
}

static bool
look_at_domain(FsnSuspendRun *run, const char *name, GError **error)
{
    return fsn_virt_lookup(run->virt, name, &run->domain, error) &&
           check_state(run, error) && read_live(run, error) &&
           fsn_domain_facts_parse(run->xml_live, &run->facts, error) &&
           check_devices(run, error);
}

static bool
take_lock(FsnSuspendRun *run, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(run->cycle);

    run->lock = fsn_lock_take(state_dir, fsn_cycle_repo_location(run->cycle),
                              run->facts->uuid, 0, error);
    if (!run->lock) {
        g_prefix_error(error, "domain '%s': ", run->facts->name);
    }
    return run->lock != NULL;
}

bool
fsn_suspend_preflight(FsnSuspendRun *run, const char *name, GError **error)
{
    FsnJournal *j;

    if (!look_at_domain(run, name, error) ||
        !fsn_cycle_recover_domain(run->cycle, run->facts->uuid, 0, NULL, error) ||
        !take_lock(run, error) || !check_state(run, error) ||
        /* Before the monitor is asked: the thread that answers may be the one that hangs. */
        !fsn_suspend_check_io(run, error) || !check_jobs(run, error)) {
        return false;
    }
    if (fsn_journal_exists(fsn_cycle_state_dir(run->cycle), run->facts->uuid)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "another foresnap operation is under way on domain '%s' in another "
                    "repository",
                    run->facts->name);
        return false;
    }
    run->qmp = fsn_qmp_new(fsn_virt_qmp_transport(run->domain));
    if (!check_qemu(run, error) || !check_emulation(run, error) ||
        !check_space(run, error) ||
        !fsn_stub_check_place(run->virt, run->facts->name, error) ||
        !look_at_repository(run, error) || !store_descriptions(run, error)) {
        return false;
    }
    j = fsn_journal_new(FSN_OP_SUSPEND, run->facts->name, run->facts->uuid,
                        fsn_cycle_uri(run->cycle), fsn_cycle_repo_location(run->cycle),
                        run->id);
    j->was_running = true;
    run->journal = j;
    return fsn_journal_write(j, fsn_cycle_state_dir(run->cycle), FSN_STEP_BEGUN, error);
}
