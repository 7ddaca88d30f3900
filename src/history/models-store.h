/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/forecaster.h"
#include "models/idle.h"
#include "models/lstm.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Forecasters that were fitted to a domain's metrics, so that they need not be chosen anew
 * each time, and so that snapshots can carry them: a file per domain in the folder
 * HISTORY.models beside the history. What is damaged or of a newer version counts as absent:
 * it can always be fitted again. */

/* The forecaster of @metric and when it was fitted. FSN_ERROR_NOT_FOUND if there is none, or
 * none that can be read. The caller frees it. */
FsnForecaster *fsn_models_load(const char *history_path,
                               const char *uuid,
                               const char *metric,
                               int64_t *out_fitted_us,
                               GError **error);
/* For who needs several of a domain: all that is kept of it, read once and never an error; the caller
 * unrefs. Then one of them, as above. */
JsonObject *fsn_models_read(const char *history_path, const char *uuid);
FsnForecaster *fsn_models_get(JsonObject *models,
                              const char *metric,
                              int64_t *out_fitted_us,
                              GError **error);
/* Replaces that of @metric; durable when it returns. */
bool fsn_models_save(const char *history_path,
                     const char *uuid,
                     const char *metric,
                     int64_t fitted_us,
                     const FsnForecaster *forecaster,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for what was learned of a domain's idle times. */
FsnIdle *fsn_models_load_idle(const char *history_path,
                              const char *uuid,
                              int64_t *out_fitted_us,
                              GError **error);
bool fsn_models_save_idle(const char *history_path,
                          const char *uuid,
                          int64_t fitted_us,
                          const FsnIdle *idle,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The network that all domains of this host share (models/lstm.h); FSN_ERROR_NOT_FOUND if there is
 * none that can be read. */
FsnLstm *fsn_models_load_network(const char *history_path, GError **error);
bool fsn_models_save_network(const char *history_path,
                             const FsnLstm *network,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What goes with a snapshot: the file, compressed; NULL without error if there is none. For
 * FsnCargo, as is the next. */
GBytes *fsn_models_carry(gpointer history_path, const char *uuid, GError **error);
/* Takes over those of metrics that have none here, or an older one. Bytes that are damaged or
 * of a newer version change nothing and are an error. */
bool fsn_models_absorb(gpointer history_path,
                       const char *uuid,
                       const char *name,
                       GBytes *bytes,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
