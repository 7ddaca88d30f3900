/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history as an object: opening, names and numbers, transactions. */
#include "config.h"

#include "history/store-private.h"

#include "base/error.h"

#include <string.h>
#include <unistd.h>

#define HOUR_US ((int64_t)3600 * G_USEC_PER_SEC)
#define DAY_US  (24 * HOUR_US)
/* When a domain was seen last is written so often. */
#define SEEN_US (12 * FSN_HISTORY_FINE_US)

const FsnHistoryKeep fsn_history_keep_default = {
    .raw_us = 2 * HOUR_US,
    .fine_us = 62 * DAY_US,
    .coarse_us = 800 * DAY_US,
};

char *
fsn_history_default_path(void)
{
    const char *chosen = g_getenv("FORESNAP_HISTORY");

    if (chosen && *chosen) {
        return g_canonicalize_filename(chosen, NULL);
    }
    return geteuid() == 0
               ? g_strdup("/var/lib/foresnap/history.db")
               : g_build_filename(g_get_user_data_dir(), "foresnap", "history.db", NULL);
}

static void
known_domain_free(gpointer data)
{
    FsnKnownDomain *domain = data;

    g_free(domain->name);
    g_free(domain);
}

FsnHistory *
fsn_history_open(const char *path, FsnHistoryFlags flags, GError **error)
{
    FsnTablesFlags how = 0;
    FsnTables *tables;
    FsnHistory *h;

    if (flags & FSN_HISTORY_CREATE) {
        how |= FSN_TABLES_CREATE;
    }
    if (flags & FSN_HISTORY_READ_ONLY) {
        how |= FSN_TABLES_READ_ONLY;
    }
    tables = fsn_tables_sqlite_open(path, how, error);
    if (!tables) {
        return NULL;
    }
    h = g_new0(FsnHistory, 1);
    h->tables = tables;
    h->keep = fsn_history_keep_default;
    h->codec = fsn_codec_context_new();
    h->metrics = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    h->domains =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_domain_free);
    return h;
}

void
fsn_history_set_keep(FsnHistory *history, const FsnHistoryKeep *keep)
{
    history->keep = *keep;
}

void
fsn_history_free(FsnHistory *history)
{
    if (!history) {
        return;
    }
    fsn_tables_free(history->tables);
    fsn_codec_context_free(history->codec);
    g_hash_table_unref(history->metrics);
    g_hash_table_unref(history->domains);
    g_free(history);
}

/* What is known by heart may have come from a transaction that never was. */
static void
forget(FsnHistory *h)
{
    g_hash_table_remove_all(h->metrics);
    g_hash_table_remove_all(h->domains);
    h->loaded = false;
}

/* Others write too: the numbers are read anew in each transaction. */
bool
fsn_history_load(FsnHistory *h, GError **error)
{
    const FsnTablesOps *ops = h->tables->ops;

    if (!h->loaded) {
        h->loaded = ops->number_get(h->tables, "rolled", 0, &h->rolled_us, error) &&
                    ops->number_get(h->tables, "kept.0", 0, &h->kept_us[0], error) &&
                    ops->number_get(h->tables, "kept.1", 0, &h->kept_us[1], error) &&
                    ops->number_get(h->tables, "raw.until", 0, &h->raw_us, error);
    }
    return h->loaded;
}

bool
fsn_history_begin(FsnHistory *history, GError **error)
{
    if (history->depth == 0) {
        history->loaded = false;
        if (!history->tables->ops->begin(history->tables, error)) {
            return false;
        }
    }
    history->depth++;
    return true;
}

bool
fsn_history_commit(FsnHistory *history, GError **error)
{
    g_return_val_if_fail(history->depth > 0, false);
    if (history->depth > 1) {
        history->depth--;
        return true;
    }
    if (!history->tables->ops->commit(history->tables, error)) {
        return false;
    }
    history->depth = 0;
    return true;
}

void
fsn_history_rollback(FsnHistory *history)
{
    if (history->depth > 0) {
        history->tables->ops->rollback(history->tables);
        history->depth = 0;
    }
    forget(history);
}

bool
fsn_history_metric_id(FsnHistory *h, const char *name, int64_t *out_id, GError **error)
{
    gpointer found = g_hash_table_lookup(h->metrics, name);

    if (found) {
        *out_id = GPOINTER_TO_INT(found);
        return true;
    }
    if (!fsn_metric_name_check(name, error) ||
        !h->tables->ops->metric_put(h->tables, name, out_id, error)) {
        return false;
    }
    g_hash_table_insert(h->metrics, g_strdup(name), GINT_TO_POINTER((int)*out_id));
    return true;
}

bool
fsn_history_domain_make(FsnHistory *h,
                        const char *uuid,
                        const char *name,
                        int64_t seen_us,
                        int64_t *out_id,
                        GError **error)
{
    FsnKnownDomain *known = g_hash_table_lookup(h->domains, uuid);

    if (known && strcmp(known->name, name) == 0 && seen_us < known->seen_us + SEEN_US) {
        *out_id = known->id;
        return true;
    }
    if (!g_uuid_string_is_valid(uuid) || !g_utf8_validate(name, -1, NULL)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%.80s' is no UUID of a domain",
                    uuid);
        return false;
    }
    if (!h->tables->ops->domain_put(h->tables, uuid, name, seen_us, out_id, error)) {
        return false;
    }
    known = g_new0(FsnKnownDomain, 1);
    known->id = *out_id;
    known->name = g_strdup(name);
    known->seen_us = seen_us;
    g_hash_table_replace(h->domains, g_strdup(uuid), known);
    return true;
}

typedef struct {
    const char *uuid;
    int64_t id;
    GPtrArray *domains;
} Search;

static bool
compare_domain(gpointer user, const FsnTablesDomain *domain, GError **error)
{
    Search *search = user;

    if (strcmp(domain->uuid, search->uuid) == 0) {
        search->id = domain->id;
    }
    return true;
}

bool
fsn_history_domain_id(FsnHistory *h, const char *uuid, int64_t *out_id, GError **error)
{
    FsnKnownDomain *known = g_hash_table_lookup(h->domains, uuid);
    Search search = { .uuid = uuid, .id = known ? known->id : 0 };

    if (!known &&
        !h->tables->ops->domain_each(h->tables, compare_domain, &search, error)) {
        return false;
    }
    *out_id = search.id;
    return true;
}

static void
domain_free(gpointer data)
{
    FsnHistoryDomain *domain = data;

    g_free(domain->uuid);
    g_free(domain->name);
    g_free(domain);
}

static bool
add_domain(gpointer user, const FsnTablesDomain *domain, GError **error)
{
    FsnHistoryDomain *d = g_new0(FsnHistoryDomain, 1);

    d->uuid = g_strdup(domain->uuid);
    d->name = g_strdup(domain->name);
    d->seen_us = domain->seen_us;
    g_ptr_array_add(user, d);
    return true;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    const FsnHistoryDomain *x = *(FsnHistoryDomain *const *)a;
    const FsnHistoryDomain *y = *(FsnHistoryDomain *const *)b;
    int order = strcmp(x->name, y->name);

    return order ? order : (y->seen_us > x->seen_us) - (y->seen_us < x->seen_us);
}

bool
fsn_history_domains(FsnHistory *history, GPtrArray **out_domains, GError **error)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(domain_free);

    if (!history->tables->ops->domain_each(history->tables, add_domain, domains, error)) {
        return false;
    }
    g_ptr_array_sort(domains, by_name);
    *out_domains = g_steal_pointer(&domains);
    return true;
}

bool
fsn_history_find(FsnHistory *history, const char *who, char **out_uuid, GError **error)
{
    g_autoptr(GPtrArray) domains = NULL;
    const FsnHistoryDomain *found = NULL;

    if (!fsn_history_domains(history, &domains, error)) {
        return false;
    }
    for (guint i = 0; i < domains->len; i++) {
        const FsnHistoryDomain *d = domains->pdata[i];

        if (strcmp(d->uuid, who) == 0) {
            found = d;
            break;
        }
        if (!found && strcmp(d->name, who) == 0) {
            found = d; /* the first of a name was seen last */
        }
    }
    if (!found) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "there is no history of a domain '%s'", who);
        return false;
    }
    *out_uuid = g_strdup(found->uuid);
    return true;
}

bool
fsn_history_put_reading(FsnHistory *history,
                        const char *uuid,
                        const char *name,
                        const char *text,
                        GError **error)
{
    int64_t id;

    if (!fsn_history_begin(history, error)) {
        return false;
    }
    if (!fsn_history_domain_make(history, uuid, name, 0, &id, error) ||
        !history->tables->ops->reading_put(history->tables, id, text, error) ||
        !fsn_history_commit(history, error)) {
        fsn_history_rollback(history);
        return false;
    }
    return true;
}

bool
fsn_history_get_reading(FsnHistory *history,
                        const char *uuid,
                        char **out_text,
                        GError **error)
{
    int64_t id;

    if (!fsn_history_domain_id(history, uuid, &id, error)) {
        return false;
    }
    *out_text = NULL;
    return id == 0 ||
           history->tables->ops->reading_get(history->tables, id, out_text, error);
}
