/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration around a domain brought back: what is missing is made again, what is there
 * and differs is told, and nothing is overwritten. Each thing is looked at on its own and made
 * by one call of libvirt, which does it whole or not at all; an interruption leaves the rest to be
 * made by the next call, so that there is nothing to be recovered.
 */
#include "config.h"

#include "cycle/restore-private.h"

#include "base/error.h"
#include "base/faults.h"
#include "base/json.h"
#include "cycle/config-state.h"
#include "repo/manifests.h"
#include "virt/dependency.h"

#include <string.h>

#define MAX_XML ((size_t)4 << 20)

/* {"kind", "name", "action"}: "same", "made", "started", "differs" or "failed". */
static JsonObject *
add_entry(FsnRestore *r, const char *kind, const char *name, const char *action)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "kind", kind);
    json_object_set_string_member(o, "name", name);
    json_object_set_string_member(o, "action", action);
    json_array_add_object_element(r->config, o);
    return o;
}

/* Takes @error over. The rest is worth having all the same. */
static void
add_failure(FsnRestore *r, const char *kind, const char *name, GError *error)
{
    json_object_set_string_member(add_entry(r, kind, name, "failed"), "reason",
                                  error->message);
    g_ptr_array_add(r->warnings, g_strdup_printf("the %s '%s' is not brought back: %s",
                                                 kind, name, error->message));
    g_error_free(error);
}

static void
add_difference(FsnRestore *r, const FsnDependency *was, const GPtrArray *lines)
{
    const char *kind = fsn_dependency_name(was->kind);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < lines->len; i++) {
        json_array_add_string_element(array, lines->pdata[i]);
    }
    json_object_set_array_member(add_entry(r, kind, was->name, "differs"), "differences",
                                 array);
    g_ptr_array_add(
        r->warnings,
        g_strdup_printf("the %s '%s' is not as in the snapshot ('-' was, '+' is here), "
                        "and stays as it is",
                        kind, was->name));
    for (guint i = 0; i < lines->len; i++) {
        g_ptr_array_add(r->warnings, g_strdup_printf("  %s", (char *)lines->pdata[i]));
    }
}

/* It is there. One that is the same and does not run was perhaps made by a call that was
 * interrupted. */
static bool
look_at(FsnRestore *r,
        const FsnDependency *was,
        const FsnDependency *here,
        GError **error)
{
    g_autoptr(GPtrArray) lines = NULL;
    const char *kind = fsn_dependency_name(was->kind);

    if (!fsn_dependency_compare(was->kind, here->xml, was->xml, &lines, error)) {
        return false;
    }
    if (lines->len > 0) {
        add_difference(r, was, lines);
        return true;
    }
    if (!was->active || here->active) {
        add_entry(r, kind, was->name, "same");
        return true;
    }
    if (!fsn_virt_dependency_start(r->virt, was, error)) {
        return false;
    }
    add_entry(r, kind, was->name, "started");
    return true;
}

static bool
bring_back(FsnRestore *r, const FsnDependency *was, GError **error)
{
    g_autoptr(GError) none = NULL;
    FsnDependency *here = NULL;
    bool ok;

    if (fsn_virt_dependency_read(r->virt, was->kind, was->name, &here, &none)) {
        ok = look_at(r, was, here, error);
        fsn_dependency_free(here);
        return ok;
    }
    if (!g_error_matches(none, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&none));
        return false;
    }
    if (!fsn_virt_dependency_define(r->virt, was, error)) {
        return false;
    }
    fsn_fault_kill_at("config-defined");
    if (!fsn_virt_dependency_start(r->virt, was, error)) {
        return false;
    }
    add_entry(r, fsn_dependency_name(was->kind), was->name, "made");
    return true;
}

static bool
bring_things_back(FsnRestore *r, JsonObject *manifest, GError **error)
{
    g_autoptr(FsnConfigRecord) record = NULL;

    if (!fsn_config_load(r->repo, manifest, &record, error)) {
        return false;
    }
    if (!record) {
        g_ptr_array_add(r->warnings, g_strdup("the snapshot has no configuration of "
                                              "networks, pools and filters"));
        return true;
    }
    for (guint i = 0; i < record->things->len; i++) {
        const FsnDependency *was = record->things->pdata[i];
        GError *local = NULL;

        if (!bring_back(r, was, &local)) {
            add_failure(r, fsn_dependency_name(was->kind), was->name, local);
        }
    }
    return true;
}

/* As it would have been started next. */
static bool
define_domain(FsnRestore *r, JsonObject *manifest, const char *name, GError **error)
{
    g_autoptr(FsnVirtDomain) defined = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *xml = NULL;
    const char *object;
    JsonObject *ref;

    if (!json_object_has_member(manifest, "xml_inactive")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "domain '%s' was never defined, it only ran", name);
        return false;
    }
    if (!fsn_json_get_object(manifest, "xml_inactive", &ref, error) ||
        !fsn_json_get_string(ref, "object", &object, error) ||
        !fsn_repo_get_object(r->repo, object, MAX_XML, &bytes, error)) {
        return false;
    }
    xml = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return fsn_virt_define(r->virt, xml, &defined, error);
}

/* Only in place: a new domain is defined later. libvirt would take another domain of the same
 * name for an error. */
static bool
bring_domain_back(FsnRestore *r, JsonObject *manifest, GError **error)
{
    g_autoptr(FsnVirtDomain) here = NULL;
    g_autoptr(GError) none = NULL;
    JsonObject *domain;
    const char *name;
    const char *uuid;

    if (r->options.as) {
        return true;
    }
    if (!fsn_json_get_object(manifest, "domain", &domain, error) ||
        !fsn_json_get_string(domain, "name", &name, error) ||
        !fsn_json_get_string(domain, "uuid", &uuid, error)) {
        return false;
    }
    if (fsn_virt_lookup(r->virt, uuid, &here, &none)) {
        add_entry(r, "domain", name, "same");
        return true;
    }
    if (!g_error_matches(none, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&none));
        return false;
    }
    if (!define_domain(r, manifest, name, error)) {
        return false;
    }
    r->defined = true;
    add_entry(r, "domain", name, "made");
    return true;
}

static bool
has_disks(JsonObject *manifest)
{
    JsonArray *disks;
    JsonObject *disk;

    if (!fsn_json_get_array(manifest, "disks", &disks, NULL)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        if (fsn_json_get_element(disks, i, &disk, NULL) &&
            json_object_has_member(disk, "image")) {
            return true;
        }
    }
    return false;
}

bool
fsn_restore_config(FsnRestore *r, const char *snapshot, GError **error)
{
    g_autoptr(JsonObject) manifest = NULL;

    r->config = json_array_new();
    if (!fsn_repo_load_manifest(r->repo, snapshot, &manifest, error) ||
        !bring_things_back(r, manifest, error) ||
        !bring_domain_back(r, manifest, error)) {
        return false;
    }
    r->config_only = !r->options.as && !has_disks(manifest);
    return true;
}

/* What is there already is kept, and that it differs is told. */
static bool
look_at_nvram(FsnRestore *r, GError **error)
{
    g_auto(FsnFirmwareRecord) here = { 0 };
    g_autoptr(GBytes) was = NULL;

    if (!g_file_test(r->nvram_place, G_FILE_TEST_EXISTS)) {
        add_entry(r, "nvram", r->nvram_place, "made");
        return true;
    }
    if (!fsn_firmware_read_nvram(r->facts, &here, error) ||
        !fsn_repo_get_object(r->repo, r->firmware.nvram->object, FSN_FIRMWARE_MAX_NVRAM,
                             &was, error)) {
        return false;
    }
    if (here.nvram && g_bytes_equal(here.nvram->data, was)) {
        add_entry(r, "nvram", r->nvram_place, "same");
    } else {
        add_entry(r, "nvram", r->nvram_place, "differs");
        g_ptr_array_add(r->warnings,
                        g_strdup_printf("the variable store '%s' is not as in the "
                                        "snapshot, and stays as it is",
                                        r->nvram_place));
    }
    g_clear_pointer(&r->nvram_place, g_free);
    return true;
}

static bool
look_at_tpm(FsnRestore *r, GError **error)
{
    g_auto(FsnFirmwareRecord) here = { 0 };

    if (!fsn_firmware_read_tpm(r->virt, r->facts, &here, error)) {
        return false;
    }
    add_entry(r, "tpm", r->tpm_place, here.tpm_files ? "kept" : "made");
    if (here.tpm_files) {
        g_clear_pointer(&r->tpm_place, g_free);
    }
    return true;
}

bool
fsn_restore_config_firmware(FsnRestore *r, GError **error)
{
    return (!r->nvram_place || look_at_nvram(r, error)) &&
           (!r->tpm_place || look_at_tpm(r, error));
}
