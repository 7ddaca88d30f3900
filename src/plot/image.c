/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plots as SVG or PNG, by cairo. The bytes are made in memory and then take the file's place. */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "plot/plot-private.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <string.h>

#define WIDTH  900
#define HEIGHT 260 /* of one plot */
#define LEFT   90
#define RIGHT  20
#define TOP    34
#define BOTTOM 30
#define LINES  4
#define FONT   12

typedef struct {
    cairo_t *cr;
    const FsnPlot *plot;
    double top;
    double low;
    double high;
} Panel;

static double
x_of(const Panel *p, double i)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * i / (double)MAX(p->plot->line->n, 1);
}

static double
y_of(const Panel *p, double value)
{
    return p->top + HEIGHT - BOTTOM -
           (HEIGHT - TOP - BOTTOM) * (value - p->low) / (p->high - p->low);
}

/* @align 0: @x is where it begins, 1: where it ends. */
static void
draw_text(const Panel *p, double x, double y, double align, const char *text)
{
    cairo_text_extents_t extents;

    cairo_text_extents(p->cr, text, &extents);
    cairo_move_to(p->cr, x - extents.x_advance * align, y);
    cairo_show_text(p->cr, text);
}

static void
draw_axes(const Panel *p)
{
    int64_t step = p->plot->line->step_us;

    for (int i = 0; i <= LINES; i++) {
        double value = p->low + (p->high - p->low) * i / LINES;
        g_autofree char *label = p->plot->text(value);
        double index = (double)p->plot->line->n * i / LINES;
        int64_t time_us = p->plot->line->start_us + (int64_t)(index * (double)step);
        g_autofree char *time = fsn_plot_time_text(p->plot, time_us);

        cairo_set_source_rgb(p->cr, .85, .85, .85);
        cairo_move_to(p->cr, LEFT, y_of(p, value));
        cairo_line_to(p->cr, WIDTH - RIGHT, y_of(p, value));
        cairo_stroke(p->cr);
        cairo_set_source_rgb(p->cr, .25, .25, .25);
        draw_text(p, LEFT - 8, y_of(p, value) + 4, 1, label);
        draw_text(p, x_of(p, index), p->top + HEIGHT - 10, (double)i / LINES, time);
    }
}

/* A step per value, broken where nothing is known. */
static void
draw_series(const Panel *p, const FsnSeries *series)
{
    bool pen = false;

    for (size_t i = 0; i < series->n; i++) {
        double y;

        if (isnan(series->values[i])) {
            pen = false;
            continue;
        }
        y = y_of(p, series->values[i]);
        if (pen) {
            cairo_line_to(p->cr, x_of(p, (double)i), y);
        } else {
            cairo_move_to(p->cr, x_of(p, (double)i), y);
        }
        cairo_line_to(p->cr, x_of(p, (double)i + 1), y);
        pen = true;
    }
    cairo_stroke(p->cr);
}

static void
draw_band(const Panel *p)
{
    const FsnPlot *plot = p->plot;

    for (size_t i = 0; plot->upper && plot->lower && i < plot->line->n; i++) {
        double above = plot->upper->values[i];
        double below = plot->lower->values[i];

        if (!isnan(above) && !isnan(below)) {
            cairo_rectangle(p->cr, x_of(p, (double)i), y_of(p, above),
                            x_of(p, (double)i + 1) - x_of(p, (double)i),
                            y_of(p, below) - y_of(p, above));
        }
    }
    cairo_set_source_rgba(p->cr, .2, .45, .75, .2);
    cairo_fill(p->cr);
}

static void
draw_now(const Panel *p)
{
    const FsnSeries *line = p->plot->line;
    double i = (double)(p->plot->now_us - line->start_us) / (double)line->step_us;

    if (p->plot->now_us > 0 && i > 0 && i < (double)line->n) {
        cairo_set_source_rgb(p->cr, .5, .5, .5);
        cairo_move_to(p->cr, x_of(p, i), p->top + TOP);
        cairo_line_to(p->cr, x_of(p, i), p->top + HEIGHT - BOTTOM);
        cairo_stroke(p->cr);
    }
}

static void
draw_panel(cairo_t *cr, const FsnPlot *plot, double top)
{
    Panel p = { .cr = cr, .plot = plot, .top = top };

    fsn_plot_range(plot, &p.low, &p.high);
    cairo_set_line_width(cr, 1);
    draw_axes(&p);
    draw_band(&p);
    draw_now(&p);
    cairo_set_line_width(cr, 1.5);
    if (plot->upper) {
        cairo_set_source_rgb(cr, .85, .45, .1);
        draw_text(&p, WIDTH - RIGHT, top + 20, 1, plot->upper_name);
        draw_series(&p, plot->upper);
    }
    cairo_set_source_rgb(cr, .1, .35, .7);
    draw_text(&p, WIDTH - RIGHT - 60, top + 20, 1, plot->line_name);
    draw_series(&p, plot->line);
    cairo_set_source_rgb(cr, 0, 0, 0);
    draw_text(&p, LEFT, top + 20, 0, plot->title);
}

static cairo_status_t
take_bytes(void *user, const unsigned char *data, unsigned len)
{
    g_byte_array_append(user, data, len);
    return CAIRO_STATUS_SUCCESS;
}

static cairo_status_t
draw_on(cairo_surface_t *surface, FsnPlotDraw draw, gpointer user)
{
    cairo_t *cr = cairo_create(surface);
    cairo_status_t status;

    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, FONT);
    draw(cr, user);
    status = cairo_status(cr);
    cairo_destroy(cr);
    return status;
}

bool
fsn_plot_picture(const char *path,
                 int width,
                 int height,
                 FsnPlotDraw draw,
                 gpointer user,
                 GError **error)
{
    bool svg = g_str_has_suffix(path, ".svg");
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    cairo_surface_t *surface;
    cairo_status_t status;

    if (!svg && !g_str_has_suffix(path, ".png")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' ends neither in .svg nor in .png", path);
        return false;
    }
    surface = svg ? cairo_svg_surface_create_for_stream(take_bytes, bytes, width, height)
                  : cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    status = draw_on(surface, draw, user);
    if (status == CAIRO_STATUS_SUCCESS && !svg) {
        status = cairo_surface_write_to_png_stream(surface, take_bytes, bytes);
    }
    cairo_surface_finish(surface);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "cannot draw '%s': %s", path,
                    cairo_status_to_string(status));
        return false;
    }
    return fsn_file_replace(path, bytes->data, bytes->len, 0644, error);
}

static void
draw_panels(cairo_t *cr, gpointer user)
{
    GPtrArray *plots = user;

    for (guint i = 0; i < plots->len; i++) {
        draw_panel(cr, plots->pdata[i], (double)i * HEIGHT);
    }
}

bool
fsn_plot_write(GPtrArray *plots, const char *path, GError **error)
{
    return fsn_plot_picture(path, WIDTH, HEIGHT * (int)plots->len, draw_panels, plots,
                            error);
}
