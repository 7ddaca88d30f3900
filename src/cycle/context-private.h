/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

G_BEGIN_DECLS

/* The kinds of cargo (FsnCargo); NULL as long as there are none. Freed with @cycle. */
GPtrArray **fsn_cycle_cargo(FsnCycle *cycle);

G_END_DECLS
