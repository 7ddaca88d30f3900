/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Bytes from "4096", "64M", "1.5G": a number and perhaps one of K, M, G, T (powers of 1024;
 * also "GiB"). FSN_ERROR_USAGE for anything else, 0 and what is above 2^62. */
bool fsn_cli_parse_size(const char *text, uint64_t *out_bytes, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
