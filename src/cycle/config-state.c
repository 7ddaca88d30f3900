/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration around a domain, from libvirt into the repository and back. That something
 * cannot be read is no reason to take no snapshot: it is left out, and said.
 */
#include "config.h"

#include "cycle/config-state.h"

#include "base/error.h"
#include "base/json.h"
#include "virt/dependency.h"
#include "virt/network-facts.h"

/* What is at work while one is collected. */
typedef struct {
    FsnVirt *virt;
    FsnConfigRecord *record;
    GPtrArray *warnings;
    FsnDependencies needs;
} Collect;

/* Takes @error over. */
static void
leave_out(Collect *c, GError *error)
{
    g_ptr_array_add(c->warnings, g_strdup_printf("the configuration is not complete: %s",
                                                 error->message));
    g_error_free(error);
}

static void
add_thing(Collect *c, FsnDependencyKind kind, const char *name)
{
    FsnDependency *thing = NULL;
    GError *error = NULL;

    if (c->record->things->len >= FSN_CONFIG_MAX_THINGS) {
        return;
    }
    if (fsn_virt_dependency_read(c->virt, kind, name, &thing, &error)) {
        g_ptr_array_add(c->record->things, thing);
    } else if (g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_ptr_array_add(c->record->missing,
                        g_strdup_printf("%s '%s'", fsn_dependency_name(kind), name));
        g_error_free(error);
    } else {
        leave_out(c, error);
    }
}

static void
reverse(GPtrArray *array, guint first)
{
    for (guint last = array->len; last > first + 1; first++, last--) {
        gpointer swap = array->pdata[first];

        array->pdata[first] = array->pdata[last - 1];
        array->pdata[last - 1] = swap;
    }
}

/* Filters refer to others, which are found while these are gone through, and come first in the
 * end: what is defined finds what it refers to. */
static void
add_filters(Collect *c)
{
    GPtrArray *names = c->needs.names[FSN_DEPENDENCY_FILTER];
    guint first = c->record->things->len;

    for (guint i = 0; i < names->len; i++) {
        guint before = c->record->things->len;
        GError *error = NULL;

        add_thing(c, FSN_DEPENDENCY_FILTER, names->pdata[i]);
        if (c->record->things->len > before) {
            const FsnDependency *filter = c->record->things->pdata[before];

            if (!fsn_dependency_filters(filter->xml, names, &error)) {
                leave_out(c, error);
            }
        }
    }
    reverse(c->record->things, first);
}

static void
add_kind(Collect *c, FsnDependencyKind kind)
{
    const GPtrArray *names = c->needs.names[kind];

    for (guint i = 0; i < names->len; i++) {
        add_thing(c, kind, names->pdata[i]);
    }
}

static JsonArray *
new_fact(Collect *c, const char *name)
{
    JsonArray *array = json_array_new();

    json_object_set_array_member(c->record->facts, name, array);
    return array;
}

/* What only an active network has. */
static void
add_network_facts(Collect *c, FsnLevel level)
{
    JsonArray *leases = new_fact(c, "leases");
    JsonArray *ports = level >= FSN_LEVEL_RAW ? new_fact(c, "ports") : NULL;

    for (guint i = 0; i < c->record->things->len; i++) {
        const FsnDependency *d = c->record->things->pdata[i];
        GError *error = NULL;

        if (d->kind == FSN_DEPENDENCY_NETWORK && d->active &&
            (!fsn_virt_network_leases(c->virt, d->name, leases, &error) ||
             (ports && !fsn_virt_network_ports(c->virt, d->name, ports, &error)))) {
            leave_out(c, error);
        }
    }
}

static void
add_facts(Collect *c, FsnVirtDomain *domain, bool on, FsnLevel level)
{
    GError *error = NULL;

    if (!fsn_virt_checkpoints(domain, new_fact(c, "checkpoints"), &error)) {
        leave_out(c, g_steal_pointer(&error));
    }
    if (level < FSN_LEVEL_STANDARD) {
        return;
    }
    add_network_facts(c, level);
    if (on && !fsn_virt_filter_bindings(c->virt, c->needs.ports, new_fact(c, "bindings"),
                                        &error)) {
        leave_out(c, g_steal_pointer(&error));
    }
    if (on && level >= FSN_LEVEL_DETAILED &&
        !fsn_virt_interface_statistics(domain, c->needs.ports, new_fact(c, "statistics"),
                                       &error)) {
        leave_out(c, error);
    }
}

FsnConfigRecord *
fsn_config_collect(FsnVirt *virt,
                   FsnVirtDomain *domain,
                   const char *xml,
                   bool on,
                   FsnLevel network,
                   GPtrArray *warnings)
{
    Collect c = { .virt = virt, .record = fsn_config_record_new(), .warnings = warnings };
    GError *error = NULL;

    if (!fsn_dependencies_find(xml, &c.needs, &error)) {
        leave_out(&c, error);
        return c.record;
    }
    add_filters(&c);
    add_kind(&c, FSN_DEPENDENCY_NETWORK);
    if (!fsn_virt_pools_of_folders(virt, c.needs.folders,
                                   c.needs.names[FSN_DEPENDENCY_POOL], &error)) {
        leave_out(&c, error);
    }
    add_kind(&c, FSN_DEPENDENCY_POOL);
    add_facts(&c, domain, on, network);
    fsn_dependencies_clear(&c.needs);
    return c.record;
}

JsonObject *
fsn_config_store(const FsnConfigRecord *record, FsnRepo *repo, GError **error)
{
    g_autoptr(GBytes) bytes = fsn_config_record_bytes(record);
    g_autofree char *object = NULL;
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);

    if (len > FSN_CONFIG_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "the configuration has more than %zu MiB", FSN_CONFIG_MAX >> 20);
        return NULL;
    }
    if (!fsn_repo_put_object(repo, data, len, &object, error)) {
        return NULL;
    }
    return fsn_config_record_reference(record, object);
}

bool
fsn_config_load(FsnRepo *repo,
                JsonObject *manifest,
                FsnConfigRecord **out_record,
                GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    const char *object;
    JsonObject *ref;

    if (!json_object_has_member(manifest, "config")) {
        *out_record = NULL;
        return true;
    }
    if (!fsn_json_get_object(manifest, "config", &ref, error) ||
        !fsn_json_get_string(ref, "object", &object, error) ||
        !fsn_repo_get_object(repo, object, FSN_CONFIG_MAX, &bytes, error)) {
        return false;
    }
    *out_record = fsn_config_record_parse(bytes, error);
    return *out_record != NULL;
}
