/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/forecast.h"

#include <glib.h>

G_BEGIN_DECLS

/* The highest value that quantile @level of @forecast reaches in its first @n steps (all, if
 * it has fewer), between the levels that it states by interpolation. Steps of which nothing
 * is known are passed over; NAN if that is all of them. */
double fsn_demand_peak(const FsnForecast *forecast, double level, size_t n);

G_END_DECLS
