/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "plot/heat.h"

#include <stdint.h>

G_BEGIN_DECLS

/* Change maps for people. @disks are those of the document. */
void fsn_cli_changemap_table(FsnCliContext *context, JsonArray *disks);

/* "web: vda, 4 GiB"; the caller frees. */
char *fsn_cli_changemap_title(const char *domain, const char *target, uint64_t size);
/* Of the disks of which rows are kept (FsnHeatPlot); the caller unrefs. */
GPtrArray *fsn_cli_changemap_plots(const char *domain, JsonArray *disks);
/* Draws @plots on the terminal, into @output (NULL: into no file), or both. */
bool fsn_cli_changemap_draw(FsnCliContext *context,
                            GPtrArray *plots,
                            bool terminal,
                            const char *output,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
