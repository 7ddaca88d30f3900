/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/domains/{domain}/changemap: what the daemon, or whoever made the last map, has kept of where
 * the domain's disks change. Nobody looks at a disk for that. */
#include "config.h"

#include "api/private.h"

#include "cycle/changemap-kept.h"

typedef struct {
    char *state_dir;
    char *uuid;
    char *name;
} Wanted;

static void
wanted_free(gpointer data)
{
    Wanted *wanted = data;

    g_free(wanted->state_dir);
    g_free(wanted->uuid);
    g_free(wanted->name);
    g_free(wanted);
}

/* In a thread. The name is that of now. */
static JsonObject *
read_kept(gpointer data, GError **error)
{
    const Wanted *wanted = data;
    JsonObject *document = fsn_map_kept_load(wanted->state_dir, wanted->uuid, error);

    if (document) {
        json_object_set_string_member(document, "domain", wanted->name);
        json_object_set_string_member(document, "uuid", wanted->uuid);
    }
    return document;
}

static void
changemap(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    Wanted *wanted = g_new0(Wanted, 1);

    wanted->state_dir = g_strdup(request->api->state_dir);
    wanted->uuid = g_strdup(domain->uuid);
    wanted->name = g_strdup(domain->name);
    fsn_api_work(request, read_kept, wanted, wanted_free);
}

void
fsn_api_get_domain_changemap(FsnApiRequest *request)
{
    fsn_api_with_domain(request, changemap);
}
