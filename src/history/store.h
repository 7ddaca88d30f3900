/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "metrics/rates.h"
#include "metrics/window.h"
#include "models/series.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What domains have used, over years: samples for some hours, windows of 5 minutes for some
 * weeks, of an hour for some years; each with minimum, mean, maximum and 95th percentile
 * weighted by time. A domain is its UUID: a new name is the same domain, another domain of
 * the same name is another one. All times are UTC, so that a day always has 24 hours.
 *
 * One thread uses a history at a time; processes share the file. Every change is one
 * transaction: it is there as a whole or not at all, whatever kills the process.
 * Errors: FSN_ERROR_BUSY, CORRUPT, NO_SPACE, UNSUPPORTED (a newer version's), FORMAT (not
 * ours), NOT_FOUND, FAILED. */
typedef struct FsnHistory FsnHistory;

#define FSN_HISTORY_FINE_US   ((int64_t)300 * G_USEC_PER_SEC)
#define FSN_HISTORY_COARSE_US ((int64_t)3600 * G_USEC_PER_SEC)

/* For how long each kind is kept. */
typedef struct {
    int64_t raw_us;
    int64_t fine_us;
    int64_t coarse_us;
} FsnHistoryKeep;

/* 2 hours, 62 days, 800 days. */
extern const FsnHistoryKeep fsn_history_keep_default;

typedef enum {
    FSN_HISTORY_CREATE = 1,    /* make it if it is not there */
    FSN_HISTORY_READ_ONLY = 2, /* nothing is ever written */
} FsnHistoryFlags;

typedef enum {
    FSN_HISTORY_MEAN,
    FSN_HISTORY_MIN,
    FSN_HISTORY_MAX,
    FSN_HISTORY_P95,
} FsnHistoryStat;

/* Values of one domain that hold for the @span_us before @time_us; 0: those of the moment. */
typedef struct {
    const char *uuid;
    const char *name;
    int64_t time_us;
    int64_t span_us;              /* at most FSN_RATES_MAX_GAP_US */
    const FsnMetricValue *values; /* of different, valid names */
    size_t n;
} FsnHistorySample;

typedef struct {
    char *uuid;
    char *name;      /* the last that was seen */
    int64_t seen_us; /* when */
} FsnHistoryDomain;

/* Where the history is if nobody says: $FORESNAP_HISTORY, else /var/lib/foresnap/history.db for
 * root and $XDG_DATA_HOME/foresnap/history.db for others. The
 * caller frees. */
char *fsn_history_default_path(void);

/* One that is not there is FSN_ERROR_NOT_FOUND unless FSN_HISTORY_CREATE. */
FsnHistory *fsn_history_open(const char *path, FsnHistoryFlags flags, GError **error);
/* With other times of keeping; before the first insert. */
void fsn_history_set_keep(FsnHistory *history, const FsnHistoryKeep *keep);
void fsn_history_free(FsnHistory *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnHistory, fsn_history_free)

/* Adds samples, in one transaction, and does what is due: windows that are over are rolled up,
 * what is too old goes. @now_us is the real time. A sample of a time that another one has
 * adds to it; one of the future (by more than a minute) is FSN_ERROR_USAGE; one that is older
 * than samples are kept becomes part of its windows, unless what is there is better known. */
bool fsn_history_insert(FsnHistory *history,
                        const FsnHistorySample *samples,
                        size_t n,
                        int64_t now_us,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A metric at regular times, UTC, beginning with the multiple of @step_us at or before
 * @from_us and ending before @to_us; values[i] is that of [start + i × step, … + step). NAN
 * where nothing is known. A domain or metric that is not known gives nothing but NAN. @step_us is at least
 * one second, and the series has at most FSN_HISTORY_MAX_POINTS. The 95th percentile of
 * several windows is that of their mixture (metrics/window.h). */
#define FSN_HISTORY_MAX_POINTS 1000000
FsnSeries *fsn_history_series(FsnHistory *history,
                              const char *uuid,
                              const char *metric,
                              int64_t from_us,
                              int64_t to_us,
                              int64_t step_us,
                              FsnHistoryStat stat,
                              GError **error);
/* All four at once: @to_us as above, *@out_windows has as many elements as the series would
 * (cover 0: not known) and starts at *@out_start_us; the caller frees. */
bool fsn_history_windows(FsnHistory *history,
                         const char *uuid,
                         const char *metric,
                         int64_t from_us,
                         int64_t to_us,
                         int64_t step_us,
                         FsnWindow **out_windows,
                         size_t *out_n,
                         int64_t *out_start_us,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All domains (FsnHistoryDomain), by name; the array frees its elements. */
bool fsn_history_domains(FsnHistory *history, GPtrArray **out_domains, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The UUID of @who, which is a UUID or the name that a domain had last (of several of that
 * name, the one seen last); the caller frees. FSN_ERROR_NOT_FOUND names it. */
bool fsn_history_find(FsnHistory *history,
                      const char *who,
                      char **out_uuid,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Names of the metrics that a domain has anything of, sorted; the array frees them. */
bool fsn_history_metrics(FsnHistory *history,
                         const char *uuid,
                         GPtrArray **out_names,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds windows of 5 minutes from elsewhere: @windows[i] (cover 0: none) is that of
 * [start + i × 5 min, …). Of two of the same time the better known stays, so that doing it
 * twice changes nothing. */
bool fsn_history_merge(FsnHistory *history,
                       const char *uuid,
                       const char *name,
                       const char *metric,
                       int64_t start_us,
                       const FsnWindow *windows,
                       size_t n,
                       int64_t now_us,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The last counters of a domain, for who samples next (text, opaque here; NULL: none). */
bool fsn_history_put_reading(FsnHistory *history,
                             const char *uuid,
                             const char *name,
                             const char *text,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_history_get_reading(FsnHistory *history,
                             const char *uuid,
                             char **out_text,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Several changes as one: between them nothing else is written. Insert and merge may stand
 * inside. */
bool fsn_history_begin(FsnHistory *history, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_history_commit(FsnHistory *history, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_history_rollback(FsnHistory *history);

G_END_DECLS
