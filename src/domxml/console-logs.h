/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A file in which what a serial or parallel port, a console or a channel says is kept. */
typedef struct {
    char *name; /* "serial0", "console1": the device, counted per kind */
    char *path; /* absolute */
} FsnConsoleLog;

/* Those that domain XML declares, each file once, at most 32; an array of FsnConsoleLog, NULL
 * with FSN_ERROR_FORMAT as fsn_domain_facts_parse(). */
GPtrArray *fsn_console_logs_find(const char *domain_xml, GError **error);

G_END_DECLS
