/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sources of the daemon belong to the thread-default main context of who calls and never to the
 * default one, which libvirt's thread of events runs: it would call them, beside the main loop. */

/* Attaches @source, which is taken over, with @func; the caller ends it by fsn_source_clear(). */
GSource *fsn_source_attach(GSource *source, GSourceFunc func, gpointer user);
/* Ends *@source, if it is there, from within its function too. */
void fsn_source_clear(GSource **source);

G_END_DECLS
