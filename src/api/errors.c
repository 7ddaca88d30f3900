/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From errors to status and code; the codes are those of foresnap-json(5). Pure. */
#include "config.h"

#include "api/private.h"

#include "base/error.h"

static const struct {
    const char *code;
    guint status;
} meanings[] = {
    [FSN_ERROR_FAILED] = { "failed", SOUP_STATUS_INTERNAL_SERVER_ERROR },
    [FSN_ERROR_USAGE] = { "usage", SOUP_STATUS_BAD_REQUEST },
    [FSN_ERROR_PARTIAL] = { "partial", SOUP_STATUS_INTERNAL_SERVER_ERROR },
    [FSN_ERROR_BUSY] = { "busy", SOUP_STATUS_CONFLICT },
    [FSN_ERROR_NOT_FOUND] = { "not-found", SOUP_STATUS_NOT_FOUND },
    [FSN_ERROR_EXISTS] = { "exists", SOUP_STATUS_CONFLICT },
    [FSN_ERROR_CORRUPT] = { "corrupt", SOUP_STATUS_INTERNAL_SERVER_ERROR },
    [FSN_ERROR_FORMAT] = { "format", SOUP_STATUS_UNPROCESSABLE_ENTITY },
    [FSN_ERROR_UNSUPPORTED] = { "unsupported", SOUP_STATUS_UNPROCESSABLE_ENTITY },
    [FSN_ERROR_NO_SPACE] = { "no-space", SOUP_STATUS_INSUFFICIENT_STORAGE },
    [FSN_ERROR_CANCELLED] = { "cancelled", SOUP_STATUS_CONFLICT },
    [FSN_ERROR_TIMEOUT] = { "timeout", SOUP_STATUS_GATEWAY_TIMEOUT },
    [FSN_ERROR_STATE] = { "state", SOUP_STATUS_CONFLICT },
};

static size_t
meaning(const GError *error)
{
    return error->domain == FSN_ERROR && (size_t)error->code < G_N_ELEMENTS(meanings)
               ? (size_t)error->code
               : FSN_ERROR_FAILED;
}

guint
fsn_api_status_of(const GError *error)
{
    return meanings[meaning(error)].status;
}

const char *
fsn_api_code_of(const GError *error)
{
    return meanings[meaning(error)].code;
}
