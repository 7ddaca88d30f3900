/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exponential smoothing with additive errors, damped additive trend and additive daily season:
 * ETS(A,Ad,A), or ETS(A,Ad,N) without days. Holt 1957; Winters, Management Science 6, 1960;
 * Gardner and McKenzie, Management Science 31, 1985 (damped trend); Hyndman, Koehler, Ord,
 * Snyder, Forecasting with Exponential Smoothing, 2008 (error-correction form). Errors are
 * cut off before they move the states (Gelper, Fried, Croux, J. of Forecasting 29, 2010).
 *
 * Never multiplicative: on values near zero that explodes.
 */
#include "models/model.h"

#include "models/json-values.h"
#include "models/numbers.h"

#include <math.h>
#include <nlopt.h>
#include <string.h>

#define FIT_VALUES  2016 /* the last ones that parameters are fitted to */
#define RUN_DAYS    21   /* that states are computed from */
#define EVALUATIONS 120
#define CUT         2.5 /* of the scale of errors */

typedef enum {
    ALPHA,
    BETA,
    GAMMA,
    PHI,
    PARAMETERS,
} Parameter;

typedef struct {
    FsnModel model;
    double parameter[PARAMETERS];
    double scale; /* of one-step errors: mean absolute deviation */
} Ets;

static const double lowest[PARAMETERS] = { 1e-3, 0, 0, .8 };
static const double highest[PARAMETERS] = { .99, .2, .5, .995 };

typedef struct {
    double level, trend;
    double *season; /* [period] by index modulo, or one 0 */
    size_t period;
} States;

static void
start_states(const double *y, size_t n, size_t period, States *states)
{
    double column[8];

    states->period = MAX(period, 1);
    states->season = g_new0(double, states->period);
    states->trend = 0;
    states->level = fsn_mean(y, MIN(n, MAX(2 * period, 5)));
    if (period < 2) {
        return;
    }
    for (size_t p = 0; p < period; p++) {
        size_t count = 0;

        for (size_t i = p; i < n && count < 3; i += period) {
            column[count++] = y[i] - states->level;
        }
        states->season[p] = fsn_median(column, count);
    }
}

/* Runs through @n values; returns the sum of the errors' sizes after the first season. */
static double
run_filter(const double *parameter, double scale, const double *y, size_t n, States *s)
{
    double alpha = parameter[ALPHA];
    double beta = parameter[BETA];
    double gamma = s->period > 1 ? parameter[GAMMA] : 0;
    double phi = parameter[PHI];
    double cut = CUT * scale;
    double sum = 0;
    size_t p = 0;

    for (size_t i = 0; i < n; i++) {
        double expected = s->level + phi * s->trend + s->season[p];
        double error = y[i] - expected;

        if (i >= s->period) {
            sum += fabs(error);
        }
        error = CLAMP(error, -cut, cut);
        s->level += phi * s->trend + alpha * error;
        s->trend = phi * s->trend + alpha * beta * error;
        s->season[p] += gamma * (1 - alpha) * error;
        p = p + 1 < s->period ? p + 1 : 0;
    }
    return sum;
}

typedef struct {
    const double *y;
    size_t n;
    const States *start;
    double scale;
    double *season;
} Problem;

/* nlopt's form of the objective. */
static double
objective(unsigned n, const double *parameter, double *gradient, void *data)
{
    const Problem *problem = data;
    States states = *problem->start;

    states.season = problem->season;
    memcpy(states.season, problem->start->season, states.period * sizeof(double));
    return run_filter(parameter, problem->scale, problem->y, problem->n, &states);
}

/* Mean size of the differences between neighbours, or of a day apart if that is less. */
static double
error_scale(const double *y, size_t n, size_t period)
{
    double near = 0;
    double far = 0;

    for (size_t i = 1; i < n; i++) {
        near += fabs(y[i] - y[i - 1]) / (double)n;
        far += i >= period && period > 1 ? fabs(y[i] - y[i - period]) / (double)n : 0;
    }
    return MAX(far > 0 ? MIN(near, far) : near, 1e-12);
}

static void
optimise(Problem *problem, double *parameter)
{
    nlopt_opt opt = nlopt_create(NLOPT_LN_SBPLX, PARAMETERS);
    double least;

    nlopt_set_lower_bounds(opt, lowest);
    nlopt_set_upper_bounds(opt, highest);
    nlopt_set_min_objective(opt, objective, problem);
    nlopt_set_maxeval(opt, EVALUATIONS);
    nlopt_set_xtol_rel(opt, 1e-3);
    (void)nlopt_optimize(opt, parameter, &least); /* the best point so far serves */
    nlopt_destroy(opt);
}

static FsnModel *
fit(const FsnModelData *data)
{
    size_t n = MIN(data->n, MAX(FIT_VALUES, 3 * data->day));
    const double *y = data->y + data->n - n;
    Problem problem = { .y = y, .n = n };
    States start;
    Ets *ets;

    if (data->n < 10 || (data->day && data->n < 3 * data->day)) {
        return NULL;
    }
    ets = g_new0(Ets, 1);
    ets->model.class = &fsn_model_ets;
    ets->parameter[ALPHA] = .2;
    ets->parameter[BETA] = .02;
    ets->parameter[GAMMA] = .1;
    ets->parameter[PHI] = .95;
    ets->scale = error_scale(y, n, data->day);
    start_states(y, n, data->day, &start);
    problem.start = &start;
    problem.scale = ets->scale;
    problem.season = g_new(double, start.period);
    optimise(&problem, ets->parameter);
    g_free(problem.season);
    g_free(start.season);
    return &ets->model;
}

static void
forecast(const FsnModel *model,
         const FsnModelData *data,
         size_t horizon,
         double *out_centre)
{
    const Ets *ets = (const Ets *)model;
    size_t n = MIN(data->n, data->day ? RUN_DAYS * data->day : FIT_VALUES);
    const double *y = data->y + data->n - n;
    double phi = ets->parameter[PHI];
    double damped = 0;
    double power = phi;
    States states;

    start_states(y, n, data->day, &states);
    (void)run_filter(ets->parameter, ets->scale, y, n, &states);
    for (size_t h = 0; h < horizon; h++) {
        damped += power;
        power *= phi;
        out_centre[h] =
            states.level + damped * states.trend + states.season[(n + h) % states.period];
    }
    g_free(states.season);
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
    const Ets *ets = (const Ets *)model;

    fsn_json_set_numbers(object, "parameters", ets->parameter, PARAMETERS);
    json_object_set_double_member(object, "scale", ets->scale);
}

static FsnModel *
from_json(JsonObject *object, GError **error)
{
    g_autofree Ets *ets = g_new0(Ets, 1);

    if (!fsn_json_get_numbers(object, "parameters", PARAMETERS, ets->parameter, error) ||
        !fsn_json_get_number(object, "scale", 0, 1e300, &ets->scale, error)) {
        return NULL;
    }
    for (size_t i = 0; i < PARAMETERS; i++) {
        ets->parameter[i] = CLAMP(ets->parameter[i], lowest[i], highest[i]);
    }
    ets->model.class = &fsn_model_ets;
    return &g_steal_pointer(&ets)->model;
}

static char *
explain(const FsnModel *model)
{
    const Ets *ets = (const Ets *)model;

    return g_strdup_printf(
        "smoothing of level %.2f, trend %.2f, season %.2f, damping %.2f",
        ets->parameter[ALPHA], ets->parameter[BETA], ets->parameter[GAMMA],
        ets->parameter[PHI]);
}

static void
free_ets(FsnModel *model)
{
    g_free(model);
}

const FsnModelClass fsn_model_ets = {
    .name = "ets",
    .summary = "exponential smoothing with damped trend and daily season",
    .fit = fit,
    .forecast = forecast,
    .to_json = to_json,
    .from_json = from_json,
    .explain = explain,
    .free = free_ets,
};
