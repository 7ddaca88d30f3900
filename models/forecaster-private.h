/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"
#include "models/forecaster.h"
#include "models/lstm.h"
#include "models/model.h"
#include "models/prior.h"
#include "models/weights.h"

G_BEGIN_DECLS

/* What is kept of a series: as many values, or as many days, whichever is less. */
#define FSN_WINDOW_VALUES 8064
#define FSN_WINDOW_DAYS   100

struct FsnForecaster {
    double low, high;
    uint64_t seed;
    char *only;           /* the one member that was asked for, or NULL */
    FsnEvents *events;    /* or NULL */
    FsnLstm *lstm;        /* what the member "lstm" is fitted from, or NULL */
    FsnSeries *window;    /* as measured */
    double *y;            /* the same filled and damped; NULL without values */
    FsnOutlierRule *rule; /* NULL without values */
    FsnPrior *prior;      /* of similar VMs, or NULL */
    FsnModel *members[FSN_MODELS_MAX]; /* by class; NULL: not fitted */
    FsnWeights weights;
    double level; /* mean size of the values in the backtest */
};

/* @y anew from the window. */
void fsn_forecaster_refill(FsnForecaster *forecaster);
FsnModelData fsn_forecaster_data(const FsnForecaster *forecaster);
/* The last values of @series that are kept. */
FsnSeries *fsn_forecaster_window(const FsnSeries *series);

G_END_DECLS
