/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long short-term memory (Hochreiter and Schmidhuber, Neural Computation 9, 1997) with a
 * forget gate (Gers, Schmidhuber, Cummins, Neural Computation 12, 2000), and its gradient by
 * back-propagation through time (Werbos, Proc. IEEE 78, 1990). In plain C, one sequence at
 * a time, always in the same order: the same result each time on one machine.
 */
#include "models/lstm-net.h"

#include <math.h>
#include <string.h>

enum {
    GATE_INPUT,
    GATE_FORGET,
    GATE_OUTPUT,
    GATE_CANDIDATE,
    GATES,
};

/* Parameters of one row: the inputs, the hidden units, the bias. */
static size_t
row_size(const FsnLstmNet *net)
{
    return net->inputs + net->hidden + 1;
}

/* Where the parameters of the linear layer begin. */
static size_t
head_at(const FsnLstmNet *net)
{
    return GATES * net->hidden * row_size(net);
}

size_t
fsn_lstm_net_size(size_t inputs, size_t hidden, size_t outputs)
{
    return GATES * hidden * (inputs + hidden + 1) + outputs * (hidden + 1);
}

FsnLstmNet *
fsn_lstm_net_new(size_t inputs, size_t hidden, size_t outputs, GRand *random)
{
    FsnLstmNet *net = g_new0(FsnLstmNet, 1);
    size_t n = fsn_lstm_net_size(inputs, hidden, outputs);
    double range = sqrt(3.0 / (double)(inputs + hidden)); /* Glorot and Bengio 2010 */

    net->inputs = inputs;
    net->hidden = hidden;
    net->outputs = outputs;
    net->w = g_new(double, n);
    for (size_t i = 0; i < n; i++) {
        net->w[i] = g_rand_double_range(random, -range, range);
    }
    /* To remember is what it begins with (Gers et al.). */
    for (size_t j = 0; j < hidden; j++) {
        net->w[(GATE_FORGET * hidden + j + 1) * row_size(net) - 1] = 1;
    }
    return net;
}

void
fsn_lstm_net_free(FsnLstmNet *net)
{
    if (net) {
        g_free(net->w);
        g_free(net);
    }
}

FsnLstmTrace *
fsn_lstm_trace_new(const FsnLstmNet *net, size_t steps)
{
    FsnLstmTrace *trace = g_new0(FsnLstmTrace, 1);

    trace->steps = steps;
    trace->gates = g_new0(double, steps *GATES * net->hidden);
    trace->cell = g_new0(double, steps * net->hidden);
    trace->state = g_new0(double, steps * net->hidden);
    return trace;
}

void
fsn_lstm_trace_free(FsnLstmTrace *trace)
{
    if (trace) {
        g_free(trace->gates);
        g_free(trace->cell);
        g_free(trace->state);
        g_free(trace);
    }
}

static double
weighted(const double *w, const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += w[i] * x[i];
    }
    return sum;
}

/* One step: @before is the hidden state before it, NULL for zeroes, as is @cell_before. */
static void
run_step(const FsnLstmNet *net,
         const double *x,
         const double *before,
         const double *cell_before,
         double *gates,
         double *cell,
         double *state)
{
    size_t hidden = net->hidden;
    size_t size = row_size(net);

    for (size_t g = 0; g < GATES * hidden; g++) {
        const double *w = net->w + g * size;
        double sum = w[size - 1] + weighted(w, x, net->inputs);

        sum += before ? weighted(w + net->inputs, before, hidden) : 0;
        gates[g] = g / hidden == GATE_CANDIDATE ? tanh(sum) : 1 / (1 + exp(-sum));
    }
    for (size_t j = 0; j < hidden; j++) {
        cell[j] = gates[GATE_INPUT * hidden + j] * gates[GATE_CANDIDATE * hidden + j] +
                  (cell_before ? gates[GATE_FORGET * hidden + j] * cell_before[j] : 0);
        state[j] = gates[GATE_OUTPUT * hidden + j] * tanh(cell[j]);
    }
}

void
fsn_lstm_net_run(const FsnLstmNet *net,
                 const double *x,
                 size_t first,
                 FsnLstmTrace *trace,
                 double *out)
{
    size_t hidden = net->hidden;

    for (size_t t = 0; t < trace->steps; t++) {
        double *state = trace->state + t * hidden;
        double *cell = trace->cell + t * hidden;

        run_step(net, x + t * net->inputs, t ? state - hidden : NULL,
                 t ? cell - hidden : NULL, trace->gates + t * GATES * hidden, cell,
                 state);
        for (size_t o = 0; t >= first && o < net->outputs; o++) {
            const double *w = net->w + head_at(net) + o * (hidden + 1);

            *out++ = w[hidden] + weighted(w, state, hidden);
        }
    }
}

/* What the loss changes with the state of step @t through the outputs of that step. */
static void
back_head(const FsnLstmNet *net,
          const double *state,
          const double *slopes,
          double *d_state,
          double *gradient)
{
    size_t hidden = net->hidden;

    for (size_t o = 0; o < net->outputs; o++) {
        size_t at = head_at(net) + o * (hidden + 1);

        for (size_t j = 0; j < hidden; j++) {
            gradient[at + j] += slopes[o] * state[j];
            d_state[j] += slopes[o] * net->w[at + j];
        }
        gradient[at + hidden] += slopes[o];
    }
}

/* From the slopes of the state and the cell after a step to those of the gates' sums;
 * @d_cell becomes that of the cell before. */
static void
back_gates(const FsnLstmNet *net,
           const double *gates,
           const double *cell,
           const double *cell_before,
           const double *d_state,
           double *d_cell,
           double *d_sums)
{
    size_t hidden = net->hidden;

    for (size_t j = 0; j < hidden; j++) {
        double in = gates[GATE_INPUT * hidden + j];
        double forget = gates[GATE_FORGET * hidden + j];
        double out = gates[GATE_OUTPUT * hidden + j];
        double candidate = gates[GATE_CANDIDATE * hidden + j];
        double squashed = tanh(cell[j]);
        double d = d_cell[j] + d_state[j] * out * (1 - squashed * squashed);

        d_sums[GATE_INPUT * hidden + j] = d * candidate * in * (1 - in);
        d_sums[GATE_FORGET * hidden + j] =
            cell_before ? d * cell_before[j] * forget * (1 - forget) : 0;
        d_sums[GATE_OUTPUT * hidden + j] = d_state[j] * squashed * out * (1 - out);
        d_sums[GATE_CANDIDATE * hidden + j] = d * in * (1 - candidate * candidate);
        d_cell[j] = d * forget;
    }
}

/* Adds what the gates' sums say to the gradient; @d_state becomes that of the state before. */
static void
back_sums(const FsnLstmNet *net,
          const double *x,
          const double *before,
          const double *d_sums,
          double *d_state,
          double *gradient)
{
    size_t size = row_size(net);

    memset(d_state, 0, net->hidden * sizeof(double));
    for (size_t g = 0; g < GATES * net->hidden; g++) {
        const double *w = net->w + g * size + net->inputs;
        double *out = gradient + g * size;

        for (size_t i = 0; i < net->inputs; i++) {
            out[i] += d_sums[g] * x[i];
        }
        for (size_t j = 0; before && j < net->hidden; j++) {
            out[net->inputs + j] += d_sums[g] * before[j];
            d_state[j] += d_sums[g] * w[j];
        }
        out[size - 1] += d_sums[g];
    }
}

void
fsn_lstm_net_back(const FsnLstmNet *net,
                  const double *x,
                  size_t first,
                  const FsnLstmTrace *trace,
                  const double *slopes,
                  double *gradient)
{
    size_t hidden = net->hidden;
    g_autofree double *d_state = g_new0(double, hidden);
    g_autofree double *d_cell = g_new0(double, hidden);
    g_autofree double *d_sums = g_new(double, GATES *hidden);

    for (size_t t = trace->steps; t-- > 0;) {
        const double *state = trace->state + t * hidden;
        const double *cell = trace->cell + t * hidden;

        if (t >= first) {
            back_head(net, state, slopes + (t - first) * net->outputs, d_state, gradient);
        }
        back_gates(net, trace->gates + t * GATES * hidden, cell, t ? cell - hidden : NULL,
                   d_state, d_cell, d_sums);
        back_sums(net, x + t * net->inputs, t ? state - hidden : NULL, d_sums, d_state,
                  gradient);
    }
}
