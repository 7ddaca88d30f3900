/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples as they were measured, as text that people and spreadsheets read. */
#include "config.h"

#include "history/samples-csv.h"

#include "base/clock.h"
#include "history/rowbytes.h"
#include "history/store-private.h"

#include <string.h>

#define HEADING "time,span,metric,value\n"

typedef struct {
    FsnHistory *h;
    GHashTable *names; /* number of a metric (pointer) → name */
    GString *text;
    GArray *values; /* scratch */
} Print;

static void
add_value(Print *p, int64_t time_us, int64_t span_us, const FsnSampleValue *v)
{
    const char *name = g_hash_table_lookup(p->names, GINT_TO_POINTER((int)v->metric));
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (name) {
        g_string_append_printf(
            p->text, "%" G_GINT64_FORMAT ".%06d,%" G_GINT64_FORMAT ".%03d,%s,%s\n",
            time_us / G_USEC_PER_SEC, (int)(time_us % G_USEC_PER_SEC),
            span_us / G_USEC_PER_SEC, (int)(span_us % G_USEC_PER_SEC / 1000), name,
            g_ascii_formatd(number, sizeof number, "%.9g", v->value));
    }
}

static bool
add_sample(gpointer user,
           int64_t domain,
           int64_t key,
           const uint8_t *data,
           size_t len,
           GError **error)
{
    Print *p = user;
    int64_t span_us;

    (void)domain; /* only one was asked for */
    g_array_set_size(p->values, 0);
    if (!fsn_sample_parse(data, len, &span_us, p->values)) {
        return fsn_history_damaged(p->h, "a sample", error);
    }
    for (guint i = 0; i < p->values->len; i++) {
        add_value(p, key, span_us, &g_array_index(p->values, FsnSampleValue, i));
    }
    return true;
}

static bool
add_name(gpointer user, int64_t id, const char *name, GError **error)
{
    (void)error; /* nothing can fail */
    g_hash_table_insert(user, GINT_TO_POINTER((int)id), g_strdup(name));
    return true;
}

/* The heading and the last whole lines; @text is taken over. */
static GBytes *
newest(GString *text, size_t max_bytes)
{
    size_t most = max_bytes - strlen(HEADING);
    const char *from = text->str;
    GString *out;

    if (text->len > most) {
        from = strchr(text->str + (text->len - most), '\n') + 1;
    }
    out = g_string_new(HEADING);
    g_string_append(out, from);
    g_string_free(text, TRUE);
    return g_string_free_to_bytes(out);
}

GBytes *
fsn_history_samples_csv(
    FsnHistory *h, const char *uuid, int64_t since_us, size_t max_bytes, GError **error)
{
    g_autoptr(GHashTable) names = NULL;
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    Print p = { .h = h, .values = values };
    int64_t domain;

    if (!fsn_history_load(h, error) || !fsn_history_domain_id(h, uuid, &domain, error) ||
        domain == 0) {
        return NULL;
    }
    p.names = names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    p.text = g_string_new(NULL);
    if (!h->tables->ops->metric_each(h->tables, add_name, names, error) ||
        !h->tables->ops->raw_scan(h->tables, domain, since_us, fsn_realtime_us(),
                                  add_sample, &p, error) ||
        p.text->len == 0) {
        g_string_free(p.text, TRUE);
        return NULL;
    }
    return newest(p.text, max_bytes);
}
