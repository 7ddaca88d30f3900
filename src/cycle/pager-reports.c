/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the pager's reports: lines of JSON, bounded, each with a phase. */
#include "config.h"

#include "cycle/pager-reports.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cycle/holder-wire.h"

#include <string.h>

/* QEMU starts in a second; an eager load reads all memory first. The pager ends by itself
 * when nothing moves any more, so this only bounds a pager that hangs. */
#define SILENCE_MS (10 * 60 * 1000)

void
fsn_pager_reports_clear(FsnPagerReports *reports)
{
    memset(reports, 0, sizeof(*reports));
}

static void
take_counters(FsnPagerReports *r, JsonObject *line)
{
    r->requests = (uint64_t)fsn_json_peek_int(line, "requests", (int64_t)r->requests);
    r->working_set_pages = (uint64_t)fsn_json_peek_int(line, "working_set_pages",
                                                       (int64_t)r->working_set_pages);
    r->pages_total =
        (uint64_t)fsn_json_peek_int(line, "pages_total", (int64_t)r->pages_total);
    r->pages_sent =
        (uint64_t)fsn_json_peek_int(line, "pages_sent", (int64_t)r->pages_sent);
}

/* Takes one line; false for a failure that the pager reports. */
static bool
take_line(FsnPagerReports *r, JsonObject *line, GError **error)
{
    const char *phase = fsn_json_peek_string(line, "phase", "");
    int64_t now = fsn_monotonic_us() - r->started_us;

    take_counters(r, line);
    if (g_str_equal(phase, "created")) {
        r->created_us = r->created_us ? r->created_us : now;
    } else if (g_str_equal(phase, "ready")) {
        r->ready_us = now;
    } else if (g_str_equal(phase, "running")) {
        r->running_us = now;
    } else if (g_str_equal(phase, "done")) {
        r->done_us = now;
        r->running_us = r->running_us ? r->running_us : now;
    } else if (g_str_equal(phase, "failed")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "%s",
                    fsn_json_peek_string(line, "error", "the pager failed"));
        return false;
    }
    return true;
}

static bool
reached(const FsnPagerReports *r, FsnPagerMilestone until)
{
    switch (until) {
    case FSN_PAGER_READY:
        return r->ready_us > 0;
    case FSN_PAGER_RUNNING:
        return r->running_us > 0;
    case FSN_PAGER_DONE:
        return r->done_us > 0;
    }
    g_assert_not_reached();
}

bool
fsn_pager_reports_wait(
    FsnPagerReports *r, FsnCycle *cycle, int fd, FsnPagerMilestone until, GError **error)
{
    bool ok = true;

    if (r->started_us == 0) {
        r->started_us = fsn_monotonic_us();
    }
    while (ok && !reached(r, until)) {
        g_autoptr(JsonObject) line = NULL;

        ok =
            fsn_holder_receive(fd, SILENCE_MS, &line, error) && take_line(r, line, error);
        fsn_cycle_progress(cycle, "loading", r->pages_sent * 4096, r->pages_total * 4096);
    }
    return ok;
}
