/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

G_BEGIN_DECLS

/* Appends to @refusals (of char *) one sentence for each thing of @domain, the root of
 * domain XML, that keeps it from being suspended. */
void fsn_refusals_collect(const xmlNode *domain, GPtrArray *refusals);

G_END_DECLS
