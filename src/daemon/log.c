/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the log goes is asked once: standard error stays what it is. */
#include "config.h"

#include "daemon/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#define MAX_FIELDS 16

static gboolean
to_journal(void)
{
    static gsize once;
    static gboolean journal;

    if (g_once_init_enter(&once)) {
        journal = g_log_writer_is_journald(STDERR_FILENO);
        g_once_init_leave(&once, 1);
    }
    return journal;
}

static bool to_syslog; /* set once, before there are threads */

void
fsn_log_use_syslog(void)
{
    openlog("foresnapd", LOG_PID, LOG_DAEMON);
    to_syslog = true;
}

static void
send(FsnLogPriority priority, const char *const *fields, const char *message)
{
    char number[] = { (char)('0' + priority), 0 };
    GLogField all[MAX_FIELDS] = { { "MESSAGE", message, -1 },
                                  { "PRIORITY", number, -1 },
                                  { "SYSLOG_IDENTIFIER", "foresnapd", -1 } };
    gsize n = 3;

    for (; fields && fields[0] && n < MAX_FIELDS; fields += 2) {
        if (fields[1]) {
            all[n++] = (GLogField){ fields[0], fields[1], -1 };
        }
    }
    (void)g_log_writer_journald(G_LOG_LEVEL_MESSAGE, all, n, NULL);
}

void
fsn_log(FsnLogPriority priority, const char *const *fields, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    if (to_journal()) {
        send(priority, fields, message);
    } else if (to_syslog) {
        syslog((int)priority, "%s", message);
    } else {
        fprintf(stderr, "foresnapd: %s%s\n",
                priority <= FSN_LOG_WARNING ? "warning: " : "", message);
    }
}
