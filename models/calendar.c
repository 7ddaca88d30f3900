/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fourier terms of the calendar (Harvey and Shephard, Structural time series models, 1993;
 * De Livera, Hyndman, Snyder, J. of the American Statistical Association 106, 2011).
 */
#include "models/calendar.h"

#include <math.h>

#define DAY_US (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

size_t
fsn_waves_count(const FsnModelData *data)
{
    size_t waves = MIN(FSN_WAVES_DAY, data->day / 2 > 0 ? data->day / 2 - 1 : 0);

    return 2 * (waves + (data->week && waves == FSN_WAVES_DAY ? FSN_WAVES_WEEK : 0));
}

/* The first @count of the sines and cosines of multiples of @angle whose number is no
 * multiple of @skip, by the addition theorem. */
static void
add_waves(double angle, size_t skip, size_t count, double *out)
{
    double s = sin(angle);
    double c = cos(angle);
    double sk = s;
    double ck = c;
    size_t n = 0;

    for (size_t k = 1; n < count; k++) {
        if (skip == 0 || k % skip) {
            out[n++] = sk;
            out[n++] = ck;
        }
        double next = sk * c + ck * s;

        ck = ck * c - sk * s;
        sk = next;
    }
}

void
fsn_waves_row(const FsnModelData *data, size_t i, size_t count, double *out)
{
    int64_t time_us = data->start_us + (int64_t)i * data->step_us;
    size_t daily = MIN(count, 2 * FSN_WAVES_DAY);

    add_waves(2 * G_PI * (double)(time_us % DAY_US) / (double)DAY_US, 0, daily, out);
    add_waves(2 * G_PI * (double)(time_us % (7 * DAY_US)) / (double)(7 * DAY_US), 7,
              count - daily, out + daily);
}
