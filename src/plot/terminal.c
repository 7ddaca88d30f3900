/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plot as lines of text: a bar per column, in eighths of a line where there is UTF-8. */
#include "config.h"

#include "plot/plot-private.h"

#include <math.h>
#include <string.h>

#define LABEL 10 /* columns of the labels at the left */
#define LEAST 8

static const char *const eighths[] = { " ",
                                       "\xe2\x96\x81",
                                       "\xe2\x96\x82",
                                       "\xe2\x96\x83",
                                       "\xe2\x96\x84",
                                       "\xe2\x96\x85",
                                       "\xe2\x96\x86",
                                       "\xe2\x96\x87",
                                       "\xe2\x96\x88" };

/* The mean of what falls into column @column of @columns; NAN if nothing does. */
static double
column_value(const FsnSeries *series, unsigned column, unsigned columns, bool highest)
{
    size_t from = series->n * column / columns;
    size_t to = MAX(series->n * (column + 1) / columns, from + 1);
    double sum = 0;
    double most = NAN;
    size_t n = 0;

    for (size_t i = from; i < to && i < series->n; i++) {
        if (!isnan(series->values[i])) {
            sum += series->values[i];
            most = fmax(most, series->values[i]);
            n++;
        }
    }
    return n == 0 ? NAN : highest ? most : sum / (double)n;
}

static void
append_cell(GString *text, double bar, double mark, unsigned row, bool plain)
{
    double filled = CLAMP(bar - row, 0, 1); /* NAN stays NAN */
    bool marked = mark >= row && mark < row + 1 && mark > 0;

    if (isnan(filled) || filled <= 1. / 16) {
        g_string_append(text, marked ? (plain ? "-" : "\xe2\x95\x8c") : " ");
    } else if (plain) {
        g_string_append(text, filled > .5 ? "#" : marked ? "-" : ".");
    } else {
        g_string_append(text, eighths[(int)lround(filled * 8)]);
    }
}

/* The label, right-aligned; its width in characters. */
static void
append_label(GString *text, const FsnPlot *plot, double value)
{
    g_autofree char *label = plot->text(value);
    glong width = g_utf8_strlen(label, -1);

    g_string_append_printf(text, "%*s%s ", (int)MAX(LABEL - 1 - width, 0), "", label);
}

static void
append_times(GString *text, const FsnPlot *plot, unsigned width)
{
    int64_t end_us = fsn_series_time(plot->line, plot->line->n);
    g_autofree char *from = fsn_plot_time_text(plot, plot->line->start_us);
    g_autofree char *to = fsn_plot_time_text(plot, end_us);
    int gap = (int)width - (int)strlen(from) - (int)strlen(to);

    g_string_append_printf(text, "%*s%s%*s%s\n", LABEL + 1, "", from, MAX(gap, 1), "",
                           to);
}

char *
fsn_plot_terminal(const FsnPlot *plot, unsigned columns, unsigned rows, bool plain)
{
    unsigned width = MAX(columns, LABEL + 1 + LEAST) - LABEL - 1;
    GString *text = g_string_new(NULL);
    double low;
    double high;

    rows = MAX(rows, 2);
    fsn_plot_range(plot, &low, &high);
    g_string_append_printf(text, "%s (%s", plot->title, plot->line_name);
    if (plot->upper) {
        g_string_append_printf(text, "; %s %s", plain ? "-" : "\xe2\x95\x8c",
                               plot->upper_name);
    }
    g_string_append(text, ")\n");
    for (unsigned row = rows; row-- > 0;) {
        if (row == rows - 1 || row == 0 || row == rows / 2) {
            append_label(text, plot,
                         low + (high - low) * (row == rows - 1 ? rows : row) / rows);
        } else {
            g_string_append_printf(text, "%*s", LABEL, "");
        }
        g_string_append(text, plain ? "|" : "\xe2\x94\x82");
        for (unsigned c = 0; c < width; c++) {
            double bar =
                (column_value(plot->line, c, width, false) - low) / (high - low) * rows;
            double mark = plot->upper
                              ? (column_value(plot->upper, c, width, true) - low) /
                                    (high - low) * rows * (1 - 1e-9)
                              : NAN;

            append_cell(text, bar, mark, row, plain);
        }
        while (text->len > 0 && text->str[text->len - 1] == ' ') {
            g_string_truncate(text, text->len - 1);
        }
        g_string_append_c(text, '\n');
    }
    append_times(text, plot, width);
    return g_string_free(text, FALSE);
}
