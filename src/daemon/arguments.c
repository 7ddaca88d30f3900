/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines for what the daemon has others do. */
#include "config.h"

#include "daemon/arguments.h"

static void
add(GPtrArray *argv, const char *option, const char *value)
{
    if (value) {
        g_ptr_array_add(argv, g_strdup(option));
        g_ptr_array_add(argv, g_strdup(value));
    }
}

char **
fsn_daemon_arguments(const FsnDaemonConfig *config, const char *first, ...)
{
    GPtrArray *argv = g_ptr_array_new();
    va_list args;

    va_start(args, first);
    for (const char *arg = first; arg; arg = va_arg(args, const char *)) {
        g_ptr_array_add(argv, g_strdup(arg));
    }
    va_end(args);
    add(argv, "--connect", config->connection);
    add(argv, "--repo", config->repository);
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}
