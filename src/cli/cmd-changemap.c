/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap changemap: where and how the disks of a running domain change; once, for some rounds,
 * or until it is stopped.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/changemap.h"
#include "history/store.h"
#include "plot/heat.h"

/* Rows of a plot. */
#define MAX_ROWS 200

static gboolean opt_plot;
static gboolean opt_watch;
static char *opt_output;
static int opt_interval;
static int opt_rounds;

static GOptionEntry options[] = {
    { "interval", 0, 0, G_OPTION_ARG_INT, &opt_interval,
      "between two rounds (by the profile)", "SECONDS" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &opt_output,
      "draw it into FILE.svg or FILE.png", "FILE" },
    { "plot", 0, 0, G_OPTION_ARG_NONE, &opt_plot, "draw it", NULL },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &opt_rounds, "so many rounds (1)", "NUMBER" },
    { "watch", 0, 0, G_OPTION_ARG_NONE, &opt_watch, "until it is stopped", NULL },
    G_OPTION_ENTRY_NULL,
};

typedef struct {
    FsnCliContext *context;
    FsnChangeMap *map;
    GHashTable *plots; /* by target, FsnHeatPlot */
    GPtrArray *notes;
    unsigned rounds;
    unsigned given_up;
    int64_t looked_us; /* monotonic; 0 = not yet */
    bool no_history;   /* that was said */
} Watch;

static void
add_value(GArray *values, const char *label, double rate)
{
    FsnMetricValue v = { .value = rate };

    if (rate >= 0) {
        fsn_metric_device_name(v.name, "disk", label, "change.bytes");
        g_array_append_val(values, v);
    }
}

/* What the round has found of disks and partitions. */
static GArray *
values_of(Watch *w)
{
    g_autoptr(GPtrArray) disks = fsn_changemap_disks(w->map);
    GArray *values = g_array_new(FALSE, FALSE, sizeof(FsnMetricValue));

    for (guint i = 0; i < disks->len; i++) {
        const FsnHeatMap *heat = disks->pdata[i];

        add_value(values, fsn_heat_map_target(heat), fsn_heat_map_disk_last(heat));
        for (guint k = 0; k < fsn_heat_map_n_parts(heat); k++) {
            unsigned number;
            double rate = fsn_heat_map_part_last(heat, k, &number);
            g_autofree char *label =
                g_strdup_printf("%s.%u", fsn_heat_map_target(heat), number);

            add_value(values, label, rate);
        }
    }
    return values;
}

/* The history bounds and rolls up what is put there. One that cannot be written is said once, and
 * does not end the map. */
static void
keep(Watch *w, int64_t span_us)
{
    g_autofree char *path = fsn_history_default_path();
    g_autoptr(GArray) values = values_of(w);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnHistory) history = NULL;
    FsnHistorySample sample = { .uuid = fsn_changemap_uuid(w->map),
                                .name = fsn_changemap_name(w->map),
                                .time_us = fsn_realtime_us(),
                                .span_us = CLAMP(span_us, 0, FSN_RATES_MAX_GAP_US),
                                .values = (const FsnMetricValue *)(gpointer)values->data,
                                .n = values->len };

    if (values->len == 0) {
        return;
    }
    history = fsn_history_open(path, FSN_HISTORY_CREATE, &error);
    if ((!history || !fsn_history_insert(history, &sample, 1, sample.time_us, &error)) &&
        !w->no_history) {
        w->no_history = true;
        fsn_cli_warn(w->context, "it is not kept: %s", error->message);
    }
}

static void
add_rows(Watch *w)
{
    g_autoptr(GPtrArray) disks = fsn_changemap_disks(w->map);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *label = g_date_time_format(now, "%H:%M:%S");

    for (guint i = 0; i < disks->len; i++) {
        const FsnHeatMap *heat = disks->pdata[i];
        unsigned n = fsn_heat_map_n_regions(heat);
        g_autofree double *values = g_new(double, n);
        FsnHeatPlot *plot = g_hash_table_lookup(w->plots, fsn_heat_map_target(heat));

        if (plot && (plot->columns != n || plot->labels->len >= MAX_ROWS)) {
            plot = NULL; /* its size has changed, or it is full: begun anew */
        }
        if (!plot) {
            g_autofree char *size = fsn_cli_size_text(fsn_heat_map_size(heat));
            g_autofree char *title =
                g_strdup_printf("%s: %s, %s", fsn_changemap_name(w->map),
                                fsn_heat_map_target(heat), size);

            plot = fsn_heat_plot_new(title, n);
            g_hash_table_replace(w->plots, g_strdup(fsn_heat_map_target(heat)), plot);
        }
        for (unsigned k = 0; k < n; k++) {
            values[k] = fsn_heat_map_last(heat, k);
        }
        fsn_heat_plot_add(plot, label, values);
    }
}

/* The rate of one cell as a row of the table. */
static void
add_line(FsnCliTable *table, const char *name, JsonObject *o)
{
    int64_t rate = fsn_json_peek_int(o, "bytes_per_s", -1);
    double again = json_object_has_member(o, "rewritten")
                       ? json_object_get_double_member(o, "rewritten")
                       : -1;
    int64_t requests = fsn_json_peek_int(o, "read_requests_per_s", 0) +
                       fsn_json_peek_int(o, "write_requests_per_s", 0);
    bool counted = json_object_has_member(o, "request_bytes");
    g_autofree char *size =
        fsn_cli_size_text((uint64_t)fsn_json_peek_int(o, "request_bytes", 0));
    g_autofree char *change =
        rate < 0 ? g_strdup("?") : fsn_cli_size_text((uint64_t)rate);
    g_autofree char *rewritten =
        again < 0 ? g_strdup("") : g_strdup_printf("%.0f%%", again * 100);
    g_autofree char *per_s =
        counted ? g_strdup_printf("%" G_GINT64_FORMAT, requests) : g_strdup("");

    fsn_cli_table_add(table, name, change, fsn_json_peek_string(o, "pattern", "?"),
                      rewritten, per_s, counted ? size : "");
}

static JsonArray *
disks_json(Watch *w)
{
    g_autoptr(GPtrArray) disks = fsn_changemap_disks(w->map);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < disks->len; i++) {
        json_array_add_object_element(array, fsn_heat_map_to_json(disks->pdata[i]));
    }
    return array;
}

static void
show_table(Watch *w, JsonArray *disks)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lrlrrr");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "DISK", "CHANGES/S", "PATTERN", "REWRITTEN", "REQUESTS/S",
                      "SIZE");
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        JsonObject *o = json_array_get_object_element(disks, i);
        const char *target = fsn_json_peek_string(o, "target", "?");
        JsonArray *parts;

        add_line(table, target, o);
        if (!fsn_json_get_array(o, "partitions", &parts, NULL)) {
            continue;
        }
        for (guint k = 0; k < json_array_get_length(parts); k++) {
            JsonObject *part = json_array_get_object_element(parts, k);
            g_autofree char *name = g_strdup_printf(
                "%s:%d", target, (int)fsn_json_peek_int(part, "number", 0));

            add_line(table, name, part);
        }
    }
    text = fsn_cli_table_text(table);
    fsn_cli_print(w->context, "%s", text);
}

static bool
show_plots(Watch *w, GError **error)
{
    g_autoptr(GPtrArray) disks = fsn_changemap_disks(w->map);
    g_autoptr(GPtrArray) plots = g_ptr_array_new();

    for (guint i = 0; i < disks->len; i++) {
        FsnHeatPlot *plot =
            g_hash_table_lookup(w->plots, fsn_heat_map_target(disks->pdata[i]));

        if (plot) {
            g_ptr_array_add(plots, plot);
        }
    }
    for (guint i = 0; opt_plot && i < plots->len; i++) {
        g_autofree char *text =
            fsn_heat_plot_terminal(plots->pdata[i], !g_get_charset(NULL));

        fsn_cli_print(w->context, "%s%s", i > 0 ? "\n" : "", text);
    }
    if (opt_output && !fsn_heat_plot_write(plots, opt_output, error)) {
        return false;
    }
    return true;
}

/* False if it was interrupted. */
static bool
wait_for(FsnCliContext *context, int64_t wait_us)
{
    GPollFD fd;
    int64_t until_us = fsn_monotonic_us() + wait_us;

    while (!g_cancellable_is_cancelled(context->cancellable)) {
        int64_t left_us = until_us - fsn_monotonic_us();

        if (left_us <= 0) {
            return true;
        }
        if (g_cancellable_make_pollfd(context->cancellable, &fd)) {
            (void)g_poll(&fd, 1, (int)MIN((left_us + 999) / 1000, 1000000));
            g_cancellable_release_fd(context->cancellable);
        }
    }
    return false;
}

static bool
one_round(Watch *w, GError **error)
{
    g_autofree char *note = NULL;
    int64_t now_us = fsn_monotonic_us();
    int64_t span_us = w->looked_us > 0 ? now_us - w->looked_us : 0;

    w->looked_us = now_us;
    if (!fsn_changemap_round(w->map, &note, error)) {
        return false;
    }
    if (note && !g_ptr_array_find_with_equal_func(w->notes, note, g_str_equal, NULL)) {
        g_ptr_array_add(w->notes, g_strdup(note));
        fsn_cli_say(w->context, "places are not known: %s", note);
    }
    w->given_up += note != NULL;
    if (span_us > 0) {
        keep(w, span_us);
    }
    return true;
}

/* The first look only begins. */
static bool
watch(Watch *w, GError **error)
{
    int64_t interval_us = opt_interval > 0 ? (int64_t)opt_interval * G_USEC_PER_SEC
                                           : fsn_changemap_interval_us(w->map);

    if (!one_round(w, error)) {
        return false;
    }
    w->given_up = 0;
    while ((opt_watch || w->rounds < (unsigned)opt_rounds) &&
           wait_for(w->context, fsn_changemap_wait_us(w->map, interval_us))) {
        if (!one_round(w, error)) {
            return false;
        }
        w->rounds++;
        add_rows(w);
        if (opt_watch && !w->context->json) {
            g_autoptr(JsonArray) disks = disks_json(w);

            show_table(w, disks);
        }
    }
    return true;
}

static bool
show(Watch *w, GError **error)
{
    JsonObject *document = w->context->document;
    JsonArray *disks = disks_json(w);
    JsonArray *notes = json_array_new();

    json_object_set_string_member(document, "domain", fsn_changemap_name(w->map));
    json_object_set_string_member(document, "uuid", fsn_changemap_uuid(w->map));
    json_object_set_boolean_member(document, "bitmaps",
                                   fsn_changemap_has_bitmaps(w->map));
    json_object_set_int_member(document, "rounds", w->rounds);
    json_object_set_int_member(document, "given_up", w->given_up);
    for (guint i = 0; i < w->notes->len; i++) {
        json_array_add_string_element(notes, w->notes->pdata[i]);
    }
    json_object_set_array_member(document, "notes", notes);
    json_object_set_array_member(document, "disks", disks);
    if (!opt_watch && !opt_plot) {
        show_table(w, disks);
    }
    return show_plots(w, error);
}

static bool
check_options(GError **error)
{
    if (opt_interval < 0 || opt_interval > 3600 || opt_rounds < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--interval takes 1 to 3600 seconds, --rounds a number");
        return false;
    }
    opt_rounds = opt_rounds > 0 ? opt_rounds : 1;
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCycle) cycle = NULL;
    g_autoptr(GHashTable) plots = g_hash_table_new_full(
        g_str_hash, g_str_equal, g_free, (GDestroyNotify)fsn_heat_plot_free);
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    Watch w = { .context = context, .plots = plots, .notes = notes };
    bool ok;

    if (!check_options(error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, NULL, error);
    w.map = cycle ? fsn_changemap_new(cycle, args[0], error) : NULL;
    if (!w.map) {
        return fsn_cli_fail(error, "map the changes of", args[0]);
    }
    ok = watch(&w, error) && show(&w, error);
    ok = fsn_changemap_end(w.map, ok ? error : NULL) && ok;
    return ok || fsn_cli_fail(error, "map the changes of", args[0]);
}

const FsnCliCommand fsn_cmd_changemap = {
    .name = "changemap",
    .arguments = "DOMAIN",
    .summary = "show where and how the disks of a domain change",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .interruptible = true,
    .run = run,
};
