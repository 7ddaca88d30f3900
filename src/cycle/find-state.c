/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which suspend state of a domain is the one to be resumed or discarded. */
#include "config.h"

#include "cycle/find-state.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/arm.h"
#include "repo/manifests.h"

static bool
belongs_to(JsonObject *manifest, const char *uuid)
{
    JsonObject *domain;

    return g_str_equal(fsn_json_peek_string(manifest, "kind", ""), "suspend") &&
           fsn_json_get_object(manifest, "domain", &domain, NULL) &&
           g_str_equal(fsn_json_peek_string(domain, "uuid", ""), uuid);
}

bool
fsn_find_suspend_state(FsnRepo *repo, const char *uuid, char **out_id, GError **error)
{
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    const char *used = NULL;

    if (!fsn_repo_list_manifests(repo, &manifests, &damaged, error)) {
        return false;
    }
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *m = g_ptr_array_index(manifests, i);
        const char *id = fsn_json_peek_string(m, "id", "");

        if (!belongs_to(m, uuid)) {
            continue;
        }
        if (fsn_arm_has(repo, id, "consumed")) {
            used = id; /* the newest one counts; older ones are void with it */
            break;
        }
        *out_id = g_strdup(id);
        return true;
    }
    /* One that cannot be read may be the domain's, and newer than the used one. */
    if (damaged->len > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "the domain has no readable suspend state; damaged: %s",
                    (const char *)g_ptr_array_index(damaged, 0));
        return false;
    }
    if (used) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_STATE,
            "its suspend state %.12s has been used; 'virsh start' boots the domain",
            used);
        return false;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                "the domain is not suspended by foresnap");
    return false;
}
