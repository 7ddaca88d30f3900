/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap changemap: where and how the disks of a running domain change; once, for some rounds,
 * or until it is stopped.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/changemap-view.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/changemap-kept.h"
#include "cycle/changemap.h"
#include "history/store.h"
#include "plot/heat.h"
#include "virt/domain.h"

/* Rows of a plot. */
#define MAX_ROWS      200
#define SAVE_EVERY_US ((int64_t)30 * G_USEC_PER_SEC)

static gboolean opt_kept;
static gboolean opt_list;
static gboolean opt_plot;
static gboolean opt_watch;
static char *opt_output;
static int opt_interval;
static int opt_rounds;

static GOptionEntry options[] = {
    { "interval", 0, 0, G_OPTION_ARG_INT, &opt_interval,
      "between two rounds (by the profile)", "SECONDS" },
    { "kept", 0, 0, G_OPTION_ARG_NONE, &opt_kept,
      "show what was seen last, by the daemon for instance", NULL },
    { "list", 0, 0, G_OPTION_ARG_NONE, &opt_list, "list the domains that ask for a map",
      NULL },
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
    FsnMapKept *kept;
    int64_t saved_us; /* monotonic; 0 = not yet */
    bool not_saved;   /* that was said */
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
            g_autofree char *title = fsn_cli_changemap_title(fsn_changemap_name(w->map),
                                                             fsn_heat_map_target(heat),
                                                             fsn_heat_map_size(heat));

            plot = fsn_heat_plot_new(title, n);
            g_hash_table_replace(w->plots, g_strdup(fsn_heat_map_target(heat)), plot);
        }
        for (unsigned k = 0; k < n; k++) {
            values[k] = fsn_heat_map_last(heat, k);
        }
        fsn_heat_plot_add(plot, label, values);
    }
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
fill_document(Watch *w, JsonObject *document)
{
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
    json_object_set_array_member(document, "disks", disks_json(w));
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
    return fsn_cli_changemap_draw(w->context, plots, opt_plot, opt_output, error);
}

/* Not every round, which would cost more than the round; and at the end. */
static void
save(Watch *w, bool always)
{
    int64_t now_us = fsn_monotonic_us();
    g_autoptr(JsonObject) document = NULL;
    g_autoptr(GError) error = NULL;

    if (w->rounds == 0 ||
        (!always && w->saved_us > 0 && now_us - w->saved_us < SAVE_EVERY_US)) {
        return;
    }
    document = json_object_new();
    fill_document(w, document);
    fsn_map_kept_fill(w->kept, document, fsn_realtime_us());
    w->saved_us = now_us;
    if (!fsn_map_kept_save(w->kept, document, &error) && !w->not_saved) {
        w->not_saved = true;
        fsn_cli_warn(w->context, "the map is not kept: %s", error->message);
    }
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
        g_autoptr(GPtrArray) disks = fsn_changemap_disks(w->map);

        keep(w, span_us);
        fsn_map_kept_add(w->kept, disks, fsn_realtime_us(), span_us);
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
        save(w, false);
        if (opt_watch && !w->context->json) {
            g_autoptr(JsonArray) disks = disks_json(w);

            fsn_cli_changemap_table(w->context, disks);
        }
    }
    return true;
}

static bool
show(Watch *w, GError **error)
{
    JsonObject *document = w->context->document;

    fill_document(w, document);
    if (!opt_watch && !opt_plot) {
        fsn_cli_changemap_table(w->context,
                                json_object_get_array_member(document, "disks"));
    }
    return show_plots(w, error);
}

/* The domains that ask for a map, and when there was a look at each. */
static bool
list(FsnCliContext *context, FsnCycle *cycle, GError **error)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("ll");
    g_autofree char *text = NULL;
    JsonArray *domains;

    if (!fsn_changemap_wanted(cycle, &domains, error)) {
        return false;
    }
    json_object_set_array_member(context->document, "domains", domains);
    fsn_cli_table_add(table, "DOMAIN", "LAST LOOK");
    for (guint i = 0; i < json_array_get_length(domains); i++) {
        JsonObject *domain = json_array_get_object_element(domains, i);
        int64_t time_us = fsn_map_kept_time_us(fsn_cycle_state_dir(cycle),
                                               fsn_json_peek_string(domain, "uuid", ""));
        g_autofree char *time = time_us > 0 ? fsn_rfc3339(time_us) : NULL;
        g_autofree char *local = time ? fsn_cli_instant_text(time) : g_strdup("never");

        if (time) {
            json_object_set_string_member(domain, "kept", time);
        }
        fsn_cli_table_add(table, fsn_json_peek_string(domain, "domain", "?"), local);
    }
    text = fsn_cli_table_text(table);
    if (json_array_get_length(domains) > 0) {
        fsn_cli_print(context, "%s", text);
    } else {
        fsn_cli_say(context, "no domain that is on asks for a change map "
                             "(changemap.enabled)");
    }
    return true;
}

static void
copy_members(JsonObject *from, JsonObject *to)
{
    g_autoptr(GList) names = json_object_get_members(from);

    for (GList *l = names; l; l = l->next) {
        json_object_set_member(to, l->data, json_object_dup_member(from, l->data));
    }
}

/* What others, the daemon for instance, have seen. */
static bool
show_kept(FsnCliContext *context, FsnCycle *cycle, const char *who, GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(JsonObject) kept = NULL;
    g_autoptr(GPtrArray) plots = NULL;
    JsonArray *disks;

    if (!virt || !fsn_virt_lookup(virt, who, &domain, error)) {
        return false;
    }
    kept = fsn_map_kept_load(fsn_cycle_state_dir(cycle), fsn_virt_domain_uuid(domain),
                             error);
    if (!kept || !fsn_json_get_array(kept, "disks", &disks, error)) {
        return false;
    }
    plots = fsn_cli_changemap_plots(fsn_virt_domain_name(domain), disks);
    if (!opt_plot) {
        fsn_cli_changemap_table(context, disks);
    }
    copy_members(kept, context->document);
    return fsn_cli_changemap_draw(context, plots, opt_plot, opt_output, error);
}

static bool
check_options(const char *domain, GError **error)
{
    const char *wrong = NULL;

    if (opt_interval < 0 || opt_interval > 3600 || opt_rounds < 0) {
        wrong = "--interval takes 1 to 3600 seconds, --rounds a number";
    } else if (!opt_list == !domain) {
        wrong = "say which domain, or --list";
    } else if ((opt_list || opt_kept) && (opt_watch || opt_rounds || opt_interval)) {
        wrong = "--list and --kept do not look at a disk";
    } else if (opt_list && (opt_kept || opt_plot || opt_output)) {
        wrong = "--list stands alone";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s", wrong);
        return false;
    }
    opt_rounds = opt_rounds > 0 ? opt_rounds : 1;
    return true;
}

static bool
make_map(FsnCliContext *context, FsnCycle *cycle, const char *domain, GError **error)
{
    g_autoptr(GHashTable) plots = g_hash_table_new_full(
        g_str_hash, g_str_equal, g_free, (GDestroyNotify)fsn_heat_plot_free);
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(FsnMapKept) kept = NULL;
    Watch w = { .context = context, .plots = plots, .notes = notes };
    bool ok;

    w.map = fsn_changemap_new(cycle, domain, error);
    if (!w.map) {
        return false;
    }
    kept = w.kept =
        fsn_map_kept_new(fsn_cycle_state_dir(cycle), fsn_changemap_uuid(w.map));
    ok = watch(&w, error);
    save(&w, true);
    ok = ok && show(&w, error);
    return fsn_changemap_end(w.map, ok ? error : NULL) && ok;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCycle) cycle = NULL;

    if (!check_options(args[0], error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, NULL, error);
    if (!cycle) {
        return false;
    }
    if (opt_list) {
        return list(context, cycle, error);
    }
    if (opt_kept) {
        return show_kept(context, cycle, args[0], error) ||
               fsn_cli_fail(error, "show the change map of", args[0]);
    }
    return make_map(context, cycle, args[0], error) ||
           fsn_cli_fail(error, "map the changes of", args[0]);
}

const FsnCliCommand fsn_cmd_changemap = {
    .name = "changemap",
    .arguments = "[DOMAIN]",
    .summary = "show where and how the disks of a domain change",
    .options = options,
    .min_args = 0,
    .max_args = 1,
    .interruptible = true,
    .run = run,
};
