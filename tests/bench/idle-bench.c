/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idle-bench DIR: foretells, for the VMs of DIR/idle (index.csv with name, threshold; one
 * NAME.csv.gz each with timestamp, cpu_percent at 5 minutes), whether each will be active soon and
 * when it wakes, at each idle sample of the last quarter. Prints vm,t,p15,p60,wake_min on
 * stdout: t samples were known, wake_min counts from the last of them. On stderr the CPU time of
 * fits and predictions. Samples are fed one by one, and the model is fitted again each day
 * from what was fed, so that nothing later can count.
 *
 * How the model's constants were chosen: on the first 75 % of each VM only, the last
 * quarter of that being the validation part, with prior weights learned from other VMs than
 * the one that was scored (folds). Features were dropped in groups as long as the log-likelihood of
 * the validation part did not suffer; then prior precision (100–1000) and half-life (7–28 days)
 * were tried, all of which lay within noise.
 */
#include "config.h"

#include "models/idle.h"

#include <gio/gio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double
cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

typedef struct {
    size_t fits, predictions;
    double fit_ms, slowest_fit_ms, predict_ms;
} Cost;

/* The lines of a file that may be compressed, without the heading; NULL if it is not there. */
static char **
read_lines(const char *path, bool compressed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) raw = g_file_read(file, NULL, &error);
    g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
    g_autoptr(GZlibDecompressor) gunzip =
        g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);

    if (!raw) {
        g_printerr("idle-bench: %s\n", error->message);
        return NULL;
    }
    g_autoptr(GInputStream) in =
        compressed
            ? g_converter_input_stream_new(G_INPUT_STREAM(raw), G_CONVERTER(gunzip))
            : g_object_ref(G_INPUT_STREAM(raw));

    if (g_output_stream_splice(out, in, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL,
                               &error) < 0) {
        g_printerr("idle-bench: '%s': %s\n", path, error->message);
        return NULL;
    }
    g_autoptr(GBytes) bytes =
        g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    g_autofree char *text = g_strndup(data, len);
    const char *end = strchr(text, '\n');

    return g_strsplit(end ? end + 1 : "", "\n", -1);
}

static void
refit(FsnIdle *idle, const FsnIdleInput *input, Cost *cost)
{
    double before = cpu_ms();

    fsn_idle_fit(idle, input);
    double took = cpu_ms() - before;

    cost->fits++;
    cost->fit_ms += took;
    cost->slowest_fit_ms = MAX(cost->slowest_fit_ms, took);
}

static void
foretell(const char *name, double threshold, char **lines, Cost *cost)
{
    size_t n = g_strv_length(lines);
    const char *comma;
    g_autoptr(GDateTime) start = NULL;
    g_autoptr(FsnIdle) idle = fsn_idle_new();

    n -= n > 0 && !*lines[n - 1];
    comma = n > 0 ? strchr(lines[0], ',') : NULL;
    if (!comma) {
        return;
    }
    g_autofree char *stamp = g_strndup(lines[0], (gsize)(comma - lines[0]));
    start = g_date_time_new_from_iso8601(stamp, NULL);
    g_autoptr(FsnIdleTrack) track = fsn_idle_track_new(
        start ? g_date_time_to_unix(start) * G_USEC_PER_SEC : 0, threshold, NULL);
    FsnIdleInput input = { .track = track };
    size_t first = (size_t)((double)n * .75);

    for (size_t i = 0; i + 12 < n; i++) {
        const char *value = strchr(lines[i], ',');

        if (i >= first && (i - first) % FSN_IDLE_DAY == 0) {
            refit(idle, &input, cost);
        }
        if (!fsn_idle_track_push(track, value ? g_ascii_strtod(value + 1, NULL) : NAN)) {
            return;
        }
        if (i < first || fsn_idle_track_is_active(track, i)) {
            continue;
        }
        FsnIdleForecast forecast;
        double before = cpu_ms();

        fsn_idle_predict(idle, &input, i, &forecast);
        cost->predict_ms += cpu_ms() - before;
        cost->predictions++;
        printf("%s,%zu,%.6f,%.6f,%.1f\n", name, i + 1, forecast.p15, forecast.p60,
               (double)(forecast.wake_likely_us - forecast.now_us) / 60e6);
    }
}

int
main(int argc, char **argv)
{
    Cost cost = { 0 };

    if (argc != 2) {
        g_printerr("usage: idle-bench DIR\n");
        return 2;
    }
    g_autofree char *index = g_build_filename(argv[1], "idle", "index.csv", NULL);
    if (!g_file_test(index, G_FILE_TEST_EXISTS)) {
        printf("SKIP: no '%s'\n", index);
        return 77;
    }
    g_auto(GStrv) vms = read_lines(index, false);

    printf("vm,t,p15,p60,wake_min\n");
    for (size_t v = 0; vms && vms[v] && *vms[v]; v++) {
        g_auto(GStrv) fields = g_strsplit(vms[v], ",", 3);
        g_autofree char *file = g_strdup_printf("%s.csv.gz", fields[0]);
        g_autofree char *path = g_build_filename(argv[1], "idle", file, NULL);
        g_auto(GStrv) lines = read_lines(path, true);

        if (!lines || !fields[1]) {
            return 1;
        }
        foretell(fields[0], g_ascii_strtod(fields[1], NULL), lines, &cost);
    }
    g_printerr("%zu fits, %.1f ms each, slowest %.1f; %zu predictions, %.3f ms each "
               "(CPU time)\n",
               cost.fits, cost.fit_ms / (double)MAX(cost.fits, 1), cost.slowest_fit_ms,
               cost.predictions, cost.predict_ms / (double)MAX(cost.predictions, 1));
    return 0;
}
