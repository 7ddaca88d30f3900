/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stddef.h>

G_BEGIN_DECLS

/* Calls @each with every number below @n exactly once, from as many threads as there are
 * processors, and returns when all calls have. The order is not defined; @each locks what
 * it shares. Few calls, fewer than @worth, are made one after the other by the caller. */
typedef void (*FsnParallelFunc)(gpointer user, size_t i);
void fsn_parallel_for(size_t n, size_t worth, FsnParallelFunc each, gpointer user);

G_END_DECLS
