/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes as people type them.
 */
#include "config.h"

#include "cli/size.h"

#include "base/error.h"

#include <string.h>

#define MAX_BYTES 0x1p62

bool
fsn_cli_parse_size(const char *text, uint64_t *out_bytes, GError **error)
{
    static const char units[] = "KMGT";
    char *end;
    double value = g_ascii_isdigit(*text) ? g_ascii_strtod(text, &end) : 0;
    const char *unit;

    if (value > 0 && *end && (unit = strchr(units, *end))) {
        value *= (double)((uint64_t)1 << (10 * (unit - units + 1)));
        end++;
        if (strcmp(end, "iB") == 0) {
            end += 2;
        }
    }
    if (!(value >= 1 && value <= MAX_BYTES) || *end) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is not a size: write for example 512M or 20G", text);
        return false;
    }
    *out_bytes = (uint64_t)value;
    return true;
}
