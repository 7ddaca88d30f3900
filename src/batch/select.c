/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selection of a batch. What is not chosen is silently left out; what is chosen and cannot
 * be done is named with its reason. */
#include "config.h"

#include "batch/select.h"

#include <string.h>

const char *
fsn_batch_verb_name(FsnBatchVerb verb)
{
    switch (verb) {
    case FSN_BATCH_SUSPEND:
        return "suspend";
    case FSN_BATCH_RESUME:
        return "resume";
    case FSN_BATCH_SNAPSHOT:
        return "snapshot";
    }
    g_assert_not_reached();
}

void
fsn_batch_domain_free(FsnBatchDomain *domain)
{
    if (!domain) {
        return;
    }
    g_free(domain->name);
    g_free(domain->uuid);
    g_free(domain->title);
    g_free(domain->profile);
    g_strfreev(domain->tags);
    g_strfreev(domain->after);
    g_free(domain->refusal);
    g_free(domain->block_job);
    g_free(domain->suspended);
    g_free(domain->recorded);
    g_free(domain);
}

static bool
has_any(const char *const *list)
{
    return list && *list;
}

bool
fsn_batch_selector_is_set(const FsnBatchSelector *selector)
{
    return selector->all || has_any(selector->matches) || has_any(selector->titles) ||
           has_any(selector->tags) || has_any(selector->profiles);
}

static bool
matches_glob(const char *const *globs, const char *text)
{
    for (; text && globs && *globs; globs++) {
        if (g_pattern_match_simple(*globs, text)) {
            return true;
        }
    }
    return false;
}

static bool
has_tag(const char *const *wanted, char **tags)
{
    for (; tags && wanted && *wanted; wanted++) {
        if (g_strv_contains((const char *const *)tags, *wanted)) {
            return true;
        }
    }
    return false;
}

bool
fsn_batch_selects(const FsnBatchSelector *selector, const FsnBatchDomain *domain)
{
    if (matches_glob(selector->excludes, domain->name)) {
        return false;
    }
    return selector->all || matches_glob(selector->matches, domain->name) ||
           matches_glob(selector->titles, domain->title) ||
           has_tag(selector->tags, domain->tags) ||
           (domain->profile && selector->profiles &&
            g_strv_contains(selector->profiles, domain->profile));
}

static char *
skip_suspend(const FsnBatchDomain *domain)
{
    if (!domain->running) {
        return g_strdup(domain->suspended ? "is suspended already" : "is off");
    }
    if (!domain->persistent) {
        return g_strdup("is transient: nothing would be left to resume");
    }
    if (domain->refusal) {
        return g_strdup(domain->refusal);
    }
    if (domain->block_job) {
        return g_strdup_printf("has a block job on disk %s", domain->block_job);
    }
    return NULL;
}

static char *
skip_resume(const FsnBatchDomain *domain)
{
    if (!domain->recorded) {
        return g_strdup("was not suspended by this batch");
    }
    if (domain->running) {
        return g_strdup("runs already");
    }
    if (!domain->suspended) {
        return g_strdup("is not suspended any more");
    }
    if (strcmp(domain->suspended, domain->recorded) != 0 &&
        strcmp(domain->recorded, FSN_BATCH_PENDING) != 0) {
        return g_strdup("was suspended again by somebody else");
    }
    return NULL;
}

static char *
skip_snapshot(const FsnBatchDomain *domain)
{
    if (domain->running && domain->block_job) {
        return g_strdup_printf("has a block job on disk %s", domain->block_job);
    }
    return NULL;
}

char *
fsn_batch_skip_reason(FsnBatchVerb verb, const FsnBatchDomain *domain)
{
    switch (verb) {
    case FSN_BATCH_SUSPEND:
        return skip_suspend(domain);
    case FSN_BATCH_RESUME:
        return skip_resume(domain);
    case FSN_BATCH_SNAPSHOT:
        return skip_snapshot(domain);
    }
    g_assert_not_reached();
}

GPtrArray *
fsn_batch_too_large(GPtrArray *domains, uint64_t free_bytes)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < domains->len; i++) {
        const FsnBatchDomain *domain = domains->pdata[i];

        if (domain->memory > free_bytes) {
            g_ptr_array_add(names, g_strdup(domain->name));
        } else {
            free_bytes -= domain->memory;
        }
    }
    return names;
}
