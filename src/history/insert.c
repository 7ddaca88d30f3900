/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples into the history. Those of now become raw rows; those that are older than raw rows
 * are kept become windows at once. Whatever order they come in, and whatever the clock did, the
 * windows are those of all samples that are there.
 */
#include "config.h"

#include "base/error.h"
#include "history/merge-private.h"
#include "history/store-private.h"

#include <math.h>

/* Clocks of a host and of who sends its values differ a little. */
#define FUTURE_US ((int64_t)60 * G_USEC_PER_SEC)
/* A clock that is set back by more has been wrong before. */
#define BACK_US   ((int64_t)3600 * G_USEC_PER_SEC)

/* One call's work. */
typedef struct {
    FsnHistory *h;
    GByteArray *bytes;
    GArray *values; /* FsnSampleValue */
    int64_t newest_us;
    int64_t now_us;
    FsnAccumulator *old; /* NULL = no old samples yet */
} Insert;

static int
by_metric(gconstpointer a, gconstpointer b)
{
    const FsnSampleValue *x = a, *y = b;

    return (x->metric > y->metric) - (x->metric < y->metric);
}

static bool
check_sample(const FsnHistorySample *s, int64_t now_us, GError **error)
{
    if (s->time_us > now_us + FUTURE_US || s->time_us < FSN_RATES_MAX_GAP_US) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "a value's time must lie between 1970 and now");
        return false;
    }
    g_return_val_if_fail(s->span_us >= 0 && s->span_us <= FSN_RATES_MAX_GAP_US, false);
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->values[i].value)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "the value of '%s' is no number", s->values[i].name);
            return false;
        }
    }
    return true;
}

/* Fills in->values, ascending by metric. */
static bool
number_values(Insert *in, const FsnHistorySample *s, GError **error)
{
    bool sorted = true;

    g_array_set_size(in->values, 0);
    for (size_t i = 0; i < s->n; i++) {
        FsnSampleValue v = { .value = s->values[i].value };

        if (!fsn_history_metric_id(in->h, s->values[i].name, &v.metric, error)) {
            return false;
        }
        sorted = sorted &&
                 (i == 0 ||
                  g_array_index(in->values, FsnSampleValue, i - 1).metric < v.metric);
        g_array_append_val(in->values, v);
    }
    if (!sorted) {
        g_array_sort(in->values, by_metric);
    }
    return true;
}

typedef struct {
    FsnHistory *h;
    GArray *values; /* those that are new; those that were there are added */
} Meet;

static bool
meet_sample(gpointer user,
            int64_t domain,
            int64_t key,
            const uint8_t *data,
            size_t len,
            GError **error)
{
    Meet *meet = user;
    g_autoptr(GArray) old = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    guint n = meet->values->len;
    int64_t span_us;

    if (!fsn_sample_parse(data, len, &span_us, old)) {
        return fsn_history_damaged(meet->h, "a sample", error);
    }
    for (guint i = 0; i < old->len; i++) {
        const FsnSampleValue *v = &g_array_index(old, FsnSampleValue, i);
        bool replaced = false;

        for (guint k = 0; k < n && !replaced; k++) {
            replaced = g_array_index(meet->values, FsnSampleValue, k).metric == v->metric;
        }
        if (!replaced) {
            g_array_append_val(meet->values, *v);
        }
    }
    return true;
}

static bool
put_raw(Insert *in,
        int64_t domain,
        const FsnHistorySample *s,
        bool replace,
        bool *out_done,
        GError **error)
{
    g_byte_array_set_size(in->bytes, 0);
    fsn_sample_append(in->bytes, s->span_us,
                      (const FsnSampleValue *)(void *)in->values->data, in->values->len);
    return in->h->tables->ops->raw_put(in->h->tables, s->time_us, domain, in->bytes->data,
                                       in->bytes->len, replace, out_done, error);
}

static bool
insert_raw(Insert *in, int64_t domain, const FsnHistorySample *s, GError **error)
{
    FsnHistory *h = in->h;
    Meet meet = { .h = h, .values = in->values };
    bool done;

    if (!put_raw(in, domain, s, false, &done, error)) {
        return false;
    }
    if (!done) {
        if (!h->tables->ops->raw_scan(h->tables, domain, s->time_us - 1, s->time_us,
                                      meet_sample, &meet, error)) {
            return false;
        }
        g_array_sort(in->values, by_metric);
        if (!put_raw(in, domain, s, true, &done, error)) {
            return false;
        }
    }
    in->newest_us = MAX(in->newest_us, s->time_us);
    return s->time_us - s->span_us >= h->rolled_us ||
           fsn_rollup_again(h, domain, s->time_us - s->span_us, s->time_us, error);
}

static void
insert_old(Insert *in, int64_t domain, const FsnHistorySample *s)
{
    if (!in->old) {
        /* Slots fit into a number relative to the first of the last nine years. */
        int64_t first = in->now_us / FSN_HISTORY_FINE_US - ((int64_t)950 << 10);

        in->old = fsn_accumulator_new(MAX(first, 0));
    }
    for (guint i = 0; i < in->values->len; i++) {
        const FsnSampleValue *v = &g_array_index(in->values, FsnSampleValue, i);

        fsn_accumulator_add(in->old, domain, v->metric, s->time_us, s->span_us, v->value,
                            0, in->now_us / FSN_HISTORY_FINE_US + 1);
    }
}

/* Windows are made from the one of @time_us on. */
static bool
set_rolled(FsnHistory *h, int64_t time_us, GError **error)
{
    h->rolled_us = fsn_floor_div(time_us, FSN_HISTORY_FINE_US) * FSN_HISTORY_FINE_US;
    return h->tables->ops->number_put(h->tables, "rolled", h->rolled_us, error);
}

static bool
insert_sample(Insert *in, const FsnHistorySample *s, GError **error)
{
    FsnHistory *h = in->h;
    int64_t domain;

    if (!check_sample(s, in->now_us, error) ||
        !fsn_history_domain_make(h, s->uuid, s->name, s->time_us, &domain, error) ||
        !number_values(in, s, error)) {
        return false;
    }
    if (h->rolled_us == 0 &&
        !set_rolled(h, MAX(s->time_us - s->span_us, in->now_us - h->keep.raw_us),
                    error)) {
        return false;
    }
    if (s->time_us - s->span_us <= MAX(h->raw_us, in->now_us - h->keep.raw_us)) {
        insert_old(in, domain, s);
        return true;
    }
    return insert_raw(in, domain, s, error);
}

/* Windows that were made for a future that has not come are no reason to make none now. */
static bool
heed_clock(FsnHistory *h, int64_t now_us, GError **error)
{
    if (now_us >= h->rolled_us - BACK_US) {
        return true;
    }
    h->raw_us = MIN(h->raw_us, now_us - h->keep.raw_us);
    return set_rolled(h, now_us, error) &&
           h->tables->ops->number_put(h->tables, "raw.until", h->raw_us, error);
}

static bool
insert_all(Insert *in, const FsnHistorySample *samples, size_t n, GError **error)
{
    FsnHistory *h = in->h;
    int64_t before_us;

    if (!fsn_history_load(h, error) || !heed_clock(h, in->now_us, error)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (samples[i].n > 0 && !insert_sample(in, &samples[i], error)) {
            return false;
        }
    }
    before_us = h->rolled_us;
    return (!in->old || fsn_merge_accumulated(h, in->old, in->now_us, error)) &&
           fsn_rollup_advance(h, in->newest_us, error) &&
           (h->rolled_us == before_us || fsn_retain(h, in->now_us, error));
}

bool
fsn_history_insert(FsnHistory *history,
                   const FsnHistorySample *samples,
                   size_t n,
                   int64_t now_us,
                   GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    Insert in = { .h = history, .bytes = bytes, .values = values, .now_us = now_us };
    bool ok;

    if (!fsn_history_begin(history, error)) {
        return false;
    }
    ok = insert_all(&in, samples, n, error) && fsn_history_commit(history, error);
    fsn_accumulator_free(in.old);
    if (!ok) {
        fsn_history_rollback(history);
    }
    return ok;
}
