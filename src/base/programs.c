/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The paths of our own programs. Whether they are there is found out by who starts them. */
#include "config.h"

#include "base/programs.h"

#include <string.h>

#define MAIN "foresnap"

static char *
in_folder(const char *variable, const char *fallback, const char *name)
{
    const char *dir = g_getenv(variable);

    return g_build_filename(dir && *dir ? dir : fallback, name, NULL);
}

char *
fsn_helper_program(const char *name)
{
    return in_folder("FORESNAP_LIBEXECDIR", FSN_PKGLIBEXECDIR, name);
}

char *
fsn_main_program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *name = self ? g_path_get_basename(self) : NULL;

    return g_strcmp0(name, MAIN) == 0 ? g_steal_pointer(&self)
                                      : in_folder("FORESNAP_BINDIR", FSN_BINDIR, MAIN);
}
