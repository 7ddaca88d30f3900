/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The log of the daemon: with fields where standard error is systemd's journal, else a line
 * "foresnapd: …" on standard error. Safe from any thread. */

typedef enum {
    FSN_LOG_ERROR = 3,
    FSN_LOG_WARNING = 4,
    FSN_LOG_NOTICE = 5,
    FSN_LOG_INFO = 6,
} FsnLogPriority;

/* From now on to syslog, unless it goes to the journal: standard error is nobody's. */
void fsn_log_use_syslog(void);

/* @fields: names and values in turn, each of them text ("FORESNAP_DOMAIN", name…), then NULL;
 * a field whose value is NULL is left out. */
void fsn_log(FsnLogPriority priority, const char *const *fields, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

G_END_DECLS
