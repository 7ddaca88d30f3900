/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's errors as ours. libvirt keeps the last error per thread, so this must be called
 * in the thread of the failed call and before the next one.
 */
#include "config.h"

#include "virt/error-private.h"

#include "base/error.h"

#include <libvirt/virterror.h>

static int
code_of(int libvirt_code)
{
    switch (libvirt_code) {
    case VIR_ERR_NO_DOMAIN:
        return FSN_ERROR_NOT_FOUND;
    case VIR_ERR_DOM_EXIST:
        return FSN_ERROR_EXISTS;
    case VIR_ERR_OPERATION_TIMEOUT: /* "cannot acquire state change lock" */
    case VIR_ERR_RESOURCE_BUSY:
        return FSN_ERROR_BUSY;
    case VIR_ERR_AGENT_UNRESPONSIVE:
        return FSN_ERROR_TIMEOUT;
    case VIR_ERR_OPERATION_INVALID:
        return FSN_ERROR_STATE;
    case VIR_ERR_OPERATION_ABORTED:
        return FSN_ERROR_CANCELLED;
    case VIR_ERR_NO_SUPPORT:
    case VIR_ERR_ARGUMENT_UNSUPPORTED:
    case VIR_ERR_OPERATION_UNSUPPORTED:
    case VIR_ERR_CONFIG_UNSUPPORTED:
        return FSN_ERROR_UNSUPPORTED;
    default:
        return FSN_ERROR_FAILED;
    }
}

bool
fsn_virt_set_error(GError **error, const char *format, ...)
{
    const virError *last = virGetLastError();
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, FSN_ERROR, code_of(last ? last->code : 0), "%s: %s", message,
                last && last->message ? last->message : "libvirt gives no reason");
    return false;
}
