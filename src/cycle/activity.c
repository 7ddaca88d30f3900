/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what was sampled of a domain to what decisions are made on. Looks only, and never fails:
 * a snapshot that cannot know what its domain does is still a snapshot.
 */
#include "config.h"

#include "cycle/activity.h"

#include "base/error.h"
#include "history/store.h"

#include <math.h>

#define STEP_US ((int64_t)60 * G_USEC_PER_SEC)

struct FsnActivitySource {
    FsnHistory *history; /* NULL = none */
    char *uuid;
    int64_t now_us;
    const char *missing;
};

static const char *
why_missing(const GError *error)
{
    return g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND)
               ? "there is no history"
               : "the history cannot be read";
}

static void
give_up(FsnActivitySource *self, const GError *error)
{
    g_debug("activity: %s", error->message);
    self->missing = why_missing(error);
    g_clear_pointer(&self->history, fsn_history_free);
}

FsnActivitySource *
fsn_activity_source_new(const char *history, const char *uuid, int64_t now_us)
{
    FsnActivitySource *self = g_new0(FsnActivitySource, 1);
    g_autoptr(GError) error = NULL;

    self->uuid = g_strdup(uuid);
    self->now_us = now_us;
    self->missing = "nothing was sampled in the 10 minutes before";
    self->history = fsn_history_open(history, FSN_HISTORY_READ_ONLY, &error);
    if (!self->history) {
        give_up(self, error);
    }
    return self;
}

void
fsn_activity_source_free(FsnActivitySource *self)
{
    if (self) {
        fsn_history_free(self->history);
        g_free(self->uuid);
        g_free(self);
    }
}

/* The mean of @metric over what is known of the window; negative if nothing is. */
static double
mean_of(FsnActivitySource *self, const char *metric)
{
    g_autofree FsnWindow *windows = NULL;
    g_autoptr(GError) error = NULL;
    double sum = 0;
    double weight = 0;
    int64_t start_us;
    size_t n;

    if (!self->history) {
        return -1;
    }
    if (!fsn_history_windows(self->history, self->uuid, metric,
                             MAX(self->now_us - FSN_ACTIVITY_WINDOW_US, 0), self->now_us,
                             STEP_US, &windows, &n, &start_us, &error)) {
        give_up(self, error);
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        sum += windows[i].cover > 0 ? windows[i].mean * windows[i].cover : 0;
        weight += windows[i].cover;
    }
    return weight > 0 && sum >= 0 ? sum / weight : -1;
}

static double
device_mean(FsnActivitySource *self, const char *target, const char *suffix)
{
    char metric[FSN_METRIC_NAME_MAX + 1];

    if (!target) {
        g_snprintf(metric, sizeof metric, "disk.%s", suffix);
    } else {
        fsn_metric_device_name(metric, "disk", target, suffix);
    }
    return mean_of(self, metric);
}

FsnActivity
fsn_activity_of(FsnActivitySource *self, const char *target, int previous_step)
{
    double read = device_mean(self, target, "read.bytes");
    double written = device_mean(self, target, "write.bytes");
    double cores = mean_of(self, "cpu");
    double vcpus = mean_of(self, "vcpus");
    FsnActivity activity = FSN_ACTIVITY_UNKNOWN;

    activity.previous = previous_step;
    activity.missing = self->missing;
    if (read >= 0 || written >= 0) {
        activity.io_rate = floor(MAX(read, 0) + MAX(written, 0));
    }
    if (cores >= 0 && vcpus > 0) {
        activity.cpu = floor(MIN(cores / vcpus, 1) * 100);
    }
    return activity;
}
