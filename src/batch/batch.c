/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch from end to end. It is recorded before a domain is suspended that this is about to
 * happen, and by which snapshot afterwards: whatever kills the batch, the next resume knows
 * what it has put away.
 */
#include "config.h"

#include "batch/batch.h"

#include "base/error.h"
#include "base/json.h"
#include "batch/domains.h"
#include "batch/record.h"
#include "repo/repo.h"

#include <string.h>

#define GRACE_S 30

typedef struct {
    FsnCycle *cycle;
    const FsnBatchOptions *options;
    FsnBatchRecord *record; /* NULL: nothing is recorded */
    GPtrArray *items;
    GHashTable *by_uuid; /* FsnBatchItem, borrowed */
    GPtrArray *chosen;   /* FsnBatchDomain, borrowed */
    GError *error;       /* of the record */
} Work;

static void
item_free(gpointer data)
{
    FsnBatchItem *item = data;

    g_free(item->name);
    g_free(item->uuid);
    g_free(item->reason);
    g_clear_pointer(&item->result, json_object_unref);
    g_free(item);
}

static void
work_clear(Work *work)
{
    g_clear_pointer(&work->record, fsn_batch_record_free);
    g_clear_pointer(&work->items, g_ptr_array_unref);
    g_clear_pointer(&work->by_uuid, g_hash_table_unref);
    g_clear_pointer(&work->chosen, g_ptr_array_unref);
    g_clear_error(&work->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static void
tell(Work *work, const FsnBatchItem *item)
{
    if (work->options->tell) {
        work->options->tell(item, work->options->user);
    }
}

static FsnBatchItem *
add_item(Work *work, const FsnBatchDomain *domain)
{
    FsnBatchItem *item = g_new0(FsnBatchItem, 1);

    item->name = g_strdup(domain->name);
    item->uuid = g_strdup(domain->uuid);
    g_ptr_array_add(work->items, item);
    g_hash_table_insert(work->by_uuid, item->uuid, item);
    return item;
}

/* Without a selector a resume is about what is recorded, and silent about the rest. */
static bool
is_meant(const Work *work, const FsnBatchDomain *domain)
{
    const FsnBatchSelector *selector = &work->options->selector;
    FsnBatchSelector all = *selector;

    if (work->options->verb == FSN_BATCH_RESUME && !fsn_batch_selector_is_set(selector)) {
        all.all = true;
        return domain->recorded && fsn_batch_selects(&all, domain);
    }
    return fsn_batch_selects(selector, domain);
}

static void
choose(Work *work, GPtrArray *domains)
{
    for (guint i = 0; i < domains->len; i++) {
        FsnBatchDomain *domain = domains->pdata[i];
        FsnBatchItem *item;

        if (!is_meant(work, domain)) {
            continue;
        }
        item = add_item(work, domain);
        item->reason = fsn_batch_skip_reason(work->options->verb, domain);
        if (item->reason) {
            item->state = FSN_BATCH_SKIPPED;
            item->left_alone = true;
        } else {
            g_ptr_array_add(work->chosen, domain);
        }
    }
}

static void
leave_out_too_large(Work *work, uint64_t free_bytes)
{
    g_autoptr(GPtrArray) names = fsn_batch_too_large(work->chosen, free_bytes);

    for (guint i = work->chosen->len; i > 0; i--) {
        const FsnBatchDomain *domain = work->chosen->pdata[i - 1];
        FsnBatchItem *item = g_hash_table_lookup(work->by_uuid, domain->uuid);

        if (g_ptr_array_find_with_equal_func(names, domain->name, g_str_equal, NULL)) {
            item->state = FSN_BATCH_FAILED;
            item->reason = g_strdup("the repository may have no room for its memory");
            g_ptr_array_remove_index(work->chosen, i - 1);
        }
    }
}

/* What the record says and is no longer so. */
static bool
forget_stale(Work *work, GPtrArray *domains, GError **error)
{
    for (guint i = 0; i < domains->len; i++) {
        const FsnBatchDomain *domain = domains->pdata[i];
        g_autofree char *reason = fsn_batch_skip_reason(FSN_BATCH_RESUME, domain);

        if (domain->recorded && reason &&
            !fsn_batch_record_forget(work->record, domain->uuid, error)) {
            return false;
        }
    }
    return true;
}

static char **
command(const FsnBatchDomain *domain, gpointer user)
{
    Work *work = user;
    GPtrArray *argv = g_ptr_array_new();
    const char *uri = fsn_cycle_uri(work->cycle);
    const char *verb = fsn_batch_verb_name(work->options->verb);

    g_ptr_array_add(argv, g_strdup(work->options->program));
    g_ptr_array_add(argv, g_strdup("--json"));
    g_ptr_array_add(argv, g_strdup("--repo"));
    g_ptr_array_add(argv, g_strdup(fsn_cycle_repo_location(work->cycle)));
    if (uri) {
        g_ptr_array_add(argv, g_strdup("--connect"));
        g_ptr_array_add(argv, g_strdup(uri));
    }
    g_ptr_array_add(argv, g_strdup(verb));
    for (const char *const *arg = work->options->arguments; arg && *arg; arg++) {
        g_ptr_array_add(argv, g_strdup(*arg));
    }
    g_ptr_array_add(argv, g_strdup(domain->uuid));
    g_ptr_array_add(argv, NULL);
    /* The first trouble with the record is reported at the end. */
    if (work->options->verb == FSN_BATCH_SUSPEND) {
        (void)!fsn_batch_record_set(work->record, domain->uuid, FSN_BATCH_PENDING,
                                    work->error ? NULL : &work->error);
    }
    return (char **)g_ptr_array_free(argv, FALSE);
}

static void
record_outcome(Work *work, const FsnBatchItem *item)
{
    GError **error = work->error ? NULL : &work->error;
    bool done = item->state == FSN_BATCH_DONE;
    const char *id =
        item->result ? fsn_json_peek_string(item->result, "snapshot", NULL) : NULL;

    switch (work->options->verb) {
    case FSN_BATCH_SUSPEND:
        /* One that failed may still be brought to its end by recovery: it stays pending. */
        if (done && id) {
            (void)!fsn_batch_record_set(work->record, item->uuid, id, error);
        }
        break;
    case FSN_BATCH_RESUME:
        if (done) {
            (void)!fsn_batch_record_forget(work->record, item->uuid, error);
        }
        break;
    case FSN_BATCH_SNAPSHOT:
        break;
    }
}

static void
on_outcome(const FsnBatchDomain *domain, const FsnBatchOutcome *outcome, gpointer user)
{
    Work *work = user;
    FsnBatchItem *item = g_hash_table_lookup(work->by_uuid, domain->uuid);

    item->state = outcome->state;
    item->reason = g_strdup(outcome->error);
    item->took_us = outcome->took_us;
    item->result = outcome->result ? json_object_ref(outcome->result) : NULL;
    record_outcome(work, item);
    tell(work, item);
}

static bool
carry_out(Work *work, GCancellable *cancellable, GError **error)
{
    const FsnBatchRun run = { .verb = work->options->verb,
                              .jobs = MAX(work->options->jobs, 1),
                              .time_s = work->options->time_s,
                              .grace_s = GRACE_S,
                              .command = command,
                              .tell = on_outcome,
                              .user = work };
    g_autoptr(GPtrArray) outcomes = NULL;

    if (!fsn_batch_run(&run, work->chosen, cancellable, &outcomes, error)) {
        return false;
    }
    if (work->error) {
        g_propagate_prefixed_error(error, g_steal_pointer(&work->error),
                                   "cannot note what was done: ");
        return false;
    }
    return true;
}

static bool
prepare(Work *work, GPtrArray *domains, GError **error)
{
    FsnRepo *repo = fsn_cycle_repo(work->cycle, error);
    uint64_t free_bytes;

    if (!repo || !fsn_repo_space(repo, &free_bytes, error)) {
        return false;
    }
    choose(work, domains);
    if (work->options->verb == FSN_BATCH_SUSPEND) {
        leave_out_too_large(work, free_bytes);
    }
    for (guint i = 0; i < work->items->len; i++) {
        const FsnBatchItem *item = work->items->pdata[i];

        if (item->state != FSN_BATCH_WAITING) {
            tell(work, item);
        }
    }
    return true;
}

bool
fsn_batch(FsnCycle *cycle,
          const FsnBatchOptions *options,
          GCancellable *cancellable,
          GPtrArray **out_items,
          GError **error)
{
    g_auto(Work) work = { .cycle = cycle, .options = options };
    g_autoptr(GPtrArray) domains = NULL;
    bool done;

    work.items = g_ptr_array_new_with_free_func(item_free);
    work.by_uuid = g_hash_table_new(g_str_hash, g_str_equal);
    work.chosen = g_ptr_array_new();
    work.record = fsn_batch_record_open(fsn_cycle_state_dir(cycle),
                                        options->set ? options->set : "default", error);
    if (!work.record || !fsn_batch_list_domains(cycle, work.record, &domains, error) ||
        !prepare(&work, domains, error)) {
        return false;
    }
    if (options->dry_run) {
        /* So that a circle is found in this way too. */
        g_autoptr(FsnBatchOrder) order =
            fsn_batch_order_new(options->verb, work.chosen, error);

        *out_items = order ? g_steal_pointer(&work.items) : NULL;
        return order != NULL;
    }
    done = forget_stale(&work, domains, error) && carry_out(&work, cancellable, error);
    *out_items = g_steal_pointer(&work.items);
    return done;
}
