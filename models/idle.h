/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/events.h"
#include "models/idle-track.h"
#include "models/idle-wait.h"
#include "models/series.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Whether a VM will soon be active, when it wakes next, and when it falls idle: what decides on
 * suspending it and on being ready in time. */

/* Bounds of what a VM's model may hold, and of its JSON. */
#define FSN_IDLE_VERSION    1
#define FSN_IDLE_EXTRAS_MAX 4 /* series beside the CPU, and kinds of events */
#define FSN_IDLE_JSON_MAX   (64 * 1024)

/* All that is known when judging. Series beside the CPU (disk or network traffic, users)
 * have the step and the start of the track, and are as long; future events may be known. */
typedef struct {
    const FsnIdleTrack *track;
    const FsnEvents *events; /* or NULL */
    size_t n_extras;         /* at most FSN_IDLE_EXTRAS_MAX */
    const char *extra_names[FSN_IDLE_EXTRAS_MAX];
    const FsnSeries *extras[FSN_IDLE_EXTRAS_MAX];
    const double *extra_means[FSN_IDLE_EXTRAS_MAX]; /* of each, up to each sample */
} FsnIdleInput;

typedef struct {
    bool active;
    int64_t now_us;   /* of the sample it was made at */
    int64_t since_us; /* the state has lasted since */
    double p15, p60;  /* active at some time within 15 and 60 minutes */
    /* Quantiles (fsn_idle_wait_levels) of the next wake, and the likeliest moment. If active: of the
     * wake that ends the next idle period. */
    int64_t wake_us[FSN_IDLE_WAIT_LEVELS];
    int64_t wake_likely_us;
    /* The next idle period: when it begins (if idle now: since_us), and how long it lasts. */
    int64_t idle_us[FSN_IDLE_WAIT_LEVELS];
    int64_t idle_likely_us;
    int64_t idle_length_us[FSN_IDLE_WAIT_LEVELS];
} FsnIdleForecast;

typedef struct FsnIdle FsnIdle;

/* A track of @cpu. Finer samples are averaged; a coarser step, or one that does not fit five
 * minutes, is FSN_ERROR_UNSUPPORTED. @threshold is learned from the values if it is NAN, at least
 * @floor. Only the last FSN_IDLE_SAMPLES_MAX samples are taken. Habits follow the clock of @zone;
 * NULL: UTC. */
FsnIdleTrack *fsn_idle_track_of_series(const FsnSeries *cpu,
                                       double threshold,
                                       double floor,
                                       GTimeZone *zone,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A series beside it, brought to the samples of @track, and the means of its values up to
 * each; the caller frees both. */
bool fsn_idle_extra_of_series(const FsnIdleTrack *track,
                              const FsnSeries *series,
                              FsnSeries **out_extra,
                              double **out_means,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What holds for VMs in general. */
FsnIdle *fsn_idle_new(void);
void fsn_idle_free(FsnIdle *idle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnIdle, fsn_idle_free)

/* Learns from the whole of @input; deterministic. With less than two days of samples it stays
 * what it was. */
void fsn_idle_fit(FsnIdle *idle, const FsnIdleInput *input);
/* What is to be expected after sample @i, from samples up to @i. */
void fsn_idle_predict(const FsnIdle *idle,
                      const FsnIdleInput *input,
                      size_t i,
                      FsnIdleForecast *out_forecast);
/* How many samples it was fitted to; 0 if it never was. */
size_t fsn_idle_samples(const FsnIdle *idle);

/* The caller unrefs. A newer version is FSN_ERROR_UNSUPPORTED, else damage FSN_ERROR_FORMAT. */
JsonNode *fsn_idle_to_json(const FsnIdle *idle);
FsnIdle *fsn_idle_from_json(JsonNode *node, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Why: the habits that @track shows at sample @i, in plain words, times in @zone; the caller
 * frees. (models/idle-explain.c) */
char *fsn_idle_explain(const FsnIdleTrack *track,
                       size_t i,
                       const FsnIdleForecast *forecast,
                       GTimeZone *zone);

G_END_DECLS
