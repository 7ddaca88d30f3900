/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can refuse a suspend, before the domain is touched; and what can be stored
 * beforehand, so that the pause does not pay for it.
 */
#include "config.h"

#include "base/error.h"
#include "cycle/cargo.h"
#include "cycle/incoming-defer.h"
#include "cycle/preflight.h"
#include "cycle/recover.h"
#include "cycle/stub.h"
#include "cycle/suspend-run-private.h"
#include "domxml/edit.h"
#include "qmp/commands-memory.h"
#include "qmp/commands-status.h"
#include "repo/manifests.h"
#include "virt/qmp-transport.h"

/* RAM of another size works around the bug below: the slow path clears what it must. */
#define TCG_SAFE_MODULUS (UINT64_C(256) << 10)

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
look_at_repository(FsnSuspendRun *run, GError **error)
{
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;

    if (!fsn_repo_list_manifests(run->repo, &manifests, &damaged, error)) {
        return false;
    }
    fsn_preflight_memory_parent(manifests, run->facts->uuid, &run->parent,
                                &run->parent_memory);
    return fsn_preflight_void_states(run->cycle, run->repo, manifests, run->facts, error);
}

bool
fsn_suspend_store_firmware(FsnSuspendRun *run, FsnFirmwareRecord *record, GError **error)
{
    return fsn_firmware_read_tpm(run->virt, run->facts, record, error) &&
           fsn_firmware_read_nvram(run->facts, record, error) &&
           fsn_firmware_store(record, run->repo, error);
}

/* What does not change until the guest is stopped needs no storing then. A running QEMU has
 * locked a variable store in qcow2, which is read only then. */
static bool
store_firmware_ahead(FsnSuspendRun *run, GError **error)
{
    g_auto(FsnFirmwareRecord) record = { 0 };

    return g_strcmp0(run->facts->nvram_format, "qcow2") == 0 ||
           fsn_suspend_store_firmware(run, &record, error);
}

static bool
store_descriptions(FsnSuspendRun *run, GError **error)
{
    const FsnCargoAsk ask = { .level = FSN_LEVEL_STANDARD };
    g_autofree char *inactive = NULL;
    g_autofree char *cpu = NULL;

    run->cargo =
        fsn_cargo_store(run->cycle, run->repo, run->facts->uuid, &ask, &run->warning);
    /* The CPU that the guest really has: an update of libvirt or microcode would otherwise
     * give it another one on resume. */
    return fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_INACTIVE, &inactive, error) &&
           fsn_virt_domain_live_cpu(run->domain, &cpu, error) &&
           fsn_preflight_put_text(run->repo, run->xml_live, &run->object_live, error) &&
           fsn_preflight_put_text(run->repo, inactive, &run->object_inactive, error) &&
           fsn_preflight_put_text(run->repo, cpu, &run->object_cpu, error);
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
           fsn_preflight_devices(run->facts, "suspend", error);
}

bool
fsn_suspend_preflight(FsnSuspendRun *run, const char *name, GError **error)
{
    FsnJournal *j;

    if (!look_at_domain(run, name, error) ||
        !fsn_cycle_recover_domain(run->cycle, run->facts->uuid, 0, NULL, error)) {
        return false;
    }
    run->lock = fsn_preflight_lock(run->cycle, run->facts, error);
    if (!run->lock || !check_state(run, error) ||
        /* Before the monitor is asked: the thread that answers may be the one that hangs. */
        !fsn_suspend_check_io(run, error) ||
        /* libvirt's own jobs would be torn by the end of QEMU. */
        !fsn_preflight_no_jobs(run->domain, "suspend", error) ||
        !fsn_preflight_no_journal(run->cycle, run->facts, error)) {
        return false;
    }
    run->qmp = fsn_qmp_new(fsn_virt_qmp_transport(run->domain));
    if (!fsn_preflight_can_migrate(run->qmp, "suspend", run->facts->name, error) ||
        !check_emulation(run, error) ||
        !fsn_preflight_space(run->repo, run->facts, "suspend", "its memory",
                             run->facts->memory_bytes, error) ||
        !fsn_stub_check_place(run->cycle, run->facts->name, error) ||
        !look_at_repository(run, error) || !store_descriptions(run, error) ||
        !store_firmware_ahead(run, error)) {
        return false;
    }
    j = fsn_journal_new(FSN_OP_SUSPEND, run->facts->name, run->facts->uuid,
                        fsn_cycle_uri(run->cycle), fsn_cycle_repo_location(run->cycle),
                        run->id);
    j->was_running = true;
    run->journal = j;
    return fsn_journal_write(j, fsn_cycle_state_dir(run->cycle), FSN_STEP_BEGUN, error);
}
