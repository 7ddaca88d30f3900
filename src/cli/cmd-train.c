/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap train: the network that the forecasts of all domains share, from their histories.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "history/models-store.h"
#include "history/store.h"
#include "models/lstm.h"

#include <math.h>
#include <time.h>

#define DAY_US     ((int64_t)86400 * G_USEC_PER_SEC)
/* What backtests look at is not learned: they begin at most so long ago. */
#define UNTIL_DAYS 14
#define DAYS       62
#define SERIES_MAX 1000

static char *opt_history;
static gint64 opt_seed;
static int opt_samples;

static GOptionEntry options[] = {
    { "history", 0, 0, G_OPTION_ARG_FILENAME, &opt_history, "file of the history",
      "FILE" },
    { "samples", 0, 0, G_OPTION_ARG_INT, &opt_samples,
      "days to learn from (default: 16000)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &opt_seed,
      "the same seed and history, the same network", "N" },
    G_OPTION_ENTRY_NULL,
};

static const char *const metrics[] = {
    "cpu",          "memory.used", "disk.read.bytes", "disk.write.bytes",
    "net.rx.bytes", "net.tx.bytes"
};

/* Adds what is known of the domain's metrics before @until_us. */
static bool
add_domain(FsnHistory *history,
           const FsnHistoryDomain *domain,
           int64_t until_us,
           GPtrArray *series,
           GError **error)
{
    for (size_t m = 0; m < G_N_ELEMENTS(metrics) && series->len < SERIES_MAX; m++) {
        g_autoptr(FsnSeries) whole = fsn_history_series(
            history, domain->uuid, metrics[m], until_us - (DAYS - UNTIL_DAYS) * DAY_US,
            until_us, FSN_HISTORY_FINE_US, FSN_HISTORY_MEAN, error);
        g_autoptr(FsnSeries) known = whole ? fsn_series_without_lead(whole) : NULL;

        if (!whole) {
            return false;
        }
        if (known->n > 0) {
            g_ptr_array_add(series, g_steal_pointer(&known));
        }
    }
    return true;
}

static bool
load_series(const char *path, int64_t until_us, GPtrArray *series, GError **error)
{
    g_autoptr(FsnHistory) history = fsn_history_open(path, FSN_HISTORY_READ_ONLY, error);
    g_autoptr(GPtrArray) domains = NULL;

    if (!history || !fsn_history_domains(history, &domains, error)) {
        return false;
    }
    for (guint i = 0; i < domains->len; i++) {
        if (!add_domain(history, domains->pdata[i], until_us, series, error)) {
            return false;
        }
    }
    return true;
}

static void
report(FsnCliContext *context, const FsnLstm *network, guint n, double seconds)
{
    double trained;
    double kept;

    fsn_lstm_losses(network, &trained, &kept);
    fsn_cli_print(context, "learned from %u series in %.1f s\n", n, seconds);
    json_object_set_int_member(context->document, "series", n);
    json_object_set_double_member(context->document, "cpu_s", seconds);
    json_object_set_double_member(context->document, "loss", trained);
    if (isfinite(kept)) {
        json_object_set_double_member(context->document, "loss_kept_back", kept);
    }
}

static bool
run(FsnCliContext *context, char **args G_GNUC_UNUSED, GError **error)
{
    g_autofree char *usual = fsn_history_default_path();
    const char *path = opt_history ? opt_history : usual;
    int64_t now_us = fsn_realtime_us() / FSN_HISTORY_FINE_US * FSN_HISTORY_FINE_US;
    g_autoptr(GPtrArray) series =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_series_free);
    FsnLstmOptions how = { .seed = (uint64_t)opt_seed,
                           .samples = (size_t)MAX(opt_samples, 0),
                           .until_us = now_us - UNTIL_DAYS * DAY_US };
    g_autoptr(FsnLstm) network = NULL;
    clock_t start = clock();

    if (opt_samples < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--samples must be positive");
        return false;
    }
    if (!load_series(path, how.until_us, series, error)) {
        return false;
    }
    network = fsn_lstm_train(series, &how, error);
    if (!network) {
        g_prefix_error(error,
                       "nothing to train with before the last %d days: ", UNTIL_DAYS);
        return false;
    }
    if (!fsn_models_save_network(path, network, error)) {
        return false;
    }
    report(context, network, series->len, (double)(clock() - start) / CLOCKS_PER_SEC);
    return true;
}

const FsnCliCommand fsn_cmd_train = {
    .name = "train",
    .arguments = "",
    .summary = "train the network that the forecasts of all domains share",
    .options = options,
    .max_args = 0,
    .run = run,
};
