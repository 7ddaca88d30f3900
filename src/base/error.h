/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The codes that callers branch on; the command line maps them to exit codes. */
typedef enum {
    FSN_ERROR_FAILED,      /* anything else; exit 1 */
    FSN_ERROR_USAGE,       /* the request makes no sense; exit 2 */
    FSN_ERROR_PARTIAL,     /* part of the work is done; exit 3 */
    FSN_ERROR_BUSY,        /* another operation holds the domain; exit 75 */
    FSN_ERROR_NOT_FOUND,   /* the named thing does not exist */
    FSN_ERROR_EXISTS,      /* an exclusive create found it there */
    FSN_ERROR_CORRUPT,     /* bytes are not what their checksum says */
    FSN_ERROR_FORMAT,      /* bytes that no writer of ours produces */
    FSN_ERROR_UNSUPPORTED, /* known, and refused */
    FSN_ERROR_NO_SPACE,    /* ENOSPC, EDQUOT or a limit of ours */
    FSN_ERROR_CANCELLED,   /* asked to stop */
    FSN_ERROR_TIMEOUT,     /* the other side did not answer in time */
    FSN_ERROR_STATE,       /* the domain or snapshot is not in the state it must be in */
} FsnError;

#define FSN_ERROR (fsn_error_quark())
GQuark fsn_error_quark(void);

/* Sets @error from @errnum (an errno value): "<message>: <strerror>", with the code
 * that fits (NOT_FOUND, EXISTS, NO_SPACE, else FAILED). Always returns false. */
bool fsn_set_errno(GError **error, int errnum, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

G_END_DECLS
