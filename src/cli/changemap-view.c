/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Change maps for people: the table of disks and partitions, and what is drawn. */
#include "config.h"

#include "cli/changemap-view.h"

#include "base/json.h"
#include "cli/output.h"
#include "cli/units.h"
#include "heat/rows.h"

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

void
fsn_cli_changemap_table(FsnCliContext *context, JsonArray *disks)
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
    fsn_cli_print(context, "%s", text);
}

char *
fsn_cli_changemap_title(const char *domain, const char *target, uint64_t size)
{
    g_autofree char *text = fsn_cli_size_text(size);

    return g_strdup_printf("%s: %s, %s", domain, target, text);
}

/* NULL if there is nothing to draw, or what is kept makes no sense. */
static FsnHeatPlot *
plot_of(JsonObject *disk, const char *domain)
{
    JsonObject *heat;
    g_autoptr(FsnHeatRows) rows = fsn_json_get_object(disk, "heat", &heat, NULL)
                                      ? fsn_heat_rows_from_json(heat, NULL)
                                      : NULL;
    g_autofree char *title =
        fsn_cli_changemap_title(domain, fsn_json_peek_string(disk, "target", "?"),
                                (uint64_t)MAX(fsn_json_peek_int(disk, "size", 0), 0));
    g_autofree double *values = NULL;
    FsnHeatPlot *plot;
    unsigned n;

    if (!rows || fsn_heat_rows_count(rows) == 0) {
        return NULL;
    }
    n = fsn_heat_rows_regions(rows);
    values = g_new(double, n);
    plot = fsn_heat_plot_new(title, n);
    for (guint i = 0; i < fsn_heat_rows_count(rows); i++) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(
            fsn_heat_rows_start_us(rows, i) / G_USEC_PER_SEC);
        g_autofree char *label = g_date_time_format(time, "%a %H:%M:%S");

        for (unsigned k = 0; k < n; k++) {
            values[k] = fsn_heat_rows_rate(rows, i, k);
        }
        fsn_heat_plot_add(plot, label, values);
    }
    return plot;
}

GPtrArray *
fsn_cli_changemap_plots(const char *domain, JsonArray *disks)
{
    GPtrArray *plots = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_heat_plot_free);

    for (guint i = 0; i < json_array_get_length(disks); i++) {
        JsonObject *disk;
        FsnHeatPlot *plot =
            fsn_json_get_element(disks, i, &disk, NULL) ? plot_of(disk, domain) : NULL;

        if (plot) {
            g_ptr_array_add(plots, plot);
        }
    }
    return plots;
}

bool
fsn_cli_changemap_draw(FsnCliContext *context,
                       GPtrArray *plots,
                       bool terminal,
                       const char *output,
                       GError **error)
{
    for (guint i = 0; terminal && i < plots->len; i++) {
        g_autofree char *text =
            fsn_heat_plot_terminal(plots->pdata[i], !g_get_charset(NULL));

        fsn_cli_print(context, "%s%s", i > 0 ? "\n" : "", text);
    }
    return !output || fsn_heat_plot_write(plots, output, error);
}
