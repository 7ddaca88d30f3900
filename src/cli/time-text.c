/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times and durations as people write them. */
#include "config.h"

#include "cli/time-text.h"

#include "base/error.h"

#include <string.h>

/* A century, so that no sum of two overflows. */
#define LONGEST_S ((guint64)3155760000)

static bool
duration_of(const char *text, int64_t *out_us)
{
    static const struct {
        char letter;
        guint64 seconds;
    } units[] = { { '\0', 1 },   { 's', 1 },     { 'm', 60 },
                  { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };

    char *end = NULL;
    guint64 n;

    if (!g_ascii_isdigit(*text)) {
        return false;
    }
    n = g_ascii_strtoull(text, &end, 10);
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (*end == units[i].letter && (*end == '\0' || end[1] == '\0') && n > 0 &&
            n <= LONGEST_S / units[i].seconds) {
            *out_us = (int64_t)(n * units[i].seconds) * G_USEC_PER_SEC;
            return true;
        }
    }
    return false;
}

bool
fsn_cli_parse_duration(const char *text, int64_t *out_us, GError **error)
{
    if (!duration_of(text, out_us)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is no duration: a number of seconds, or 5m, 12h, 7d, 4w", text);
        return false;
    }
    return true;
}

/* "2026-11-28", with a time or without, and a zone or without. */
static GDateTime *
date_of(const char *text)
{
    g_autofree char *iso = g_strdup(text);
    g_autofree char *whole = NULL;
    g_autoptr(GTimeZone) here = g_time_zone_new_local();
    size_t len = strlen(iso);

    if (len > 10 && iso[10] == ' ') {
        iso[10] = 'T';
    }
    whole = len == 10   ? g_strconcat(iso, "T00:00:00", NULL)
            : len == 16 ? g_strconcat(iso, ":00", NULL)
                        : g_strdup(iso);
    return g_date_time_new_from_iso8601(whole, here);
}

bool
fsn_cli_parse_time(const char *text, int64_t now_us, int64_t *out_us, GError **error)
{
    g_autoptr(GDateTime) date = NULL;
    int64_t us;
    guint64 seconds;

    if (strcmp(text, "now") == 0) {
        *out_us = now_us;
        return true;
    }
    if (*text == '@' &&
        g_ascii_string_to_unsigned(text + 1, 10, 0, LONGEST_S * 2, &seconds, NULL)) {
        *out_us = (int64_t)seconds * G_USEC_PER_SEC;
        return true;
    }
    if (duration_of(text, &us)) {
        *out_us = now_us - us;
        return true;
    }
    date = date_of(text);
    if (!date) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is no time: '2026-11-28', '2026-11-28 09:30', RFC 3339, "
                    "@SECONDS since 1970, now, or so long ago: 30m, 12h, 7d",
                    text);
        return false;
    }
    *out_us =
        g_date_time_to_unix(date) * G_USEC_PER_SEC + g_date_time_get_microsecond(date);
    return true;
}
