/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/transport.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* How long a command may take unless told otherwise. */
#define FSN_QMP_DEFAULT_TIMEOUT_US (30 * G_USEC_PER_SEC)

/* Commands and replies as JSON values, over any transport. One thread owns it. */
typedef struct FsnQmp FsnQmp;

/* Takes ownership of @transport. */
FsnQmp *fsn_qmp_new(FsnQmpTransport *transport);
void fsn_qmp_free(FsnQmp *qmp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnQmp, fsn_qmp_free)

/* Time limit of each following command, in microseconds. */
void fsn_qmp_set_timeout(FsnQmp *qmp, int64_t timeout_us);
int64_t fsn_qmp_get_timeout(FsnQmp *qmp);

/* Runs command @name. @arguments (may be NULL) is borrowed. *@out_return (@out_return may be
 * NULL) is the value returned, for the caller to free. Errors: what QEMU refuses is
 * FSN_ERROR_FAILED "QEMU: <its words>"; a command it does not know is
 * FSN_ERROR_UNSUPPORTED; a reply that is not QMP is FSN_ERROR_FORMAT; else the
 * transport's (FSN_ERROR_TIMEOUT, FSN_ERROR_STATE when QEMU is gone). */
bool fsn_qmp_execute(FsnQmp *qmp,
                     const char *name,
                     JsonObject *arguments,
                     JsonNode **out_return,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same with descriptors to pass (they stay the caller's) and a time limit of its own. */
bool fsn_qmp_execute_full(FsnQmp *qmp,
                          const char *name,
                          JsonObject *arguments,
                          const int *fds,
                          size_t n_fds,
                          int64_t timeout_us,
                          JsonNode **out_return,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* fsn_qmp_execute() for commands that return an object, for the caller to unref; any other
 * value is FSN_ERROR_FORMAT. */
bool fsn_qmp_execute_object(FsnQmp *qmp,
                            const char *name,
                            JsonObject *arguments,
                            JsonObject **out_return,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
