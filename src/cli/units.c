/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes, durations and instants as people read them. JSON never uses these: there, sizes are
 * bytes, durations microseconds and instants RFC 3339.
 */
#include "config.h"

#include "cli/units.h"

char *
fsn_cli_size_text(uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        return g_strdup_printf("%u B", (unsigned)bytes);
    }
    /* What would be rounded to 1024 belongs to the next unit. */
    while (value >= 1023.5 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1024;
        unit++;
    }
    return g_strdup_printf(value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

char *
fsn_cli_duration_text(int64_t us)
{
    int64_t seconds = us / G_USEC_PER_SEC;

    if (us < 1000) {
        return g_strdup_printf("%" G_GINT64_FORMAT " µs", MAX(us, 0));
    }
    if (us < G_USEC_PER_SEC) {
        return g_strdup_printf(us < 99950 ? "%.1f ms" : "%.0f ms", (double)us / 1000);
    }
    if (seconds < 60) {
        return g_strdup_printf("%.2f s", (double)us / G_USEC_PER_SEC);
    }
    if (seconds < 3600) {
        return g_strdup_printf("%d min %02d s", (int)(seconds / 60), (int)(seconds % 60));
    }
    return g_strdup_printf("%" G_GINT64_FORMAT " h %02d min", seconds / 3600,
                           (int)(seconds % 3600 / 60));
}

char *
fsn_cli_instant_text(const char *instant)
{
    static GTimeZone *here;
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(instant, NULL);
    g_autoptr(GDateTime) local = NULL;

    /* GLib looks at /etc/localtime each time it is asked: too slow for long lists. */
    if (g_once_init_enter(&here)) {
        g_once_init_leave(&here, g_time_zone_new_local());
    }
    local = time ? g_date_time_to_timezone(time, here) : NULL;

    return local ? g_date_time_format(local, "%Y-%m-%d %H:%M") : g_strdup(instant);
}
