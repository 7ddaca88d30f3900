/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The description of the restored domain, from the plan. */
#include "config.h"

#include "cycle/restore-private.h"

#include "domxml/restore-edit.h"

#include <string.h>

static FsnDiskPlace *
places_of(const FsnRestorePlan *plan)
{
    FsnDiskPlace *places = g_new0(FsnDiskPlace, plan->disks->len);

    for (guint i = 0; i < plan->disks->len; i++) {
        const FsnRestoreDisk *disk = g_ptr_array_index(plan->disks, i);

        places[i] = (FsnDiskPlace){ .target = disk->stored->target,
                                    .kind = disk->kind,
                                    .path = disk->path,
                                    .format = disk->format,
                                    .served = disk->socket };
    }
    return places;
}

void
fsn_restore_warn_dropped(FsnRestore *r)
{
    for (guint i = 0; i + 1 < r->plan.dropped->len; i++) {
        g_ptr_array_add(r->warnings,
                        g_strdup_printf("disk %s is not in the snapshot; the new domain "
                                        "does not have it",
                                        (const char *)r->plan.dropped->pdata[i]));
    }
}

bool
fsn_restore_build_xml(FsnRestore *r, const char *xml, char **out_xml, GError **error)
{
    g_autofree FsnDiskPlace *places = places_of(&r->plan);
    bool is_new = r->options.as != NULL;
    const FsnRestoreEdit edit = {
        .name = is_new ? r->name : NULL,
        .uuid = is_new ? r->uuid : NULL,
        .genid = r->genid,
        .disks = places,
        .n_disks = r->plan.disks->len,
        .dropped = is_new ? (const char *const *)r->plan.dropped->pdata : NULL,
        .new_macs = is_new && !r->memory,
        .links_down = is_new && r->memory && !r->options.links_up,
        .new_nvram = is_new,
        .nvram = r->nvram_place,
    };

    return fsn_domain_xml_restore(xml, &edit, out_xml, error);
}
