/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/source.h"

GSource *
fsn_source_attach(GSource *source, GSourceFunc func, gpointer user)
{
    g_source_set_callback(source, func, user, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

void
fsn_source_clear(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_clear_pointer(source, g_source_unref);
    }
}
