/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

G_BEGIN_DECLS

/* Lets snapshots carry what is known of a domain's use, its history and its models, and take it
 * over from there. For every program that makes or restores snapshots. */
void fsn_cargo_add_standard(FsnCycle *cycle);

G_END_DECLS
