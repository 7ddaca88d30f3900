/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving a suspend state up on purpose. Once begun it is carried on with, by recovery too. */
#include "config.h"

#include "cycle/discard.h"

#include "base/error.h"
#include "cycle/arm.h"
#include "cycle/find-state.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/recover.h"
#include "cycle/stub.h"
#include "repo/manifests.h"
#include "virt/domain.h"

/* A guard without a state refuses the domain's cold start for nothing: it is what remains
 * when the manifest was deleted by force. */
static bool
discard_guard(FsnCycle *cycle,
              FsnVirtDomain *domain,
              GError *why_no_state,
              GError **error)
{
    const char *name = fsn_virt_domain_name(domain);

    if (!g_error_matches(why_no_state, FSN_ERROR, FSN_ERROR_STATE) ||
        !fsn_stub_find(cycle, name, NULL)) {
        g_propagate_error(error, g_error_copy(why_no_state));
        return false;
    }
    return fsn_stub_remove(cycle, name, fsn_virt_domain_uuid(domain), error);
}

/* Consumed first: from then on nobody can resume it, whatever happens to us. */
static bool
discard_state(
    FsnCycle *cycle, FsnRepo *repo, FsnVirtDomain *domain, const char *id, GError **error)
{
    const char *name = fsn_virt_domain_name(domain);
    const char *uuid = fsn_virt_domain_uuid(domain);
    const char *state_dir = fsn_cycle_state_dir(cycle);
    g_autoptr(FsnJournal) j =
        fsn_journal_new(FSN_OP_DISCARD, name, uuid, fsn_cycle_uri(cycle),
                        fsn_cycle_repo_location(cycle), id);

    return fsn_journal_write(j, state_dir, FSN_STEP_BEGUN, error) &&
           fsn_arm_consume(repo, id, "discarded", error) &&
           fsn_journal_write(j, state_dir, FSN_STEP_CONSUMED, error) &&
           fsn_stub_remove(cycle, name, uuid, error) &&
           fsn_journal_write(j, state_dir, FSN_STEP_UNGUARDED, error) &&
           fsn_repo_delete_manifest(repo, id, error) &&
           fsn_journal_remove(j, state_dir, error);
}

bool
fsn_cycle_discard(FsnCycle *cycle, const char *name, GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    FsnRepo *repo = virt ? fsn_cycle_repo(cycle, error) : NULL;
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(FsnLock) lock = NULL;
    g_autoptr(GError) no_state = NULL;
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
    if (!lock) {
        return false;
    }
    if (!fsn_find_suspend_state(repo, uuid, &id, &no_state)) {
        return discard_guard(cycle, domain, no_state, error);
    }
    return discard_state(cycle, repo, domain, id, error);
}
