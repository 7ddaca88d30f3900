/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU by itself, without libvirt: starts one, talks QMP with it over its standard input and
 * output, and ends it. Uses nothing of qmp/, so that a test of src/stream needs no more than
 * that. Every failure ends the test, and nothing here has a time limit: the caller sets an
 * alarm.
 */
#include "config.h"

#include "stdio-qemu.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#define LOOK_US 5000 /* how often to ask for what no event tells */

static void
child_setup(gpointer unused)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* best effort: also if this test is killed */
}

StdioQemu *
stdio_qemu_start(const char *binary, const char *option, const char *value)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
    g_autoptr(GError) error = NULL;
    StdioQemu *q = g_new0(StdioQemu, 1);

    g_subprocess_launcher_set_child_setup(launcher, child_setup, NULL, NULL);
    q->process = g_subprocess_launcher_spawn(
        launcher, &error, binary, "-machine", "q35,accel=tcg", "-m", "32", "-display",
        "none", "-nodefaults", "-S", "-qmp", "stdio", option, value, NULL);
    g_assert_no_error(error);
    q->in = g_subprocess_get_stdin_pipe(q->process);
    q->out = g_data_input_stream_new(g_subprocess_get_stdout_pipe(q->process));
    stdio_qemu_command(q, "{\"execute\":\"qmp_capabilities\"}");
    return q;
}

void
stdio_qemu_quit(StdioQemu *q)
{
    g_autoptr(GError) error = NULL;

    stdio_qemu_command(q, "{\"execute\":\"quit\"}");
    g_subprocess_wait(q->process, NULL, &error);
    g_assert_no_error(error);
    g_object_unref(q->out);
    g_object_unref(q->process);
    g_free(q);
}

JsonObject *
stdio_qemu_execute(StdioQemu *q, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strconcat(line, "\n", NULL);

    g_output_stream_write_all(q->in, text, strlen(text), NULL, NULL, &error);
    g_assert_no_error(error);
    for (;;) {
        JsonObject *reply;
        gsize len;
        g_autofree char *answer =
            g_data_input_stream_read_line(q->out, &len, NULL, &error);

        g_assert_no_error(error);
        if (!answer) {
            g_error("QEMU ended at %s", line);
        }
        if (!fsn_json_parse_object(answer, len, 1 << 20, "QMP", &reply, &error)) {
            g_error("%s", error->message);
        }
        if (json_object_has_member(reply, "return") ||
            json_object_has_member(reply, "error")) {
            return reply;
        }
        json_object_unref(reply); /* greeting or event */
    }
}

void
stdio_qemu_command(StdioQemu *q, const char *line)
{
    g_autoptr(JsonObject) reply = stdio_qemu_execute(q, line);

    if (json_object_has_member(reply, "error")) {
        g_error("%s: %s", line,
                fsn_json_peek_string(json_object_get_object_member(reply, "error"),
                                     "desc", "?"));
    }
}

void
stdio_qemu_command_uri(StdioQemu *q, const char *command, const char *path)
{
    g_autofree char *line = g_strdup_printf(
        "{\"execute\":\"%s\",\"arguments\":{\"uri\":\"unix:%s\"}}", command, path);

    stdio_qemu_command(q, line);
}

char *
stdio_qemu_status(StdioQemu *q, const char *command)
{
    g_autofree char *line = g_strdup_printf("{\"execute\":\"%s\"}", command);
    g_autoptr(JsonObject) reply = stdio_qemu_execute(q, line);

    return g_strdup(fsn_json_peek_string(json_object_get_object_member(reply, "return"),
                                         "status", "none"));
}

void
stdio_qemu_wait_status(StdioQemu *q, const char *command, const char *status)
{
    for (;;) {
        g_autofree char *now = stdio_qemu_status(q, command);

        if (strcmp(now, status) == 0) {
            return;
        }
        g_assert_cmpstr(now, !=, "failed");
        g_usleep(LOOK_US); /* QEMU gives no event for it */
    }
}

/* QEMU 7.2 says "completed" of an incoming postcopy a moment before its thread has let go;
 * a command to migrate out in between fails, and leaves an outgoing migration that never
 * ends. The last thing that the thread lets go is its entry in this list. */
void
stdio_qemu_wait_idle(StdioQemu *q)
{
    for (;;) {
        g_autoptr(JsonObject) reply =
            stdio_qemu_execute(q, "{\"execute\":\"query-yank\"}");

        if (json_array_get_length(json_object_get_array_member(reply, "return")) == 0) {
            return;
        }
        g_usleep(LOOK_US); /* no event tells */
    }
}
