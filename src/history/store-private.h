/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/packbytes.h"
#include "history/rowbytes.h"
#include "history/store.h"
#include "history/tables.h"

G_BEGIN_DECLS

/* What the files of the store share. */

#define FSN_LEVELS 2

typedef struct {
    int64_t id;
    char *name;
    int64_t seen_us; /* as it is in the database; renewed now and then */
} FsnKnownDomain;

struct FsnHistory {
    FsnTables *tables;
    FsnHistoryKeep keep;
    FsnCodecContext *codec;
    GHashTable *metrics;         /* name → number */
    GHashTable *domains;         /* UUID → FsnKnownDomain */
    int64_t rolled_us;           /* windows of 5 minutes before this are made */
    int64_t kept_us[FSN_LEVELS]; /* windows before this are gone */
    int64_t raw_us;              /* samples up to this are gone */
    bool loaded;                 /* the numbers above are those of the database */
    unsigned depth;              /* of begin() */
};

/* Length of a window, and of a pack of them. */
static inline int64_t
fsn_level_us(int level)
{
    return level == 0 ? FSN_HISTORY_FINE_US : FSN_HISTORY_COARSE_US;
}

/* Rounded towards the past, also before 1970. */
static inline int64_t
fsn_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

bool fsn_history_load(FsnHistory *h, GError **error);
bool fsn_history_metric_id(FsnHistory *h,
                           const char *name,
                           int64_t *out_id,
                           GError **error);
/* The number of a domain that is known; 0 if it is not. */
bool fsn_history_domain_id(FsnHistory *h,
                           const char *uuid,
                           int64_t *out_id,
                           GError **error);
/* The same; one that is not known is made, and a new name is noted. */
bool fsn_history_domain_make(FsnHistory *h,
                             const char *uuid,
                             const char *name,
                             int64_t seen_us,
                             int64_t *out_id,
                             GError **error);
/* Sets the error for bytes that no writer of ours produces; always false. */
bool fsn_history_damaged(FsnHistory *h, const char *what, GError **error);

/* windows.c: of two windows of the same slot … */
typedef enum {
    FSN_WINDOWS_REPLACE, /* the new one stays */
    FSN_WINDOWS_BETTER,  /* the better known one stays, the old one of equals */
} FsnWindowsRule;

/* Windows of all metrics of one slot (FsnRowWindow, ascending). */
bool fsn_windows_put(FsnHistory *h,
                     int level,
                     int64_t domain,
                     int64_t slot,
                     GArray *windows,
                     FsnWindowsRule rule,
                     GError **error);
/* One metric: @windows[i] (cover 0: none) is that of slot @from + i. */
bool fsn_windows_put_metric(FsnHistory *h,
                            int level,
                            int64_t domain,
                            int64_t metric,
                            int64_t from,
                            const FsnWindow *windows,
                            size_t n,
                            FsnWindowsRule rule,
                            GError **error);
/* Fills @out_windows[0 … to - from) of one metric. */
bool fsn_windows_read(FsnHistory *h,
                      int level,
                      int64_t domain,
                      int64_t metric,
                      int64_t from,
                      int64_t to,
                      FsnWindow *out_windows,
                      GError **error);
/* Moves the rows of a span into packs. */
bool fsn_windows_pack(
    FsnHistory *h, int level, int64_t domain, int64_t span, GError **error);
/* Spans before this are to be packs. */
int64_t fsn_windows_due_span(const FsnHistory *h, int level);

/* Rows of @domain in a range of slots (FsnSlotRow), in order. */
typedef struct {
    int64_t slot;
    GArray *windows; /* FsnRowWindow; owned by the array */
} FsnSlotRow;

bool fsn_windows_rows(FsnHistory *h,
                      int level,
                      int64_t domain,
                      int64_t from,
                      int64_t to,
                      GArray **out_rows,
                      GError **error);

/* accumulate.c: values by domain, slot and metric, on their way to windows. */
typedef struct FsnAccumulator FsnAccumulator;
FsnAccumulator *fsn_accumulator_new(int64_t first_slot);
void fsn_accumulator_free(FsnAccumulator *a);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnAccumulator, fsn_accumulator_free)
/* Spreads a value over the slots of [@from, @to) that it holds in. */
void fsn_accumulator_add(FsnAccumulator *a,
                         int64_t domain,
                         int64_t metric,
                         int64_t time_us,
                         int64_t span_us,
                         double value,
                         int64_t from,
                         int64_t to);
/* Calls @each for every domain and slot in turn with the windows (FsnRowWindow). */
typedef bool (*FsnAccumulatorEach)(
    gpointer user, int64_t domain, int64_t slot, GArray *windows, GError **error);
bool fsn_accumulator_each(FsnAccumulator *a,
                          FsnAccumulatorEach each,
                          gpointer user,
                          GError **error);

/* rollup.c */
/* Makes all windows that are over at @now_us. */
bool fsn_rollup_advance(FsnHistory *h, int64_t now_us, GError **error);
/* Makes those of @domain again that [@from_us, @to_us) touches, if they were made. */
bool fsn_rollup_again(
    FsnHistory *h, int64_t domain, int64_t from_us, int64_t to_us, GError **error);
/* Hours of one metric from its windows of 5 minutes. */
bool fsn_rollup_hours(FsnHistory *h,
                      int64_t domain,
                      int64_t metric,
                      int64_t from_us,
                      int64_t to_us,
                      GError **error);

/* retain.c: packs what is due, and removes what is too old; a little at a time. */
bool fsn_retain(FsnHistory *h, int64_t now_us, GError **error);

G_END_DECLS
