/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An in-memory QMP transport for tests, with one answer to everything. */
#include "config.h"

#include "qmp-script.h"

#include "base/error.h"

typedef struct {
    FsnQmpTransport parent;
    const char *reply;
    GPtrArray *commands;
} Script;

static bool
script_execute(FsnQmpTransport *transport,
               const char *command,
               const int *fds,
               size_t n_fds,
               int64_t timeout_us,
               char **out_reply,
               GError **error)
{
    Script *self = (Script *)transport;

    if (self->commands) {
        g_ptr_array_add(self->commands, g_strdup(command));
    }
    if (!self->reply) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_TIMEOUT, "no reply");
        return false;
    }
    *out_reply = g_strdup(self->reply);
    return true;
}

static void
script_free(FsnQmpTransport *transport)
{
    g_free(transport);
}

static const FsnQmpTransportOps script_ops = {
    .execute = script_execute,
    .free = script_free,
};

FsnQmpTransport *
test_script_new(const char *reply, GPtrArray *commands)
{
    Script *self = g_new0(Script, 1);

    self->parent.ops = &script_ops;
    self->reply = reply;
    self->commands = commands;
    return &self->parent;
}
