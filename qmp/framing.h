/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* A longer message is refused. The longest known one, the reply to query-qmp-schema, has
 * less than 300 KiB; a domain with very many devices stays below 1 MiB. */
#define FSN_QMP_MAX_MESSAGE (16 * 1024 * 1024)

/* Cuts a byte stream into JSON objects. After an error the stream has no known position
 * any more: every further push fails in the same way. */
typedef struct FsnQmpFraming FsnQmpFraming;

/* @max_message: the longest message accepted, in bytes. */
FsnQmpFraming *fsn_qmp_framing_new(size_t max_message);
void fsn_qmp_framing_free(FsnQmpFraming *framing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnQmpFraming, fsn_qmp_framing_free)

/* Takes bytes up to and including the end of one message, at most @len. *@out_used is how
 * many were taken: the caller pushes the rest again. *@out_message is the text of one object,
 * with balanced brackets and nothing around it, for the caller to free, or NULL if more
 * bytes are needed (then all were taken). Errors: FSN_ERROR_FORMAT. */
bool fsn_qmp_framing_push(FsnQmpFraming *framing,
                          const char *data,
                          size_t len,
                          size_t *out_used,
                          char **out_message,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
