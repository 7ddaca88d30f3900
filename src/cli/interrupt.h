/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* From now on the first SIGINT or SIGTERM cancels @cancellable, and one that comes half a second
 * later or more ends the program at once, as without this call: what comes sooner is the same
 * request told twice, as timeout(1) does. To be called once; lasts until the program ends. */
bool fsn_cli_interrupt_watch(GCancellable *cancellable, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
