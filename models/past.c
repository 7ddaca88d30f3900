/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typical values and running sums of a series, shared by the models that look at them and by all
 * origins of a backtest: most of what a forecast costs is the medians here. Those of the usual
 * case, a week of days and a month of weeks, are done by networks of minima and maxima, which
 * no value can make the processor mispredict.
 */
#include "models/past.h"

#include "models/numbers.h"

#include <math.h>
#include <string.h>

#define USUAL_DAYS  7
#define USUAL_WEEKS 4
#define SLOW        .15

static FsnPast *
past_alloc(size_t day, size_t room)
{
    FsnPast *past = g_new0(FsnPast, 1);

    past->day = day;
    past->room = room;
    past->usual = g_new(double, room + day);
    past->slow = g_new(double, room + day);
    past->weekly = g_new(double, room + day);
    past->high = g_new(double, room + day);
    past->low = g_new(double, room + day);
    past->sum = g_new(double, room + 1);
    past->sum_off = g_new(double, room + 1);
    past->sum_size = g_new(double, room + 1);
    past->sum_usual = g_new(double, room + day + 1);
    past->least = g_new(double, room + 1);
    past->most = g_new(double, room + 1);
    past->sum[0] = past->sum_off[0] = past->sum_size[0] = past->sum_usual[0] = 0;
    past->least[0] = INFINITY;
    past->most[0] = -INFINITY;
    return past;
}

void
fsn_past_free(FsnPast *past)
{
    if (!past) {
        return;
    }
    g_free(past->usual);
    g_free(past->slow);
    g_free(past->weekly);
    g_free(past->high);
    g_free(past->low);
    g_free(past->sum);
    g_free(past->sum_off);
    g_free(past->sum_size);
    g_free(past->sum_usual);
    g_free(past->least);
    g_free(past->most);
    g_free(past);
}

static void
order(double *a, double *b)
{
    double least = MIN(*a, *b);

    *b = MAX(*a, *b);
    *a = least;
}

/* The median of seven; the comparisons of Paeth (Median finding on a 3×3 grid, Graphics Gems,
 * 1990) and Devillard. @v is mixed up. */
static double
median_of_7(double *v)
{
    order(&v[0], &v[5]);
    order(&v[0], &v[3]);
    order(&v[1], &v[6]);
    order(&v[2], &v[4]);
    order(&v[0], &v[1]);
    order(&v[3], &v[5]);
    order(&v[2], &v[6]);
    order(&v[2], &v[3]);
    order(&v[3], &v[6]);
    order(&v[4], &v[5]);
    order(&v[1], &v[4]);
    order(&v[1], &v[3]);
    order(&v[3], &v[4]);
    return v[3];
}

static double
median_of_4(double *v)
{
    order(&v[0], &v[1]);
    order(&v[2], &v[3]);
    return (MAX(v[0], v[2]) + MIN(v[1], v[3])) / 2;
}

/* Up to @most values at @i minus 1, 2, … times @lag, which are not beyond the start. */
static size_t
take_lags(const FsnModelData *data, size_t i, size_t lag, size_t most, double *out)
{
    size_t n = 0;

    for (size_t at = i; n < most && at >= lag; at -= lag) {
        out[n++] = data->y[at - lag];
    }
    return n;
}

static double
usual_week(const FsnModelData *data, size_t i)
{
    double values[USUAL_WEEKS];
    size_t n = take_lags(data, i, data->week, USUAL_WEEKS, values);

    return n == 4 ? median_of_4(values) : fsn_median(values, n);
}

/* What was at the time of @i, which has a day before it. */
static void
look_back(FsnPast *past, const FsnModelData *data, size_t i)
{
    double values[USUAL_DAYS];
    size_t n = take_lags(data, i, past->day, USUAL_DAYS, values);
    double high = values[0];
    double low = values[0];

    past->slow[i] = past->slow[i - past->day] +
                    SLOW * (data->y[i - past->day] - past->slow[i - past->day]);
    for (size_t k = 1; k < n; k++) {
        high = MAX(high, values[k]);
        low = MIN(low, values[k]);
    }
    past->high[i] = high;
    past->low[i] = low;
    past->usual[i] = n == 7 ? median_of_7(values) : fsn_median(values, n);
}

static void
fill_typical(FsnPast *past, const FsnModelData *data, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (i < past->day) {
            past->usual[i] = past->slow[i] = past->high[i] = past->low[i] = data->y[i];
        } else {
            look_back(past, data, i);
        }
        past->weekly[i] =
            data->week && i >= data->week ? usual_week(data, i) : past->usual[i];
        past->sum_usual[i + 1] = past->sum_usual[i] + past->usual[i];
    }
}

void
fsn_past_extend(FsnPast *past, const FsnModelData *data)
{
    g_return_if_fail(data->n >= past->n && data->n <= past->room);

    fill_typical(past, data, past->n ? past->n + past->day : 0, data->n + past->day);
    for (size_t i = past->n; i < data->n; i++) {
        double off = data->y[i] - past->usual[i];

        past->sum[i + 1] = past->sum[i] + data->y[i];
        past->sum_off[i + 1] = past->sum_off[i] + off;
        past->sum_size[i + 1] = past->sum_size[i] + fabs(off);
        past->least[i + 1] = MIN(past->least[i], data->y[i]);
        past->most[i + 1] = MAX(past->most[i], data->y[i]);
    }
    past->n = data->n;
}

FsnPast *
fsn_past_new(const FsnModelData *data)
{
    FsnPast *past = past_alloc(data->day, data->n);

    fsn_past_extend(past, data);
    return past;
}

static void
copy_values(double *to, const double *from, size_t n)
{
    memcpy(to, from, n * sizeof(double));
}

FsnPast *
fsn_past_copy(const FsnPast *past, size_t n, size_t room)
{
    FsnPast *copy = past_alloc(past->day, MAX(n, room));

    copy->n = n;
    copy_values(copy->usual, past->usual, n + past->day);
    copy_values(copy->slow, past->slow, n + past->day);
    copy_values(copy->weekly, past->weekly, n + past->day);
    copy_values(copy->high, past->high, n + past->day);
    copy_values(copy->low, past->low, n + past->day);
    copy_values(copy->sum, past->sum, n + 1);
    copy_values(copy->sum_off, past->sum_off, n + 1);
    copy_values(copy->sum_size, past->sum_size, n + 1);
    copy_values(copy->sum_usual, past->sum_usual, n + past->day + 1);
    copy_values(copy->least, past->least, n + 1);
    copy_values(copy->most, past->most, n + 1);
    return copy;
}

FsnPast *
fsn_past_attach(FsnModelData *data)
{
    FsnPast *past = data->day ? fsn_past_new(data) : NULL;

    data->past = past;
    return past;
}
