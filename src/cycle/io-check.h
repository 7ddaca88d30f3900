/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

G_BEGIN_DECLS

/* What is to be done for @ms milliseconds while waiting; false ends the wait with its error. */
typedef bool (*FsnIoWaitFunc)(gpointer user, int ms, GError **error);

/* Refuses, with FSN_ERROR_TIMEOUT after 5 s, to go on while QEMU hangs in an I/O. @what is
 * the operation ("suspend"); @wait may be NULL: nothing is done meanwhile. */
bool fsn_io_check(FsnVirt *virt,
                  const char *what,
                  const char *domain,
                  const char *uuid,
                  FsnIoWaitFunc wait,
                  gpointer user,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
