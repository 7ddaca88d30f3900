/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clocks of the machine. Pure code takes instants as parameters and never comes here. */
#include "config.h"

#include "base/clock.h"

int64_t
fsn_monotonic_us(void)
{
    return g_get_monotonic_time();
}

int64_t
fsn_realtime_us(void)
{
    return g_get_real_time();
}

char *
fsn_rfc3339(int64_t realtime_us)
{
    g_autoptr(GDateTime) time =
        g_date_time_new_from_unix_utc(realtime_us / G_USEC_PER_SEC);

    return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ")
                : g_strdup("0000-00-00T00:00:00Z");
}

char *
fsn_boot_id(void)
{
    char *id = NULL;

    return g_file_get_contents("/proc/sys/kernel/random/boot_id", &id, NULL, NULL)
               ? g_strstrip(id)
               : NULL;
}
