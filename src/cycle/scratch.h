/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A qcow2 image of @size bytes without a name in folder @dir, with @reserve bytes allocated for
 * it: writing to it cannot run out of space. Returns its descriptor, or -1; FSN_ERROR_NO_SPACE
 * names the folder and what is missing. */
int fsn_scratch_open(const char *dir, uint64_t size, uint64_t reserve, GError **error);

G_END_DECLS
