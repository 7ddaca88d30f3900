/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

G_BEGIN_DECLS

/* The socket of a holder, and lines of JSON between it and its callers. */
#define FSN_HOLDER_MAX_LINE (64u << 10)

char *fsn_holder_socket_path(const char *state_dir, const char *uuid);
/* A new stream socket, which the caller closes, and the address of @path to connect or bind
 * it to. -1 with an error, also for a path that is too long for an address. */
int fsn_holder_socket(const char *path, struct sockaddr_un *out_address, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

bool fsn_holder_send(int fd, JsonObject *message, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Waits up to @timeout_ms (-1: for ever) for one line. End of file is FSN_ERROR_FAILED. */
bool fsn_holder_receive(int fd, int timeout_ms, JsonObject **out_message, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

JsonObject *fsn_holder_error_message(const GError *error);
JsonObject *fsn_holder_result_message(JsonObject *result /* taken */);
JsonObject *fsn_holder_progress_message(const char *phase, uint64_t done, uint64_t total);

G_END_DECLS
