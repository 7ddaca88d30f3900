/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What is known from outside to happen: maintenance, month ends, holidays; past ones, from
 * which a model learns what an event does, and future ones, which it then expects. */

/* More than a calendar of years holds; a set refuses more. */
#define FSN_EVENTS_MAX          20000
#define FSN_EVENT_KIND_MAX      32  /* bytes */
#define FSN_EVENT_NAME_MAX      255 /* bytes; longer names are cut */
/* Instants between 1900 and 2200 are accepted. */
#define FSN_EVENT_TIME_MIN_US   (G_GINT64_CONSTANT(-2208988800) * G_USEC_PER_SEC)
#define FSN_EVENT_TIME_MAX_US   (G_GINT64_CONSTANT(7258118400) * G_USEC_PER_SEC)
#define FSN_EVENTS_DEFAULT_KIND "event"

typedef struct {
    int64_t start_us; /* UTC */
    int64_t end_us;   /* the first instant after it; > start_us */
    char *kind; /* [a-z][a-z0-9-]{0,31}: events of a kind are expected to do the same */
    char *name; /* for people; UTF-8 without control characters, may be "" */
} FsnEvent;

/* A set of events, ordered by start, end, kind and name. A constant set may be read by
 * several threads. */
typedef struct FsnEvents FsnEvents;

FsnEvents *fsn_events_new(void);
FsnEvents *fsn_events_copy(const FsnEvents *events);
void fsn_events_free(FsnEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnEvents, fsn_events_free)

bool fsn_event_kind_is_valid(const char *kind);

/* Adds one; an equal one that is there already is not added again. A NULL @kind is "event",
 * a NULL @name "". Times out of bounds, an end that is not after the start, an invalid kind
 * and a full set are FSN_ERROR_FORMAT. In @name control characters and bytes that are no
 * UTF-8 are replaced. */
bool fsn_events_add(FsnEvents *events,
                    int64_t start_us,
                    int64_t end_us,
                    const char *kind,
                    const char *name,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds all of @more. */
bool fsn_events_merge(FsnEvents *events, const FsnEvents *more, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

size_t fsn_events_count(const FsnEvents *events);
/* In their order; borrowed. */
const FsnEvent *fsn_events_get(const FsnEvents *events, size_t i);
/* The kinds that occur, in alphabetical order, NULL-terminated; the caller frees with
 * g_strfreev. */
char **fsn_events_kinds(const FsnEvents *events);

/* Which part of [@from_us, @to_us) is covered by events of @kind (NULL: of any), from 0
 * to 1; what several cover counts once. */
double fsn_events_coverage(const FsnEvents *events,
                           const char *kind,
                           int64_t from_us,
                           int64_t to_us);
/* The same for @n consecutive intervals of @step_us: a column of regressors for a series
 * that begins at @start_us. */
void fsn_events_column(const FsnEvents *events,
                       const char *kind,
                       int64_t start_us,
                       int64_t step_us,
                       size_t n,
                       double *out_column);

/* The first event of @kind (NULL: of any) that starts at or after @time_us, or NULL;
 * and one that is under way at @time_us (of several the one that started last). Borrowed. */
const FsnEvent *fsn_events_next(const FsnEvents *events,
                                const char *kind,
                                int64_t time_us);
const FsnEvent *fsn_events_at(const FsnEvents *events, const char *kind, int64_t time_us);

G_END_DECLS
