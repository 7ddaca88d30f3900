/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error domain that all folders share: a handful of codes on which callers branch.
 * It maps errno to a code in one place; it does not log and does not print.
 */
#include "config.h"

#include "base/error.h"

#include <errno.h>

GQuark
fsn_error_quark(void)
{
    return g_quark_from_static_string("fsn-error-quark");
}

static FsnError
code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
        return FSN_ERROR_NOT_FOUND;
    case EEXIST:
        return FSN_ERROR_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return FSN_ERROR_NO_SPACE;
    default:
        return FSN_ERROR_FAILED;
    }
}

bool
fsn_set_errno(GError **error, int errnum, const char *format, ...)
{
    va_list ap;
    g_autofree char *message = NULL;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(error, FSN_ERROR, code_of_errno(errnum), "%s: %s", message,
                g_strerror(errnum));
    return false;
}
