/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the API says of domains and snapshots. Pure. */
#include "config.h"

#include "view/view.h"

#include "base/clock.h"
#include "base/json.h"

#include <math.h>

/* Six digits: more are noise, and a list has thousands of them. */
static double
rounded(double value)
{
    double scale = value == 0 ? 1 : pow(10, 5 - floor(log10(fabs(value))));

    return isfinite(scale) && scale > 0 ? round(value * scale) / scale : value;
}

void
fsn_view_set_number(JsonObject *object, const char *name, double value)
{
    if (isfinite(value)) {
        json_object_set_double_member(object, name, rounded(value));
    } else {
        json_object_set_null_member(object, name);
    }
}

void
fsn_view_add_number(JsonArray *array, double value)
{
    if (isfinite(value)) {
        json_array_add_double_element(array, rounded(value));
    } else {
        json_array_add_null_element(array);
    }
}

static JsonArray *
numbers(const double *values, size_t n)
{
    JsonArray *array = json_array_sized_new((guint)n);

    for (size_t i = 0; i < n; i++) {
        fsn_view_add_number(array, values[i]);
    }
    return array;
}

static JsonObject *
usage_json(const FsnViewDomain *domain)
{
    JsonObject *usage = json_object_new();

    fsn_json_set_time(usage, "sampled", domain->sampled_us);
    fsn_view_set_number(usage, "cpu_cores", domain->cpu_now);
    fsn_view_set_number(usage, "memory_bytes", domain->memory_now);
    json_object_set_int_member(usage, "step_us", FSN_VIEW_STEP_US);
    json_object_set_array_member(usage, "cpu", numbers(domain->cpu, FSN_VIEW_STEPS));
    return usage;
}

static JsonObject *
forecast_json(const FsnViewDomain *domain)
{
    JsonObject *forecast = json_object_new();

    fsn_json_set_time(forecast, "start", domain->forecast_us);
    fsn_json_set_time(forecast, "fitted", domain->fitted_us);
    json_object_set_int_member(forecast, "step_us", (int64_t)3600 * G_USEC_PER_SEC);
    json_object_set_array_member(forecast, "mean", numbers(domain->mean, FSN_VIEW_HOURS));
    json_object_set_array_member(forecast, "q95", numbers(domain->high, FSN_VIEW_HOURS));
    return forecast;
}

static JsonArray *
tags_json(char **tags)
{
    JsonArray *array = json_array_new();

    for (char **tag = tags; *tag; tag++) {
        json_array_add_string_element(array, *tag);
    }
    return array;
}

JsonObject *
fsn_view_domain_json(const FsnViewDomain *domain)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "uuid", domain->uuid);
    json_object_set_string_member(object, "domain", domain->name);
    fsn_json_set_string(object, "title", domain->title);
    json_object_set_string_member(object, "state", fsn_view_domain_state(domain));
    json_object_set_boolean_member(object, "defined", domain->defined);
    json_object_set_boolean_member(object, "persistent",
                                   domain->defined && domain->status.persistent);
    json_object_set_boolean_member(object, "loading",
                                   domain->defined && domain->status.post_copy);
    fsn_json_set_string(object, "profile", domain->profile);
    json_object_set_array_member(object, "tags", tags_json(domain->tags));
    json_object_set_int_member(object, "memory_bytes", (int64_t)domain->memory_bytes);
    json_object_set_int_member(object, "vcpus", domain->vcpus);
    json_object_set_object_member(object, "usage", usage_json(domain));
    if (domain->fitted_us > 0) {
        json_object_set_object_member(object, "forecast", forecast_json(domain));
    } else {
        json_object_set_null_member(object, "forecast");
    }
    json_object_set_int_member(object, "snapshots", domain->snapshots);
    json_object_set_int_member(object, "suspends", domain->suspends);
    fsn_json_set_string(object, "last_snapshot", domain->last ? domain->last->id : NULL);
    fsn_json_set_string(object, "last_snapshot_kind",
                        domain->last ? domain->last->kind : NULL);
    fsn_json_set_string(object, "last_snapshot_created",
                        domain->last ? domain->last->created : NULL);
    fsn_json_set_string(object, "suspend", domain->suspend ? domain->suspend->id : NULL);
    if (domain->bytes_own >= 0) {
        json_object_set_int_member(object, "bytes_own", domain->bytes_own);
    } else {
        json_object_set_null_member(object, "bytes_own");
    }
    return object;
}

JsonObject *
fsn_view_snapshot_json(const FsnView *view, const FsnCatalogueEntry *entry)
{
    JsonObject *object = json_object_new();
    JsonArray *disks = json_array_new();

    for (guint i = 0; i < entry->disks->len; i++) {
        json_array_add_string_element(disks, entry->disks->pdata[i]);
    }
    fsn_json_set_string(object, "snapshot", entry->id);
    fsn_json_set_string(object, "domain", entry->domain);
    fsn_json_set_string(object, "uuid", entry->uuid);
    fsn_json_set_string(object, "kind", entry->kind);
    fsn_json_set_string(object, "name", entry->name);
    fsn_json_set_string(object, "created", entry->created);
    fsn_json_set_string(object, "state", fsn_view_snapshot_state(view, entry->id));
    fsn_json_set_string(object, "parent", entry->parent);
    fsn_json_set_string(object, "profile", entry->profile);
    json_object_set_int_member(object, "memory_bytes", (int64_t)entry->memory_bytes);
    json_object_set_array_member(object, "disks", disks);
    json_object_set_int_member(object, "bytes_logical", entry->bytes_logical);
    json_object_set_int_member(object, "bytes_read", entry->bytes_read);
    json_object_set_int_member(object, "bytes_changed", entry->bytes_changed);
    json_object_set_int_member(object, "bytes_stored", entry->bytes_stored);
    return object;
}
