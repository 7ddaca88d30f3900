/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A round over the domains of the history that were seen of late, beginning anew with each
 * round, so that new ones come in and gone ones are left out. */
#include "config.h"

#include "daemon/refresher.h"

#include "base/clock.h"
#include "daemon/arguments.h"
#include "daemon/child.h"
#include "daemon/log.h"
#include "daemon/source.h"
#include "history/store.h"

#define MIN_PAUSE_S 10
#define FIT_TIME_S  300
/* Before there is a round: the first samples are not in yet, or there is nothing to do. */
#define EMPTY_S     300
#define SEEN_US     (3600 * (int64_t)G_USEC_PER_SEC)

struct FsnRefresher {
    const FsnDaemonConfig *config;
    const char *history_path;
    GQueue *round; /* of UUIDs */
    unsigned pause_s;
    GSource *timer;
    FsnChild *child;
};

unsigned
fsn_refresher_pause_s(unsigned hours, unsigned n)
{
    return MAX(hours * 3600 / MAX(n, 1), MIN_PAUSE_S);
}

static void
begin_round(FsnRefresher *refresher)
{
    g_autoptr(FsnHistory) history =
        fsn_history_open(refresher->history_path, FSN_HISTORY_READ_ONLY, NULL);
    g_autoptr(GPtrArray) domains = NULL;
    int64_t since_us = fsn_realtime_us() - SEEN_US;

    /* A history that is not there yet, or not readable now, is asked again. */
    if (!history || !fsn_history_domains(history, &domains, NULL)) {
        return;
    }
    for (guint i = 0; i < domains->len; i++) {
        const FsnHistoryDomain *domain = domains->pdata[i];

        if (domain->seen_us >= since_us) {
            g_queue_push_tail(refresher->round, g_strdup(domain->uuid));
        }
    }
    refresher->pause_s = fsn_refresher_pause_s(refresher->config->refresh_hours,
                                               g_queue_get_length(refresher->round));
}

static gboolean on_timer(gpointer user);

static void
wait_for_next(FsnRefresher *refresher, unsigned seconds)
{
    refresher->timer =
        fsn_source_attach(g_timeout_source_new_seconds(seconds), on_timer, refresher);
}

static void
on_fitted(JsonObject *document, const char *complaint, gpointer user)
{
    FsnRefresher *refresher = user;

    refresher->child = NULL;
    if (complaint) {
        /* Too little is known, it was undefined …: it comes again in its turn. */
        fsn_log(FSN_LOG_INFO, NULL, "a forecast was not refreshed: %s", complaint);
    }
}

static gboolean
on_timer(gpointer user)
{
    FsnRefresher *refresher = user;
    g_autofree char *uuid = NULL;
    g_auto(GStrv) arguments = NULL;

    fsn_source_clear(&refresher->timer);
    if (g_queue_is_empty(refresher->round)) {
        begin_round(refresher);
    }
    uuid = refresher->child ? NULL : g_queue_pop_head(refresher->round);
    if (uuid) {
        arguments =
            fsn_daemon_arguments(refresher->config, "size", uuid, "--dry-run", NULL);
        refresher->child =
            fsn_child_start(arguments, FIT_TIME_S, on_fitted, refresher, NULL);
    }
    wait_for_next(refresher, uuid ? refresher->pause_s : EMPTY_S);
    return G_SOURCE_REMOVE;
}

void
fsn_refresher_set(FsnRefresher *refresher, const FsnDaemonConfig *config)
{
    bool starts =
        !refresher->config || refresher->config->refresh_hours != config->refresh_hours;

    refresher->config = config;
    if (!starts) {
        return;
    }
    fsn_source_clear(&refresher->timer);
    g_queue_clear_full(refresher->round, g_free);
    if (config->refresh_hours > 0) {
        wait_for_next(refresher, MIN_PAUSE_S);
    }
}

FsnRefresher *
fsn_refresher_new(const FsnDaemonConfig *config, const char *history_path)
{
    FsnRefresher *refresher = g_new0(FsnRefresher, 1);

    refresher->history_path = history_path;
    refresher->round = g_queue_new();
    fsn_refresher_set(refresher, config);
    return refresher;
}

void
fsn_refresher_free(FsnRefresher *refresher)
{
    if (!refresher) {
        return;
    }
    fsn_source_clear(&refresher->timer);
    fsn_child_abandon(refresher->child);
    g_queue_free_full(refresher->round, g_free);
    g_free(refresher);
}
