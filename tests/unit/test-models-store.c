/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history/models-store.c: what was fitted is found again, here and on another host; damage
 * counts as absent and is never taken over. */
#include "config.h"

#include "base/error.h"
#include "history/models-store.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define UUID    "12345678-1234-1234-1234-123456789abc"

typedef struct {
    char *dir;
    char *here; /* history of this host, and of another one */
    char *there;
} Place;

static void
place_make(Place *place)
{
    place->dir = g_dir_make_tmp("fsn-models-XXXXXX", NULL);
    place->here = g_build_filename(place->dir, "here.db", NULL);
    place->there = g_build_filename(place->dir, "there.db", NULL);
}

static char *
file_of(const char *history)
{
    return g_strdup_printf("%s.models/" UUID ".json", history);
}

static void
remove_of(const char *history)
{
    g_autofree char *file = file_of(history);
    g_autofree char *folder = g_path_get_dirname(file);

    (void)g_unlink(file);
    (void)g_rmdir(folder);
}

static void
place_clear(Place *place)
{
    remove_of(place->here);
    remove_of(place->there);
    g_assert_cmpint(g_rmdir(place->dir), ==, 0);
    g_free(place->dir);
    g_free(place->here);
    g_free(place->there);
}

static FsnForecaster *
fitted(double level)
{
    FsnForecasterOptions options = FSN_FORECASTER_OPTIONS_INIT;
    g_autoptr(FsnSeries) series = fsn_series_new(0, HOUR_US, 24 * 8);
    g_autoptr(GError) error = NULL;
    FsnForecaster *forecaster;

    for (size_t i = 0; i < series->n; i++) {
        series->values[i] = level + 3 * sin(2 * G_PI * (double)i / 24);
    }
    forecaster = fsn_forecaster_fit(series, &options, &error);
    g_assert_no_error(error);
    return forecaster;
}

static double
first_of(const FsnForecaster *forecaster)
{
    g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, 1);

    return forecast->mean[0];
}

static void
save(const char *history, const char *metric, int64_t when_us, double level)
{
    g_autoptr(FsnForecaster) forecaster = fitted(level);

    g_assert_true(fsn_models_save(history, UUID, metric, when_us, forecaster, NULL));
}

/* The level of what is stored, and when it was fitted; NAN if there is none. */
static double
stored(const char *history, const char *metric, int64_t *out_us)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnForecaster) forecaster =
        fsn_models_load(history, UUID, metric, out_us, &error);

    g_assert_true(forecaster || g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND));
    return forecaster ? first_of(forecaster) : NAN;
}

static void
test_round_trip(void)
{
    Place place;
    int64_t when_us = 0;
    g_autoptr(FsnForecaster) cpu = fitted(20);

    place_make(&place);
    g_assert_true(isnan(stored(place.here, "cpu", &when_us)));
    save(place.here, "cpu", 77, 20);
    save(place.here, "memory.used", 78, 900);
    g_assert_cmpfloat_with_epsilon(stored(place.here, "cpu", &when_us), first_of(cpu),
                                   1e-3);
    g_assert_cmpint(when_us, ==, 77);
    g_assert_cmpfloat(stored(place.here, "memory.used", &when_us), >, 800);
    save(place.here, "cpu", 99, 500);
    g_assert_cmpfloat(stored(place.here, "cpu", &when_us), >, 400);
    g_assert_cmpint(when_us, ==, 99);
    place_clear(&place);
}

/* The other host keeps what is newer there. */
static void
test_carry(void)
{
    Place place;
    int64_t when_us = 0;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;

    place_make(&place);
    g_assert_null(fsn_models_carry(place.here, UUID, &error));
    g_assert_no_error(error);
    save(place.here, "cpu", 50, 20);
    save(place.here, "memory.used", 50, 900);
    save(place.there, "cpu", 60, 500);
    bytes = fsn_models_carry(place.here, UUID, &error);
    g_assert_no_error(error);
    g_assert_true(fsn_models_absorb(place.there, UUID, "web", bytes, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(stored(place.there, "cpu", &when_us), >, 400);
    g_assert_cmpfloat(stored(place.there, "memory.used", &when_us), >, 800);
    g_assert_cmpint(when_us, ==, 50);
    place_clear(&place);
}

static GBytes *
packed(const char *text)
{
    g_autoptr(GConverter) gzip =
        G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
    g_autoptr(GInputStream) in =
        g_memory_input_stream_new_from_data(text, (gssize)strlen(text), NULL);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(in, gzip);

    char buffer[4096];
    size_t n;

    g_assert_true(g_input_stream_read_all(stream, buffer, sizeof buffer, &n, NULL, NULL));
    return g_bytes_new(buffer, n);
}

static void
test_damage(void)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[1]",
        "{\"version\": 2, \"models\": {}}",
        "{\"version\": 1, \"models\": 5}",
    };
    Place place;
    int64_t when_us;
    g_autoptr(GBytes) noise = g_bytes_new_static("no gzip at all", 14);
    g_autoptr(GBytes) half = NULL;
    g_autoptr(GBytes) whole = NULL;

    place_make(&place);
    save(place.here, "cpu", 50, 20);
    whole = fsn_models_carry(place.here, UUID, NULL);
    half = g_bytes_new_from_bytes(whole, 0, g_bytes_get_size(whole) / 2);
    g_assert_false(fsn_models_absorb(place.there, UUID, "web", noise, NULL));
    g_assert_false(fsn_models_absorb(place.there, UUID, "web", half, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GBytes) bytes = packed(bad[i]);
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_models_absorb(place.there, UUID, "web", bytes, &error));
        g_assert_nonnull(error);
    }
    g_assert_true(isnan(stored(place.there, "cpu", &when_us)));
    place_clear(&place);
}

/* What is no forecaster is left out, and does not take the others along. */
static void
test_part(void)
{
    Place place;
    int64_t when_us;
    g_autofree char *file = NULL;
    g_autoptr(GBytes) bytes = packed(
        "{\"version\": 1, \"models\": {\"cpu\": {\"fitted_us\": 9, \"forecaster\": "
        "{\"format\": 1}}, \"BAD name\": {}, \"load\": 7}}");

    place_make(&place);
    save(place.here, "memory.used", 50, 900);
    g_assert_true(fsn_models_absorb(place.here, UUID, "web", bytes, NULL));
    g_assert_true(isnan(stored(place.here, "cpu", &when_us)));
    g_assert_cmpfloat(stored(place.here, "memory.used", &when_us), >, 800);
    /* a damaged file here is absent, and replaced by the next fit */
    file = file_of(place.here);
    g_assert_true(g_file_set_contents(file, "{\"version\": 1, \"mo", -1, NULL));
    g_assert_true(isnan(stored(place.here, "memory.used", &when_us)));
    save(place.here, "cpu", 70, 20);
    g_assert_cmpfloat(stored(place.here, "cpu", &when_us), >, 10);
    place_clear(&place);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/models-store/round-trip", test_round_trip);
    g_test_add_func("/models-store/carry", test_carry);
    g_test_add_func("/models-store/damage", test_damage);
    g_test_add_func("/models-store/part", test_part);
    return g_test_run();
}
