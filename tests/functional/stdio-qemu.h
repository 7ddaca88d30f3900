/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* A QEMU with QMP on its standard input and output. It ends with the test, also when that
 * is killed. */
typedef struct {
    GSubprocess *process;
    GOutputStream *in;
    GDataInputStream *out;
} StdioQemu;

/* Starts @binary stopped (-S), with 32 MiB under software emulation, without devices, and
 * with @option, whose argument is @value. */
StdioQemu *stdio_qemu_start(const char *binary, const char *option, const char *value);
/* Waits for the end, and frees. */
void stdio_qemu_quit(StdioQemu *q);

/* Sends the command @line. The answer, a return or an error, is the caller's. */
JsonObject *stdio_qemu_execute(StdioQemu *q, const char *line);
/* The same for a command that must succeed. */
void stdio_qemu_command(StdioQemu *q, const char *line);
/* Sends a command whose one argument is the URI of the socket @path. */
void stdio_qemu_command_uri(StdioQemu *q, const char *command, const char *path);

/* What the query @command has as its "status", "none" without one; the caller frees. */
char *stdio_qemu_status(StdioQemu *q, const char *command);
/* Waits until that is @status. */
void stdio_qemu_wait_status(StdioQemu *q, const char *command, const char *status);
/* Waits until nothing is left of an incoming migration. */
void stdio_qemu_wait_idle(StdioQemu *q);

G_END_DECLS
