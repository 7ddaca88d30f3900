/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving a suspend state up on purpose. */
#include "config.h"

#include "cycle/discard.h"

#include "base/error.h"
#include "cycle/arm.h"
#include "cycle/find-state.h"
#include "cycle/lock.h"
#include "cycle/recover.h"
#include "cycle/stub.h"
#include "repo/manifests.h"
#include "virt/domain.h"

bool
fsn_cycle_discard(FsnCycle *cycle, const char *name, GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    FsnRepo *repo = virt ? fsn_cycle_repo(cycle, error) : NULL;
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(FsnLock) lock = NULL;
    g_autofree char *id = NULL;
    const char *uuid;

    if (!repo) {
        return false;
    }
    if (!fsn_virt_lookup(virt, name, &domain, error)) {
        return false;
    }
    uuid = fsn_virt_domain_uuid(domain);
    if (!fsn_cycle_recover_domain(cycle, uuid, 0, NULL, error)) {
        return false;
    }
    lock = fsn_lock_take(fsn_cycle_state_dir(cycle), fsn_cycle_repo_location(cycle), uuid,
                         0, error);
    if (!lock || !fsn_find_suspend_state(repo, uuid, &id, error)) {
        return false;
    }
    /* Consumed first: from here on nobody can resume it, whatever happens to us. */
    return fsn_arm_consume(repo, id, "discarded", error) &&
           fsn_stub_remove(cycle, fsn_virt_domain_name(domain), uuid, error) &&
           fsn_repo_delete_manifest(repo, id, error);
}
