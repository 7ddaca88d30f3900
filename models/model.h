/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"
#include "models/forecast.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* One forecasting method. A model is what fit() learned: parameters only, never values. Where
 * the series stands (level, season, errors) is computed from the data that forecast() gets,
 * so that it may be given more data than fit() had, which is how a model is updated and
 * how a backtest looks at it from many origins. */

typedef struct FsnModelClass FsnModelClass;

/* The beginning of every model. */
typedef struct {
    const FsnModelClass *class;
} FsnModel;

struct FsnModelClass {
    const char *name;    /* in --model, JSON and explanations; never changes */
    const char *summary; /* one phrase */
    bool off;            /* not in the automatic selection: adds nothing to the others */

    /* Learns from @data. NULL where the history is too short for the method. */
    FsnModel *(*fit)(const FsnModelData *data);
    /* After @data has grown: NULL where the parameters stay as they are, and the state
     * follows from the data. */
    void (*update)(FsnModel *model, const FsnModelData *data);
    /* The centre (median, or mean where the method knows no other) of the @horizon values
     * that follow @data. Uses nothing but @model and @data; all values are finite. */
    void (*forecast)(const FsnModel *model,
                     const FsnModelData *data,
                     size_t horizon,
                     double *out_centre);
    /* Quantiles of the method's own, [FSN_FORECAST_LEVELS] arrays of @horizon values;
     * NULL where the method has none, and they are those of its errors in the backtest. */
    void (*quantiles)(const FsnModel *model,
                      const FsnModelData *data,
                      size_t horizon,
                      double *const *out_quantiles);
    /* Adds the parameters to @object. */
    void (*to_json)(const FsnModel *model, JsonObject *object);
    /* @object is hostile. */
    FsnModel *(*from_json)(JsonObject *object, GError **error);
    /* One phrase about what was learned; the caller frees. */
    char *(*explain)(const FsnModel *model);
    void (*free)(FsnModel *model);
};

/* All methods; NULL ends the table. */
extern const FsnModelClass *const fsn_model_classes[];
#define FSN_MODELS_MAX 16
/* Index in the table, or -1. */
int fsn_model_find(const char *name);

void fsn_model_free(FsnModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnModel, fsn_model_free)

extern const FsnModelClass fsn_model_arima;
extern const FsnModelClass fsn_model_decompose;
extern const FsnModelClass fsn_model_ets;
extern const FsnModelClass fsn_model_lstm;
extern const FsnModelClass fsn_model_naive;
extern const FsnModelClass fsn_model_profile;
extern const FsnModelClass fsn_model_regression;
extern const FsnModelClass fsn_model_seasonal_naive;
extern const FsnModelClass fsn_model_tails;
extern const FsnModelClass fsn_model_theta;

G_END_DECLS
