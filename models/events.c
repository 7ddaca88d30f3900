/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Known external events: a set of intervals, kept in order. It guarantees bounds on number,
 * times and text, so that whoever uses it needs no checks of his own. It does not know
 * where events come from.
 */
#include "models/events.h"

#include "base/error.h"

#include <string.h>

struct FsnEvents {
    GPtrArray *array; /* of FsnEvent*, ordered by compare() */
    int64_t longest_us;
};

static void
event_free(void *data)
{
    FsnEvent *event = data;

    g_free(event->kind);
    g_free(event->name);
    g_free(event);
}

FsnEvents *
fsn_events_new(void)
{
    FsnEvents *events = g_new0(FsnEvents, 1);

    events->array = g_ptr_array_new_with_free_func(event_free);
    return events;
}

FsnEvents *
fsn_events_copy(const FsnEvents *events)
{
    FsnEvents *copy = fsn_events_new();

    /* A set takes all that another one holds. */
    (void)!fsn_events_merge(copy, events, NULL);
    return copy;
}

void
fsn_events_free(FsnEvents *events)
{
    if (!events) {
        return;
    }
    g_ptr_array_unref(events->array);
    g_free(events);
}

bool
fsn_event_kind_is_valid(const char *kind)
{
    size_t len = strlen(kind);

    return len > 0 && len <= FSN_EVENT_KIND_MAX && g_ascii_islower(kind[0]) &&
           strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static int
compare(const FsnEvent *a, const FsnEvent *b)
{
    if (a->start_us != b->start_us) {
        return a->start_us < b->start_us ? -1 : 1;
    }
    if (a->end_us != b->end_us) {
        return a->end_us < b->end_us ? -1 : 1;
    }
    int by_kind = strcmp(a->kind, b->kind);

    return by_kind ? by_kind : strcmp(a->name, b->name);
}

/* A copy of at most FSN_EVENT_NAME_MAX bytes that can be shown; the caller frees. */
static char *
presentable(const char *name)
{
    g_autofree char *valid = g_utf8_make_valid(name, strnlen(name, FSN_EVENT_NAME_MAX));
    GString *text = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gsize before = text->len;

        g_string_append_unichar(text, g_unichar_iscntrl(c) ? ' ' : c);
        if (text->len > FSN_EVENT_NAME_MAX) {
            g_string_truncate(text, before);
            break;
        }
    }
    return g_strstrip(g_string_free(text, FALSE));
}

/* The first event that starts at or after @time_us. */
static guint
first_from(const FsnEvents *events, int64_t time_us)
{
    guint low = 0, high = events->array->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        const FsnEvent *event = events->array->pdata[middle];

        if (event->start_us < time_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Puts @event, which it takes, where it belongs. */
static void
insert(FsnEvents *events, FsnEvent *event)
{
    guint at = first_from(events, event->start_us);

    while (at < events->array->len) {
        int order = compare(events->array->pdata[at], event);

        if (order == 0) {
            event_free(event);
            return;
        }
        if (order > 0) {
            break;
        }
        at++;
    }
    events->longest_us = MAX(events->longest_us, event->end_us - event->start_us);
    g_ptr_array_insert(events->array, (int)at, event);
}

bool
fsn_events_add(FsnEvents *events,
               int64_t start_us,
               int64_t end_us,
               const char *kind,
               const char *name,
               GError **error)
{
    kind = kind ? kind : FSN_EVENTS_DEFAULT_KIND;
    if (!fsn_event_kind_is_valid(kind)) {
        g_autofree char *shown = g_utf8_make_valid(kind, strnlen(kind, 64));

        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' is no kind of event: use at most %d lower-case letters, "
                    "digits and '-', a letter first",
                    shown, FSN_EVENT_KIND_MAX);
        return false;
    }
    if (start_us < FSN_EVENT_TIME_MIN_US || end_us > FSN_EVENT_TIME_MAX_US) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the time of an event lies outside the years 1900 to 2199");
        return false;
    }
    if (end_us <= start_us) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "an event does not end after its start");
        return false;
    }
    if (events->array->len >= FSN_EVENTS_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "more than %d events",
                    FSN_EVENTS_MAX);
        return false;
    }
    FsnEvent *event = g_new0(FsnEvent, 1);

    event->start_us = start_us;
    event->end_us = end_us;
    event->kind = g_strdup(kind);
    event->name = presentable(name ? name : "");
    insert(events, event);
    return true;
}

bool
fsn_events_merge(FsnEvents *events, const FsnEvents *more, GError **error)
{
    for (guint i = 0; i < more->array->len; i++) {
        const FsnEvent *event = more->array->pdata[i];

        if (!fsn_events_add(events, event->start_us, event->end_us, event->kind,
                            event->name, error)) {
            return false;
        }
    }
    return true;
}

size_t
fsn_events_count(const FsnEvents *events)
{
    return events->array->len;
}

const FsnEvent *
fsn_events_get(const FsnEvents *events, size_t i)
{
    g_return_val_if_fail(i < events->array->len, NULL);
    return events->array->pdata[i];
}

static int
compare_kinds(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
fsn_events_kinds(const FsnEvents *events)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *kinds = g_ptr_array_new();

    for (guint i = 0; i < events->array->len; i++) {
        const FsnEvent *event = events->array->pdata[i];

        if (g_hash_table_add(seen, event->kind)) {
            g_ptr_array_add(kinds, g_strdup(event->kind));
        }
    }
    g_ptr_array_sort(kinds, compare_kinds);
    g_ptr_array_add(kinds, NULL);
    return (char **)g_ptr_array_free(kinds, FALSE);
}

static bool
is_of(const FsnEvent *event, const char *kind)
{
    return !kind || strcmp(event->kind, kind) == 0;
}

/* Where events that reach into the time from @time_us on can begin. */
static guint
first_reaching(const FsnEvents *events, int64_t time_us)
{
    int64_t earliest;

    if (__builtin_sub_overflow(time_us, events->longest_us, &earliest)) {
        return 0;
    }
    return first_from(events, earliest);
}

double
fsn_events_coverage(const FsnEvents *events,
                    const char *kind,
                    int64_t from_us,
                    int64_t to_us)
{
    int64_t reached_us = from_us;
    double covered_us = 0;

    if (to_us <= from_us) {
        return 0;
    }
    for (guint i = first_reaching(events, from_us); i < events->array->len; i++) {
        const FsnEvent *event = events->array->pdata[i];

        if (event->start_us >= to_us) {
            break;
        }
        if (!is_of(event, kind) || event->end_us <= reached_us) {
            continue;
        }
        covered_us +=
            (double)(MIN(event->end_us, to_us) - MAX(event->start_us, reached_us));
        reached_us = MIN(event->end_us, to_us);
    }
    return MIN(1, covered_us / ((double)to_us - (double)from_us));
}

/* Adds to the steps what [@from_us, @to_us) covers of each, in steps. */
static void
cover_steps(
    int64_t from_us, int64_t to_us, int64_t start_us, int64_t step_us, double *column)
{
    for (int64_t at_us = from_us; at_us < to_us;) {
        int64_t i = (at_us - start_us) / step_us;
        int64_t end_us = MIN(to_us, start_us + (i + 1) * step_us);

        column[i] += (double)(end_us - at_us) / (double)step_us;
        at_us = end_us;
    }
}

void
fsn_events_column(const FsnEvents *events,
                  const char *kind,
                  int64_t start_us,
                  int64_t step_us,
                  size_t n,
                  double *out_column)
{
    int64_t reached_us = start_us;
    int64_t end_us = start_us + (int64_t)n * step_us;

    for (size_t i = 0; i < n; i++) {
        out_column[i] = 0;
    }
    for (guint i = first_reaching(events, start_us); i < events->array->len; i++) {
        const FsnEvent *event = events->array->pdata[i];

        if (event->start_us >= end_us) {
            break;
        }
        if (!is_of(event, kind) || event->end_us <= reached_us) {
            continue;
        }
        cover_steps(MAX(event->start_us, reached_us), MIN(event->end_us, end_us),
                    start_us, step_us, out_column);
        reached_us = MIN(event->end_us, end_us);
    }
    for (size_t i = 0; i < n; i++) {
        out_column[i] = MIN(1, out_column[i]);
    }
}

const FsnEvent *
fsn_events_next(const FsnEvents *events, const char *kind, int64_t time_us)
{
    for (guint i = first_from(events, time_us); i < events->array->len; i++) {
        if (is_of(events->array->pdata[i], kind)) {
            return events->array->pdata[i];
        }
    }
    return NULL;
}

const FsnEvent *
fsn_events_at(const FsnEvents *events, const char *kind, int64_t time_us)
{
    const FsnEvent *found = NULL;

    for (guint i = first_reaching(events, time_us); i < events->array->len; i++) {
        const FsnEvent *event = events->array->pdata[i];

        if (event->start_us > time_us) {
            break;
        }
        if (is_of(event, kind) && event->end_us > time_us) {
            found = event;
        }
    }
    return found;
}
