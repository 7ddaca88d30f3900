/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* One layer of long short-term memory and a linear layer behind it: numbers only, nothing
 * of what they mean. */

typedef struct {
    size_t inputs, hidden, outputs;
    double *w; /* fsn_lstm_net_size() of them */
} FsnLstmNet;

/* How many parameters there are: for each of the four gates of each hidden unit one for
 * each input, one for each hidden unit and a bias; for each output one for each hidden
 * unit and a bias. */
size_t fsn_lstm_net_size(size_t inputs, size_t hidden, size_t outputs);
/* Random parameters. The caller frees. */
FsnLstmNet *fsn_lstm_net_new(size_t inputs, size_t hidden, size_t outputs, GRand *random);
void fsn_lstm_net_free(FsnLstmNet *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnLstmNet, fsn_lstm_net_free)

/* What a run leaves for the way back. */
typedef struct {
    size_t steps;
    double *gates; /* [steps × 4 × hidden] input, forget, output, candidate */
    double *cell;  /* [steps × hidden] */
    double *state; /* [steps × hidden] */
} FsnLstmTrace;

FsnLstmTrace *fsn_lstm_trace_new(const FsnLstmNet *net, size_t steps);
void fsn_lstm_trace_free(FsnLstmTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnLstmTrace, fsn_lstm_trace_free)

/* From a state of zeroes over the @trace->steps rows of @x; @out gets the outputs of the
 * steps from @first on. */
void fsn_lstm_net_run(const FsnLstmNet *net,
                      const double *x,
                      size_t first,
                      FsnLstmTrace *trace,
                      double *out);
/* After such a run: adds to @gradient (as many as there are parameters) what the loss
 * changes with each, where @slopes is what it changes with each output. */
void fsn_lstm_net_back(const FsnLstmNet *net,
                       const double *x,
                       size_t first,
                       const FsnLstmTrace *trace,
                       const double *slopes,
                       double *gradient);

G_END_DECLS
