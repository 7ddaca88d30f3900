/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/settings.h"

G_BEGIN_DECLS

/* Keeps the fitted models of forecasts fresh, beside the history: one domain at a time, evenly
 * over the interval, by 'foresnap size --dry-run', which fits what is too old and changes
 * nothing of the domain. So whoever needs a forecast later finds it. */
typedef struct FsnRefresher FsnRefresher;

/* @config and @history_path are borrowed, the former until the next fsn_refresher_set(). */
FsnRefresher *fsn_refresher_new(const FsnDaemonConfig *config, const char *history_path);
void fsn_refresher_set(FsnRefresher *refresher, const FsnDaemonConfig *config);
void fsn_refresher_free(FsnRefresher *refresher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnRefresher, fsn_refresher_free)

/* Pure: seconds between two domains, so that @n of them take @hours; at least 10. */
unsigned fsn_refresher_pause_s(unsigned hours, unsigned n);

G_END_DECLS
