/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap history: what a domain has used, as a table, JSON, CSV or a picture; and values of
 * its user's own, by hand or out of a file.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "cli/commands.h"
#include "cli/history-view.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/time-text.h"
#include "cli/units.h"
#include "history/csv.h"
#include "plot/plot.h"
#include "virt/domain.h"

#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_RANGE_US ((int64_t)86400 * G_USEC_PER_SEC)
/* Steps of a table and of a plot; of what machines read. */
#define FEW              300
#define MANY             10000
#define PLOT_ROWS        10

static char **opt_add;
static char **opt_metrics;
static char *opt_history;
static char *opt_import;
static char *opt_output;
static char *opt_since;
static char *opt_step;
static char *opt_until;
static gboolean opt_csv;
static gboolean opt_plot;

static GOptionEntry options[] = {
    { "add", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_add,
      "add a value, of now or of TIME; may be repeated", "METRIC=VALUE[@TIME]" },
    { "csv", 0, 0, G_OPTION_ARG_NONE, &opt_csv, "print comma-separated values", NULL },
    { "history", 0, 0, G_OPTION_ARG_FILENAME, &opt_history, "file of the history",
      "FILE" },
    { "import", 0, 0, G_OPTION_ARG_FILENAME, &opt_import,
      "add the comma-separated values of a file", "CSV" },
    { "metric", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_metrics,
      "show this metric step by step; may be repeated", "METRIC" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &opt_output,
      "draw into FILE, which ends in .svg or .png", "FILE" },
    { "plot", 0, 0, G_OPTION_ARG_NONE, &opt_plot, "draw in the terminal", NULL },
    { "since", 0, 0, G_OPTION_ARG_STRING, &opt_since, "begin there (24h)", "TIME" },
    { "step", 0, 0, G_OPTION_ARG_STRING, &opt_step, "a value for every so long",
      "DURATION" },
    { "until", 0, 0, G_OPTION_ARG_STRING, &opt_until, "end there (now)", "TIME" },
    G_OPTION_ENTRY_NULL,
};

typedef struct {
    FsnCliContext *context;
    FsnHistory *history;
    char *uuid;
    char *name;
    int64_t now_us;
    int64_t from_us;
    int64_t to_us;
    GPtrArray *views; /* FsnMetricView */
} Query;

static void
query_clear(Query *q)
{
    fsn_history_free(q->history);
    g_free(q->uuid);
    g_free(q->name);
    g_clear_pointer(&q->views, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Query, query_clear)

/* libvirt says which machine a name means now; without it, or where it knows none of that name,
 * the history does. */
static bool
find_domain(Query *q, const char *who, GError **error)
{
    g_autoptr(FsnVirt) virt = NULL;
    g_autoptr(FsnVirtDomain) domain = NULL;

    if (!g_uuid_string_is_valid(who) && fsn_virt_open(q->context->uri, &virt, NULL) &&
        fsn_virt_lookup(virt, who, &domain, NULL)) {
        q->uuid = g_strdup(fsn_virt_domain_uuid(domain));
        q->name = g_strdup(fsn_virt_domain_name(domain));
        return true;
    }
    if (!fsn_history_find(q->history, who, &q->uuid, error)) {
        return false;
    }
    q->name = g_strdup(who);
    return true;
}

/* One value as it is written: METRIC=VALUE[@TIME]. */
static bool
parse_add(const char *text, int64_t now_us, FsnCsvValue *out_value, GError **error)
{
    const char *equals = strchr(text, '=');
    const char *at = equals ? strchr(equals, '@') : NULL;
    g_autofree char *metric = equals ? g_strndup(text, (gsize)(equals - text)) : NULL;
    char *end = NULL;
    double value = equals ? g_ascii_strtod(equals + 1, &end) : 0;
    int64_t time_us = now_us;

    if (!equals || end == equals + 1 || (at ? end != at : *end != '\0') ||
        !isfinite(value)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--add takes METRIC=VALUE or METRIC=VALUE@TIME, not '%s'", text);
        return false;
    }
    if (!fsn_metric_name_check(metric, error) ||
        (at && !fsn_cli_parse_time(at + 1, now_us, &time_us, error))) {
        return false;
    }
    out_value->time_us = time_us;
    out_value->value.value = value;
    g_strlcpy(out_value->value.name, metric, sizeof out_value->value.name);
    return true;
}

static int
by_time(gconstpointer a, gconstpointer b)
{
    const FsnCsvValue *x = a, *y = b;

    return x->time_us != y->time_us
               ? (x->time_us > y->time_us) - (x->time_us < y->time_us)
               : strcmp(x->value.name, y->value.name);
}

static bool
read_values(Query *q, GArray **out_values, GError **error)
{
    g_autoptr(GArray) values = NULL;

    if (opt_import) {
        g_autoptr(GBytes) bytes = NULL;

        if (!fsn_file_read(opt_import, FSN_CSV_MAX, &bytes, error)) {
            return false;
        }
        if (!fsn_history_csv_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                   &values, error)) {
            g_prefix_error(error, "'%s': ", opt_import);
            return false;
        }
    } else {
        values = g_array_new(FALSE, FALSE, sizeof(FsnCsvValue));
    }
    for (char **text = opt_add; text && *text; text++) {
        FsnCsvValue value = { 0 };

        if (!parse_add(*text, q->now_us, &value, error)) {
            return false;
        }
        g_array_append_val(values, value);
    }
    g_array_sort(values, by_time);
    *out_values = g_steal_pointer(&values);
    return true;
}

static bool
add_values(Query *q, GError **error)
{
    g_autoptr(GArray) values = NULL;

    if (!read_values(q, &values, error) ||
        !fsn_history_insert_values(q->history, q->uuid, q->name, values, q->now_us,
                                   error)) {
        return false;
    }
    json_object_set_int_member(q->context->document, "values", values->len);
    fsn_cli_say(q->context, "%u value%s of '%s' added", values->len,
                values->len == 1 ? "" : "s", q->name);
    return true;
}

static bool
read_range(Query *q, GError **error)
{
    q->to_us = q->now_us;
    if (opt_until && !fsn_cli_parse_time(opt_until, q->now_us, &q->to_us, error)) {
        return false;
    }
    q->from_us = q->to_us - DEFAULT_RANGE_US;
    if (opt_since && !fsn_cli_parse_time(opt_since, q->now_us, &q->from_us, error)) {
        return false;
    }
    if (q->from_us >= q->to_us || q->from_us < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--since must be before --until, and after 1970");
        return false;
    }
    return true;
}

static bool
add_view(Query *q, const char *metric, int64_t step_us, GError **error)
{
    g_autoptr(FsnMetricView) view = g_new0(FsnMetricView, 1);

    view->metric = g_strdup(metric);
    view->step_us = step_us;
    if (!fsn_history_windows(q->history, q->uuid, metric, q->from_us, q->to_us, step_us,
                             &view->windows, &view->n, &view->start_us, error)) {
        return false;
    }
    g_ptr_array_add(q->views, g_steal_pointer(&view));
    return true;
}

static bool
read_views(Query *q, GError **error)
{
    bool for_machines = opt_csv || q->context->json;
    int64_t step_us =
        fsn_cli_choose_step(q->to_us - q->from_us, for_machines ? MANY : FEW);
    g_autoptr(GPtrArray) names = NULL;

    q->views = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_metric_view_free);
    if ((opt_step && !fsn_cli_parse_duration(opt_step, &step_us, error)) ||
        !fsn_history_metrics(q->history, q->uuid, &names, error)) {
        return false;
    }
    for (char **metric = opt_metrics; metric && *metric; metric++) {
        if (!g_ptr_array_find_with_equal_func(names, *metric, g_str_equal, NULL)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                        "nothing is known of '%s'; 'foresnap history %s' lists what is",
                        *metric, q->name);
            return false;
        }
        if (!add_view(q, *metric, step_us, error)) {
            return false;
        }
    }
    for (guint i = 0; !opt_metrics && i < names->len; i++) {
        if (!add_view(q, names->pdata[i], step_us, error)) {
            return false;
        }
    }
    return true;
}

static void
fill_document(Query *q)
{
    JsonObject *document = q->context->document;
    JsonArray *metrics = json_array_new();
    g_autofree char *from = fsn_rfc3339(q->from_us);
    g_autofree char *to = fsn_rfc3339(q->to_us);

    json_object_set_string_member(document, "domain", q->name);
    json_object_set_string_member(document, "uuid", q->uuid);
    json_object_set_string_member(document, "since", from);
    json_object_set_string_member(document, "until", to);
    for (guint i = 0; i < q->views->len; i++) {
        json_array_add_object_element(
            metrics, opt_metrics ? fsn_metric_view_json(q->views->pdata[i])
                                 : fsn_metric_view_summary_json(q->views->pdata[i]));
    }
    json_object_set_array_member(document, "metrics", metrics);
}

/* A line per metric. */
static void
show_summary(Query *q)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lrrrr");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "METRIC", "LAST", "MEAN", "P95", "MAX");
    for (guint i = 0; i < q->views->len; i++) {
        const FsnMetricView *view = q->views->pdata[i];
        FsnMetricUnit unit = fsn_metric_unit(view->metric);
        FsnWindow sum;
        double last;
        int64_t last_us;

        if (fsn_metric_view_sum(view, &sum, &last, &last_us)) {
            g_autofree char *newest = fsn_cli_metric_text(unit, last);
            g_autofree char *mean = fsn_cli_metric_text(unit, sum.mean);
            g_autofree char *p95 = fsn_cli_metric_text(unit, sum.p95);
            g_autofree char *max =
                fsn_cli_metric_text(unit, isnan(sum.max) ? sum.p95 : sum.max);

            fsn_cli_table_add(table, view->metric, newest, mean, p95, max);
        }
    }
    text = fsn_cli_table_text(table);
    fsn_cli_print(q->context, "%s", text);
}

/* A line per step of what is known of one metric. */
static void
show_steps(Query *q, const FsnMetricView *view)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lrrrr");
    FsnMetricUnit unit = fsn_metric_unit(view->metric);
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, view->metric, "MIN", "MEAN", "P95", "MAX");
    for (size_t i = 0; i < view->n; i++) {
        const FsnWindow *w = &view->windows[i];
        g_autofree char *instant =
            fsn_rfc3339(view->start_us + (int64_t)i * view->step_us);
        g_autofree char *time = fsn_cli_instant_text(instant);
        g_autofree char *min = NULL;
        g_autofree char *mean = NULL;
        g_autofree char *p95 = NULL;
        g_autofree char *max = NULL;

        if (w->cover == 0) {
            continue;
        }
        min = fsn_cli_metric_text(unit, isnan(w->min) ? w->mean : w->min);
        mean = fsn_cli_metric_text(unit, w->mean);
        p95 = fsn_cli_metric_text(unit, w->p95);
        max = fsn_cli_metric_text(unit, isnan(w->max) ? w->p95 : w->max);
        fsn_cli_table_add(table, time, min, mean, p95, max);
    }
    text = fsn_cli_table_text(table);
    fsn_cli_print(q->context, "%s", text);
}

static char *
bytes_at_axis(double value)
{
    return fsn_cli_metric_text(FSN_UNIT_BYTES, value);
}

static char *
number_at_axis(double value)
{
    return fsn_cli_metric_text(FSN_UNIT_PLAIN, value);
}

static FsnPlot *
plot_of(const Query *q, const FsnMetricView *view)
{
    FsnMetricUnit unit = fsn_metric_unit(view->metric);
    bool bytes = unit == FSN_UNIT_BYTES || unit == FSN_UNIT_BYTES_PER_S;
    const char *suffix = fsn_metric_unit_text(unit);
    g_autofree char *title =
        g_strdup_printf("%s: %s%s%s", q->name, view->metric, *suffix ? ", " : "", suffix);

    return fsn_plot_new(title, fsn_metric_view_series(view, FSN_HISTORY_MEAN),
                        fsn_metric_view_series(view, FSN_HISTORY_P95), NULL,
                        bytes ? bytes_at_axis : number_at_axis);
}

static unsigned
terminal_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col
                                                                            : 80;
}

static bool
show_plots(Query *q, GError **error)
{
    g_autoptr(GPtrArray) plots =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_plot_free);
    bool plain = !g_get_charset(NULL);

    for (guint i = 0; i < q->views->len; i++) {
        g_ptr_array_add(plots, plot_of(q, q->views->pdata[i]));
    }
    if (opt_output) {
        if (!fsn_plot_write(plots, opt_output, error)) {
            return false;
        }
        json_object_set_string_member(q->context->document, "output", opt_output);
        fsn_cli_say(q->context, "drawn into '%s'", opt_output);
        return true;
    }
    for (guint i = 0; i < plots->len; i++) {
        g_autofree char *text =
            fsn_plot_terminal(plots->pdata[i], terminal_width(), PLOT_ROWS, plain);

        fsn_cli_print(q->context, "%s%s", i > 0 ? "\n" : "", text);
    }
    return true;
}

static void
show_csv(Query *q)
{
    g_autoptr(GString) text = g_string_new("time,metric,min,mean,max,p95\n");

    for (guint i = 0; i < q->views->len; i++) {
        fsn_metric_view_csv(q->views->pdata[i], text);
    }
    fsn_cli_print(q->context, "%s", text->str);
}

static bool
show(Query *q, GError **error)
{
    if (!read_range(q, error) || !read_views(q, error)) {
        return false;
    }
    fill_document(q);
    if (q->views->len == 0) {
        fsn_cli_say(q->context,
                    "nothing is known of '%s' yet: 'foresnap sample' looks at it",
                    q->name);
    } else if (opt_plot || opt_output) {
        return show_plots(q, error);
    } else if (opt_csv) {
        show_csv(q);
    } else if (opt_metrics) {
        for (guint i = 0; i < q->views->len; i++) {
            show_steps(q, q->views->pdata[i]);
        }
    } else {
        show_summary(q);
    }
    return true;
}

static bool
check_usage(GError **error)
{
    bool adds = opt_add || opt_import;

    if (adds && (opt_metrics || opt_csv || opt_plot || opt_output || opt_since ||
                 opt_until || opt_step)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--add and --import show nothing: give the other options apart");
        return false;
    }
    if (opt_csv && (opt_plot || opt_output)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "choose --csv or --plot");
        return false;
    }
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *path = opt_history ? g_canonicalize_filename(opt_history, NULL)
                                        : fsn_history_default_path();
    bool adds = opt_add || opt_import;
    g_auto(Query) q = { .context = context, .now_us = fsn_realtime_us() };

    if (!check_usage(error)) {
        return false;
    }
    q.history =
        fsn_history_open(path, adds ? FSN_HISTORY_CREATE : FSN_HISTORY_READ_ONLY, error);
    if (!q.history) {
        if (g_error_matches(*error, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_prefix_error(error, "nothing was sampled yet ('foresnap sample'): ");
        }
        return false;
    }
    if (!find_domain(&q, args[0], error)) {
        return false;
    }
    if (!(adds ? add_values(&q, error) : show(&q, error))) {
        return fsn_cli_fail(error, adds ? "add to the history of" : "show the history of",
                            args[0]);
    }
    return true;
}

const FsnCliCommand fsn_cmd_history = {
    .name = "history",
    .arguments = "DOMAIN",
    .summary = "show what a domain has used, or add to it",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
