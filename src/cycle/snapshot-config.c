/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is around the domain, into the snapshot: config-state.h and logs.h. */
#include "config.h"

#include "cycle/config-state.h"
#include "cycle/logs.h"
#include "cycle/snapshot-policy.h"
#include "cycle/snapshot-private.h"

/* Of a domain that runs, the description with its ports, which the migratable one lacks. */
static bool
description(FsnSnapshotRun *run, char **out_xml, GError **error)
{
    if (run->xml_live) {
        return fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_RUNNING, out_xml, error);
    }
    *out_xml = g_strdup(run->xml_inactive);
    return true;
}

bool
fsn_snapshot_store_config(FsnSnapshotRun *run, GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(FsnConfigRecord) record = NULL;
    g_autofree char *xml = NULL;

    if (!description(run, &xml, error)) {
        return false;
    }
    record = fsn_config_collect(run->virt, run->domain, xml, run->xml_live != NULL,
                                fsn_snapshot_policy_level(run, FSN_RESOURCE_NETWORK),
                                warnings);
    for (guint i = 0; i < warnings->len; i++) {
        fsn_snapshot_warn(run, warnings->pdata[i]);
    }
    run->config = fsn_config_store(record, run->repo, error);
    return run->config &&
           fsn_logs_store(run->repo, run->virt, run->facts->name, xml,
                          fsn_snapshot_policy_level(run, FSN_RESOURCE_LOG),
                          fsn_snapshot_policy_log_tail(run), &run->logs, error);
}
