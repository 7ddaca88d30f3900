/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the environment each time: a helper that inherits it has the same faults. */
#include "config.h"

#include "base/faults.h"

#include <signal.h>
#include <unistd.h>

static bool
is_asked(const char *variable, const char *point)
{
    const char *value = g_getenv(variable);
    g_auto(GStrv) points = value ? g_strsplit(value, ",", -1) : NULL;

    return points && g_strv_contains((const char *const *)points, point);
}

void
fsn_fault_kill_at(const char *point)
{
    if (is_asked("FORESNAP_TEST_KILL_AT", point)) {
        (void)kill(getpid(), SIGKILL); /* never returns */
    }
}

bool
fsn_fault_fails_at(const char *point)
{
    return is_asked("FORESNAP_TEST_FAIL_AT", point);
}
