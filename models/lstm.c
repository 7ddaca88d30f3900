/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model "lstm": the next day by a recurrent network that was trained on many series
 * (lstm-train.c). What belongs to one series is only its values, so fitting costs nothing.
 * Without a network there is no such model. It has no quantiles of its own: those that a network
 * was trained for added nothing to the ones of the others. Beyond a day the same time of the first day
 * stands for it.
 */
#include "models/lstm-private.h"

#include "base/error.h"
#include "models/json-values.h"
#include "models/model.h"

#include <math.h>

#define FORMAT   1 /* of inputs and outputs: another one is another network */
#define LARGEST  1e6
#define TIME_MAX (G_GINT64_CONSTANT(1) << 53)

typedef struct {
    FsnModel model;
    FsnLstm *lstm;
} Member;

FsnLstm *
fsn_lstm_ref(const FsnLstm *lstm)
{
    FsnLstm *shared = (FsnLstm *)lstm;

    g_atomic_int_inc(&shared->references);
    return shared;
}

void
fsn_lstm_unref(FsnLstm *lstm)
{
    if (lstm && g_atomic_int_dec_and_test(&lstm->references)) {
        fsn_lstm_net_free(lstm->net);
        g_free(lstm);
    }
}

int64_t
fsn_lstm_until_us(const FsnLstm *lstm)
{
    return lstm->until_us;
}

void
fsn_lstm_losses(const FsnLstm *lstm, double *out_trained, double *out_kept)
{
    *out_trained = lstm->trained;
    *out_kept = lstm->kept;
}

void
fsn_lstm_to_json(const FsnLstm *lstm, JsonObject *object)
{
    json_object_set_int_member(object, "format", FORMAT);
    if (lstm->until_us > -TIME_MAX) {
        json_object_set_int_member(object, "until_us", lstm->until_us);
    }
    fsn_json_set_floats(
        object, "weights", lstm->net->w,
        fsn_lstm_net_size(lstm->net->inputs, lstm->net->hidden, lstm->net->outputs));
}

FsnLstm *
fsn_lstm_from_json(JsonObject *object, GError **error)
{
    size_t wanted = fsn_lstm_net_size(FSN_LSTM_INPUTS, FSN_LSTM_HIDDEN, 1);
    g_autofree double *w = NULL;
    int64_t format;
    int64_t until_us = G_MININT64;
    bool sound;
    size_t n;

    if (!fsn_json_get_int(object, "format", 1, G_MAXINT, &format, error) ||
        (json_object_has_member(object, "until_us") &&
         !fsn_json_get_int(object, "until_us", -TIME_MAX, TIME_MAX, &until_us, error))) {
        return NULL;
    }
    if (format != FORMAT) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "the network is of format %" G_GINT64_FORMAT, format);
        return NULL;
    }
    if (!fsn_json_get_floats(object, "weights", wanted, &w, &n, error)) {
        return NULL;
    }
    sound = n == wanted;
    for (size_t i = 0; i < n; i++) {
        sound = sound && fabs(w[i]) <= LARGEST;
    }
    if (!sound) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "member 'weights' is not %zu small numbers", wanted);
        return NULL;
    }
    FsnLstm *lstm = g_new0(FsnLstm, 1);
    lstm->references = 1;
    lstm->until_us = until_us;
    lstm->trained = lstm->kept = NAN;
    lstm->net = g_new0(FsnLstmNet, 1);
    *lstm->net = (FsnLstmNet){ .inputs = FSN_LSTM_INPUTS,
                               .hidden = FSN_LSTM_HIDDEN,
                               .outputs = 1,
                               .w = g_steal_pointer(&w) };
    return lstm;
}

static FsnModel *
new_member(FsnLstm *lstm)
{
    Member *member = g_new0(Member, 1);

    member->model.class = &fsn_model_lstm;
    member->lstm = lstm;
    return &member->model;
}

/* Only to data that goes on after what the network has seen. */
static FsnModel *
fit(const FsnModelData *data)
{
    int64_t end_us = data->start_us + (int64_t)data->n * data->step_us;

    if (!data->lstm || data->day == 0 || data->n < 5 * data->day ||
        data->lstm->until_us > end_us) {
        return NULL;
    }
    return new_member(fsn_lstm_ref(data->lstm));
}

/* The outputs for the hours of the day after the end. */
static double *
run(const FsnLstm *lstm, const FsnLstmHours *hours, double scale)
{
    size_t context = MIN((size_t)FSN_LSTM_CONTEXT, hours->n - hours->day);
    size_t steps = context + hours->day;
    g_autofree double *x = g_new(double, steps *FSN_LSTM_INPUTS);
    g_autoptr(FsnLstmTrace) trace = fsn_lstm_trace_new(lstm->net, steps);
    double *out = g_new(double, hours->day);

    fsn_lstm_rows(hours, hours->n, context, scale, x);
    fsn_lstm_net_run(lstm->net, x, context, trace, out);
    return out;
}

static void
forecast(const FsnModel *model,
         const FsnModelData *data,
         size_t horizon,
         double *out_centre)
{
    const Member *member = (const Member *)model;

    if (data->day == 0) {
        for (size_t h = 0; h < horizon; h++) {
            out_centre[h] = data->y[data->n - 1];
        }
        return;
    }
    g_autoptr(FsnLstmHours) hours = fsn_lstm_hours_new(data);
    double scale = fsn_lstm_scale(hours, hours->n);
    g_autofree double *day = run(member->lstm, hours, scale);

    for (size_t h = 0; h < horizon; h++) {
        size_t hour = MIN(h % data->day / data->hour, hours->day - 1);

        out_centre[h] = hours->usual[hours->n + hour] + scale * day[hour];
    }
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
    fsn_lstm_to_json(((const Member *)model)->lstm, object);
}

static FsnModel *
from_json(JsonObject *object, GError **error)
{
    FsnLstm *lstm = fsn_lstm_from_json(object, error);

    return lstm ? new_member(lstm) : NULL;
}

static char *
explain(const FsnModel *model)
{
    return g_strdup_printf("a recurrent network of %d units that was trained on many "
                           "series, by the hour",
                           FSN_LSTM_HIDDEN);
}

static void
free_member(FsnModel *model)
{
    fsn_lstm_unref(((Member *)model)->lstm);
    g_free(model);
}

const FsnModelClass fsn_model_lstm = {
    .name = "lstm",
    .summary = "recurrent network trained on many series",
    .fit = fit,
    .forecast = forecast,
    .to_json = to_json,
    .from_json = from_json,
    .explain = explain,
    .free = free_member,
};
