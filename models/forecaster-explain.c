/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a forecaster has chosen, in words.
 */
#include "models/forecaster-private.h"

#include <math.h>

/* Weight of member @m over all bands. */
static double
share_of(const FsnForecaster *f, size_t m)
{
    double sum = 0;

    for (size_t b = 0; b < FSN_BANDS; b++) {
        sum += f->weights.centre[b][m] / FSN_BANDS;
    }
    return sum;
}

static void
add_member(const FsnForecaster *f, size_t m, GString *text)
{
    double share = share_of(f, m);

    if (share >= .005) {
        g_autofree char *why = fsn_model_classes[m]->explain(f->members[m]);

        g_string_append_printf(text, "%s %.0f %%: %s\n", fsn_model_classes[m]->name,
                               100 * share, why);
    }
}

char *
fsn_forecaster_explain(const FsnForecaster *f)
{
    GString *text = g_string_new(NULL);
    double error = fsn_forecaster_error(f);

    if (isfinite(error)) {
        g_string_append_printf(text, "backtest error %.0f %%\n", 100 * error);
    } else {
        g_string_append(text, "the history is too short for a backtest\n");
    }
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        if (f->members[m]) {
            add_member(f, m, text);
        }
    }
    g_string_truncate(text, text->len - 1);
    return g_string_free(text, FALSE);
}
