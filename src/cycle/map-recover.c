/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a change map that was killed. Its marker is there and nobody has it locked; what QEMU has
 * is found by name, whatever it is, so this may itself be killed and done again.
 */
#include "config.h"

#include "cycle/map-recover.h"

#include "base/error.h"
#include "changemap/marker.h"
#include "changemap/qemu-map.h"
#include "cycle/lock.h"
#include "virt/domain.h"
#include "virt/qmp-transport.h"

#define LOCK_WAIT_MS 2000

static JsonObject *
build_report(const char *name, const char *uuid)
{
    JsonObject *o = json_object_new();
    JsonArray *actions = json_array_new();

    json_array_add_string_element(actions, "sweep-map");
    json_object_set_string_member(o, "domain", name);
    json_object_set_string_member(o, "uuid", uuid);
    json_object_set_string_member(o, "operation", "changemap");
    json_object_set_string_member(o, "step", "rounds");
    json_object_set_array_member(o, "actions", actions);
    json_object_set_string_member(o, "outcome", "its bitmaps were removed");
    return o;
}

static bool
sweep(FsnVirtDomain *domain, GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(domain));

    return fsn_map_sweep(qmp, true, error);
}

/* A domain that is off, or is there no more, has nothing: transient bitmaps go with QEMU. */
static bool
recover(FsnCycle *cycle, const char *uuid, JsonObject **out_report, GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(GError) local = NULL;
    FsnVirtStatus status;

    if (!virt) {
        return false;
    }
    if (!fsn_virt_lookup(virt, uuid, &domain, &local)) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!fsn_virt_domain_status(domain, &status, error)) {
        return false;
    }
    if (status.state != FSN_VIRT_RUNNING && status.state != FSN_VIRT_PAUSED) {
        return true;
    }
    if (!sweep(domain, error)) {
        g_prefix_error(error, "clearing up after a change map of domain '%s': ",
                       fsn_virt_domain_name(domain));
        return false;
    }
    if (out_report) {
        *out_report = build_report(fsn_virt_domain_name(domain), uuid);
    }
    return true;
}

bool
fsn_map_recover(FsnCycle *cycle,
                const char *uuid,
                JsonObject **out_report,
                GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    g_autoptr(FsnLock) lock = NULL;
    FsnMapMarker *marker;

    if (!fsn_map_marker_exists(state_dir, uuid)) {
        return true;
    }
    lock = fsn_lock_take(state_dir, FSN_NBD_LOCK, uuid, LOCK_WAIT_MS, NULL);
    marker = lock ? fsn_map_marker_take(state_dir, uuid, NULL) : NULL;
    if (!marker) {
        return true; /* its owner lives */
    }
    if (!recover(cycle, uuid, out_report, error)) {
        fsn_map_marker_leave(marker);
        return false;
    }
    fsn_map_marker_done(marker);
    return true;
}
