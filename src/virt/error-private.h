/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Sets @error from the last libvirt error of this thread: "<message>: <libvirt's own>",
 * with the code that callers branch on. Always returns false. */
bool fsn_virt_set_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
