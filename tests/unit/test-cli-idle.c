/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a domain's activity is foretold from, out of a real history. */
#include "config.h"

#include "cli/idle-input.h"

#include "base/error.h"
#include "history/store.h"

#include <glib/gstdio.h>
#include <math.h>

#define UUID "0f0e0d0c-0b0a-0908-0706-050403020100"
#define NOW_US \
    ((int64_t)1767571200 * G_USEC_PER_SEC + (int64_t)5 * 86400 * G_USEC_PER_SEC)

typedef struct {
    char *folder, *history, *events;
} Fixture;

/* Four days: a value each five minutes that holds for them, loud from 06:00 to 07:00. */
static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    f->folder = g_dir_make_tmp("foresnap-test-XXXXXX", &error);
    g_assert_no_error(error);
    f->history = g_build_filename(f->folder, "history.db", NULL);
    f->events = g_build_filename(f->folder, "events", NULL);
    g_setenv("FORESNAP_EVENTS", f->events, TRUE);

    g_autoptr(FsnHistory) history =
        fsn_history_open(f->history, FSN_HISTORY_CREATE, &error);
    g_assert_no_error(error);
    for (size_t i = 1; i <= 4 * FSN_IDLE_DAY; i++) {
        bool loud = i % FSN_IDLE_DAY > 72 && i % FSN_IDLE_DAY <= 84;
        FsnMetricValue values[] = { { .name = "cpu", .value = loud ? 1.5 : .004 },
                                    { .name = "users", .value = loud } };
        FsnHistorySample sample = {
            .uuid = UUID,
            .name = "web",
            .time_us = NOW_US + ((int64_t)i - 4 * FSN_IDLE_DAY) * FSN_IDLE_STEP_US,
            .span_us = FSN_IDLE_STEP_US,
            .values = values,
            .n = G_N_ELEMENTS(values),
        };
        bool ok = fsn_history_insert(history, &sample, 1, sample.time_us, &error);

        g_assert_no_error(error);
        g_assert_true(ok);
    }
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);

        g_unlink(path);
    }
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->history);
    g_free(f->events);
}

static FsnIdleRequest
request_for(const Fixture *f, const char *domain)
{
    return (FsnIdleRequest){
        .domain = domain, .history = f->history, .threshold = NAN, .now_us = NOW_US + 1
    };
}

static void
test_history(Fixture *f, gconstpointer unused)
{
    static char *with[] = { "users", NULL };
    static const char *const names[] = { "web", UUID };

    for (size_t k = 0; k < G_N_ELEMENTS(names); k++) {
        FsnIdleRequest request = request_for(f, names[k]);
        g_auto(FsnIdleData) data = { 0 };
        g_autoptr(GError) error = NULL;

        request.with = with;
        bool ok = fsn_idle_data_load(&request, &data, &error);
        g_assert_no_error(error);
        g_assert_true(ok);
        g_assert_cmpuint(fsn_idle_track_count(data.track), ==, 4 * FSN_IDLE_DAY);
        g_assert_cmpfloat_with_epsilon(fsn_idle_track_threshold(data.track), .02, 1e-9);
        size_t n;
        const FsnIdleCycle *cycles =
            fsn_idle_track_cycles(data.track, 4 * FSN_IDLE_DAY - 1, &n);
        g_assert_cmpuint(n, ==, 3);
        g_assert_cmpuint(cycles[2].wake % FSN_IDLE_DAY, ==, 72);
        g_assert_cmpuint(data.input.n_extras, ==, 1);
        g_assert_cmpfloat(data.extras[0]->values[3 * FSN_IDLE_DAY + 75], ==, 1);
        g_assert_cmpuint(data.warnings->len, ==, 0);
    }
}

static void
test_refused(Fixture *f, gconstpointer unused)
{
    static char *bad[] = { "No Metric", NULL };
    static char *many[] = { "a", "b", "c", "d", "e", NULL };
    FsnIdleRequest requests[] = { request_for(f, "other"), request_for(f, "web"),
                                  request_for(f, "web"), request_for(f, "web"),
                                  request_for(f, "web") };
    static const int codes[] = { FSN_ERROR_NOT_FOUND, FSN_ERROR_NOT_FOUND,
                                 FSN_ERROR_USAGE, FSN_ERROR_NOT_FOUND, -1 };

    requests[1].now_us += (int64_t)900 * 86400 * G_USEC_PER_SEC; /* long ago */
    requests[2].with = many;
    requests[3].history = "/nowhere/history.db";
    requests[4].with = bad;
    for (size_t k = 0; k < G_N_ELEMENTS(requests); k++) {
        g_auto(FsnIdleData) data = { 0 };
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_idle_data_load(&requests[k], &data, &error));
        g_assert_nonnull(error);
        if (codes[k] >= 0) {
            g_assert_error(error, FSN_ERROR, codes[k]);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/cli-idle/history", Fixture, NULL, set_up, test_history, tear_down);
    g_test_add("/cli-idle/refused", Fixture, NULL, set_up, test_refused, tear_down);
    return g_test_run();
}
