/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history/kept.c: what was chosen lasts a week or a day, knows what came since, goes with
 * snapshots, and gets the network that all share. */
#include "config.h"

#include "history/kept.h"
#include "history/models-store.h"

#include "base/error.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define DAY_US  (24 * HOUR_US)
#define UUID    "12345678-1234-1234-1234-123456789abc"
#define NOW     (1000 * DAY_US)

typedef struct {
    char *dir;
    char *history;
    FsnKeptRequest request;
} Place;

static void
place_make(Place *place)
{
    place->dir = g_dir_make_tmp("fsn-kept-XXXXXX", NULL);
    place->history = g_build_filename(place->dir, "history.db", NULL);
    place->request = (FsnKeptRequest){ .history_path = place->history,
                                       .uuid = UUID,
                                       .name = "cpu.mean",
                                       .now_us = NOW,
                                       .low = 0,
                                       .high = INFINITY };
}

static void
place_clear(Place *place)
{
    static const char *const names[] = { UUID ".json", "network.json" };
    g_autofree char *folder = g_strconcat(place->history, ".models", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(folder, names[i], NULL);

        (void)g_unlink(file);
    }
    (void)g_rmdir(folder);
    g_assert_cmpint(g_rmdir(place->dir), ==, 0);
    g_free(place->dir);
    g_free(place->history);
}

/* Waves of @days days that end @later hours after NOW. */
static FsnSeries *
wave(size_t days, size_t later)
{
    size_t n = days * 24 + later;
    FsnSeries *series = fsn_series_new(NOW - (int64_t)days * DAY_US, HOUR_US, n);

    for (size_t i = 0; i < n; i++) {
        series->values[i] = 20 + 5 * sin(2 * G_PI * (double)i / 24) + (double)(i * 7 % 5);
    }
    return series;
}

/* When the forecaster that one gets at @now_us was chosen; it must know all of @series. */
static int64_t
chosen(Place *place, const FsnSeries *series, int64_t now_us, bool refit)
{
    g_autoptr(GError) error = NULL;
    int64_t fitted_us = 0;

    place->request.now_us = now_us;
    place->request.refit = refit;
    g_autoptr(FsnForecaster) forecaster =
        fsn_kept_forecaster(&place->request, series, &fitted_us, &error);
    g_assert_no_error(error);
    g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, 3);
    g_assert_cmpint(forecast->start_us, ==, fsn_series_time(series, series->n));
    return fitted_us;
}

static void
test_forecaster(void)
{
    g_autoptr(FsnSeries) series = wave(10, 0);
    g_autoptr(FsnSeries) longer = wave(10, 30);
    Place place;

    place_make(&place);
    g_assert_cmpint(chosen(&place, series, NOW, false), ==, NOW);
    g_assert_cmpint(chosen(&place, longer, NOW + 30 * HOUR_US, false), ==, NOW);
    /* Read before, for several. */
    place.request.models = fsn_models_read(place.history, UUID);
    g_assert_cmpint(chosen(&place, longer, NOW + 30 * HOUR_US, false), ==, NOW);
    g_assert_cmpint(chosen(&place, longer, NOW + 30 * HOUR_US, false), ==, NOW);
    g_clear_pointer(&place.request.models, json_object_unref);
    /* Of a clock that was wrong. */
    g_assert_cmpint(chosen(&place, series, NOW - 1, false), ==, NOW - 1);
    g_assert_cmpint(chosen(&place, longer, NOW + 1, true), ==, NOW + 1);
    g_assert_cmpint(chosen(&place, longer, NOW + 6 * DAY_US, false), ==, NOW + 1);
    g_assert_cmpint(chosen(&place, longer, NOW + 8 * DAY_US, false), ==,
                    NOW + 8 * DAY_US);
    /* The series ends before what it knows. */
    g_assert_cmpint(chosen(&place, series, NOW + 9 * DAY_US, false), ==,
                    NOW + 9 * DAY_US);
    place.request.history_path = NULL;
    g_assert_cmpint(chosen(&place, series, NOW + 10 * DAY_US, false), ==,
                    NOW + 10 * DAY_US);
    place_clear(&place);
}

/* Days of work, in samples of five minutes. */
static FsnIdleTrack *
office(size_t days)
{
    g_autoptr(FsnSeries) cpu =
        fsn_series_new(NOW - (int64_t)days * DAY_US, FSN_IDLE_STEP_US, days * 288);
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < cpu->n; i++) {
        size_t slot = i % 288;

        cpu->values[i] = slot >= 96 && slot < 200 ? 30 : .3;
    }
    FsnIdleTrack *track = fsn_idle_track_of_series(cpu, NAN, 2, NULL, &error);
    g_assert_no_error(error);
    return track;
}

static FsnIdle *
learned(
    Place *place, const FsnIdleTrack *track, int64_t now_us, bool refit, int64_t *out_us)
{
    FsnIdleInput input = { .track = track };

    place->request.now_us = now_us;
    place->request.refit = refit;
    return fsn_kept_idle(&place->request, &input, out_us);
}

static void
test_idle(void)
{
    g_autoptr(FsnIdleTrack) track = office(21);
    FsnIdleInput input = { .track = track };
    FsnIdleForecast a;
    FsnIdleForecast b;
    int64_t when_us;
    Place place;

    place_make(&place);
    g_autoptr(FsnIdle) first = learned(&place, track, NOW, false, &when_us);
    g_assert_cmpint(when_us, ==, NOW);
    g_autoptr(FsnIdle) second = learned(&place, track, NOW + HOUR_US, false, &when_us);
    g_assert_cmpint(when_us, ==, NOW);
    g_assert_cmpuint(fsn_idle_samples(second), ==, fsn_idle_samples(first));
    size_t last = fsn_idle_track_count(track) - 1;
    fsn_idle_predict(first, &input, last, &a);
    fsn_idle_predict(second, &input, last, &b);
    g_assert_cmpfloat_with_epsilon(a.p60, b.p60, 1e-6);
    g_assert_cmpint(a.wake_likely_us, ==, b.wake_likely_us);
    g_autoptr(FsnIdle) anew = learned(&place, track, NOW + 2 * HOUR_US, true, &when_us);
    g_assert_cmpint(when_us, ==, NOW + 2 * HOUR_US);
    g_autoptr(FsnIdle) later = learned(&place, track, NOW + 2 * DAY_US, false, &when_us);
    g_assert_cmpint(when_us, ==, NOW + 2 * DAY_US);
    place_clear(&place);
}

/* Another host that has never seen the domain. */
static void
test_idle_carried(void)
{
    g_autoptr(FsnIdleTrack) track = office(21);
    g_autoptr(GError) error = NULL;
    Place here;
    Place there;
    int64_t when_us;

    place_make(&here);
    place_make(&there);
    g_autoptr(FsnIdle) mine = learned(&here, track, NOW, false, &when_us);
    g_autoptr(GBytes) bytes = fsn_models_carry(here.history, UUID, &error);
    g_assert_no_error(error);
    g_assert_true(fsn_models_absorb(there.history, UUID, "web", bytes, &error));
    g_autoptr(FsnIdle) theirs =
        fsn_models_load_idle(there.history, UUID, &when_us, &error);
    g_assert_no_error(error);
    g_assert_cmpint(when_us, ==, NOW);
    g_assert_cmpuint(fsn_idle_samples(theirs), ==, fsn_idle_samples(mine));
    /* A forecaster is asked for, and there is none. */
    g_autoptr(FsnForecaster) none =
        fsn_models_load(there.history, UUID, "idle", &when_us, &error);
    g_assert_null(none);
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    place_clear(&here);
    place_clear(&there);
}

static void
test_network(void)
{
    g_autoptr(FsnSeries) series = wave(30, 0);
    g_autoptr(GPtrArray) school = g_ptr_array_new();
    FsnLstmOptions how = { .samples = 400, .until_us = NOW - 14 * DAY_US };
    g_autoptr(GError) error = NULL;
    Place place;
    int64_t when_us;

    place_make(&place);
    g_assert_null(fsn_models_load_network(place.history, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_autoptr(FsnSeries) past = fsn_series_head(series, 16 * 24);
    g_ptr_array_add(school, past);
    g_autoptr(FsnLstm) network = fsn_lstm_train(school, &how, &error);
    g_assert_no_error(error);
    g_assert_true(fsn_models_save_network(place.history, network, &error));
    g_assert_cmpint(chosen(&place, series, NOW, false), ==, NOW);
    g_autoptr(FsnForecaster) kept =
        fsn_models_load(place.history, UUID, "cpu.mean", &when_us, &error);
    g_autoptr(JsonNode) node = fsn_forecaster_to_json(kept);
    JsonObject *members =
        json_object_get_object_member(json_node_get_object(node), "members");
    g_assert_true(json_object_has_member(members, "lstm"));
    /* Damage counts as absent. */
    g_autofree char *file = g_strconcat(place.history, ".models/network.json", NULL);
    g_assert_true(g_file_set_contents(file, "{\"format\": 1}", -1, NULL));
    g_assert_null(fsn_models_load_network(place.history, NULL));
    g_assert_cmpint(chosen(&place, series, NOW + 9 * DAY_US, true), ==, NOW + 9 * DAY_US);
    place_clear(&place);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kept/forecaster", test_forecaster);
    g_test_add_func("/kept/idle", test_idle);
    g_test_add_func("/kept/idle-carried", test_idle_carried);
    g_test_add_func("/kept/network", test_network);
    return g_test_run();
}
