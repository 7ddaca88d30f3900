/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "1.5 MiB", for reasons; the caller frees. The same in every locale. */
char *fsn_granularity_bytes(double bytes);

G_END_DECLS
