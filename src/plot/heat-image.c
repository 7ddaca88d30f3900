/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heat maps as pictures, by cairo. */
#include "config.h"

#include "plot/heat.h"

#include "plot/plot-private.h"

#define WIDTH   900
#define LEFT    90
#define RIGHT   20
#define TOP     34
#define BOTTOM  16
#define ROW     14
#define SHADES  32
#define MAX_ROW 256

static double
height_of(const FsnHeatPlot *plot)
{
    return TOP + BOTTOM + ROW * (double)MIN(plot->labels->len, MAX_ROW);
}

static void
draw_row(cairo_t *cr, const FsnHeatPlot *plot, guint row, double y, double most)
{
    double width = (double)(WIDTH - LEFT - RIGHT) / plot->columns;

    cairo_set_source_rgb(cr, .25, .25, .25);
    cairo_move_to(cr, 8, y + ROW - 3);
    cairo_show_text(cr, plot->labels->pdata[row]);
    for (unsigned i = 0; i < plot->columns; i++) {
        double value = g_array_index(plot->values, double, row * plot->columns + i);
        double heat = (double)fsn_heat_shade(value, most, SHADES) / SHADES;

        if (value < 0) {
            cairo_set_source_rgb(cr, .9, .9, .9);
        } else {
            cairo_set_source_rgb(cr, .97 - .15 * heat * heat, .95 * (1 - heat) + .05,
                                 .9 * (1 - heat) + .05);
        }
        cairo_rectangle(cr, LEFT + i * width, y, width - .5, ROW - 1);
        cairo_fill(cr);
    }
}

static void
draw(cairo_t *cr, const FsnHeatPlot *plot, double top)
{
    guint rows = MIN(plot->labels->len, MAX_ROW);
    guint first = plot->labels->len - rows;
    double most = 0;

    for (guint i = 0; i < plot->values->len; i++) {
        most = MAX(most, g_array_index(plot->values, double, i));
    }
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_move_to(cr, LEFT, top + 20);
    cairo_show_text(cr, plot->title);
    for (guint row = 0; row < rows; row++) {
        draw_row(cr, plot, first + row, top + TOP + ROW * (double)row, most);
    }
}

static void
draw_all(cairo_t *cr, gpointer user)
{
    GPtrArray *plots = user;
    double top = 0;

    for (guint i = 0; i < plots->len; i++) {
        draw(cr, plots->pdata[i], top);
        top += height_of(plots->pdata[i]);
    }
}

bool
fsn_heat_plot_write(GPtrArray *plots, const char *path, GError **error)
{
    double height = TOP;

    for (guint i = 0; i < plots->len; i++) {
        height += height_of(plots->pdata[i]);
    }
    return fsn_plot_picture(path, WIDTH, (int)height, draw_all, plots, error);
}
