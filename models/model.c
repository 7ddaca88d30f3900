/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of models. A new one is a file of its own, a line in model.h and one here.
 */
#include "models/model.h"

#include <string.h>

/* One to a line; the order is that of weights in JSON explanations only. */
/* clang-format off */
const FsnModelClass *const fsn_model_classes[] = {
    &fsn_model_naive,
    &fsn_model_seasonal_naive,
    &fsn_model_profile,
    &fsn_model_ets,
    &fsn_model_theta,
    &fsn_model_arima,
    &fsn_model_decompose,
    &fsn_model_regression,
    &fsn_model_tails,
    &fsn_model_lstm,
    NULL,
};
/* clang-format on */
G_STATIC_ASSERT(G_N_ELEMENTS(fsn_model_classes) <= FSN_MODELS_MAX + 1);

int
fsn_model_find(const char *name)
{
    for (int i = 0; fsn_model_classes[i]; i++) {
        if (strcmp(fsn_model_classes[i]->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

void
fsn_model_free(FsnModel *model)
{
    if (model) {
        model->class->free(model);
    }
}
