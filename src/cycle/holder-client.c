/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The callers' side of a holder: starting one, and telling it how its hold ends. */
#include "config.h"

#include "cycle/holder.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/holder-wire.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

/* Progress arrives at least every second; a finish ends within the guard's stall limit. */
#define ANSWER_TIMEOUT_MS 120000

static void
relay_progress(FsnCycle *cycle, JsonObject *p)
{
    /* Phases are static words of ours: intern what comes over the wire. */
    const char *phase = g_intern_string(fsn_json_peek_string(p, "phase", "working"));

    fsn_cycle_progress(cycle, phase, (uint64_t)fsn_json_peek_int(p, "done", 0),
                       (uint64_t)fsn_json_peek_int(p, "total", 0));
}

/* Reads messages until the result or the error. */
static bool
wait_result(FsnCycle *cycle, int fd, JsonObject **out_result, GError **error)
{
    for (;;) {
        g_autoptr(JsonObject) message = NULL;
        JsonObject *part;

        if (!fsn_holder_receive(fd, ANSWER_TIMEOUT_MS, &message, error)) {
            return false;
        }
        if (fsn_json_get_object(message, "progress", &part, NULL)) {
            relay_progress(cycle, part);
        } else if (fsn_json_get_object(message, "result", &part, NULL)) {
            *out_result = json_object_ref(part);
            return true;
        } else if (fsn_json_get_object(message, "error", &part, error)) {
            g_set_error_literal(
                error, FSN_ERROR, (int)fsn_json_peek_int(part, "code", FSN_ERROR_FAILED),
                fsn_json_peek_string(part, "message", "the holder failed"));
            return false;
        } else {
            return false;
        }
    }
}

static int
connect_holder(FsnCycle *cycle, const char *uuid, GError **error)
{
    g_autofree char *path = fsn_holder_socket_path(fsn_cycle_state_dir(cycle), uuid);
    struct sockaddr_un address;
    int fd = fsn_holder_socket(path, &address, error);

    if (fd < 0) {
        return -1;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        /* A socket file without a listener is a dead holder's: there is no holder. */
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "nothing is prepared");
        close(fd);
        return -1;
    }
    return fd;
}

bool
fsn_holder_call(FsnCycle *cycle,
                const char *uuid,
                const char *command,
                JsonObject **out_result,
                GError **error)
{
    g_autoptr(JsonObject) request = json_object_new();
    int fd = connect_holder(cycle, uuid, error);
    bool ok;

    if (fd < 0) {
        return false;
    }
    json_object_set_string_member(request, "command", command);
    json_object_set_string_member(request, "repo", fsn_cycle_repo_location(cycle));
    ok = fsn_holder_send(fd, request, error) && wait_result(cycle, fd, out_result, error);
    close(fd);
    return ok;
}

bool
fsn_holder_spawn(FsnCycle *cycle,
                 const char *domain,
                 const FsnSuspendOptions *options,
                 JsonObject **out_result,
                 GError **error)
{
    g_autofree char *program = fsn_cycle_helper_path("foresnap-holder");
    g_autofree char *codec = g_strdup_printf("%d", (int)options->codec);
    g_autofree char *level = g_strdup_printf("%d", options->level);
    g_autofree char *hold = g_strdup_printf("%" G_GINT64_FORMAT, options->max_hold_s);
    const char *uri = fsn_cycle_uri(cycle);
    const char *argv[] = { program,
                           domain,
                           uri ? uri : "",
                           fsn_cycle_repo_location(cycle),
                           fsn_cycle_state_dir(cycle),
                           codec,
                           level,
                           hold,
                           NULL };
    int report[2];
    int target = 3;
    bool ok;

    if (!g_unix_open_pipe(report, FD_CLOEXEC, error)) {
        return false;
    }
    ok = g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                                          -1, -1, -1, &report[1], &target, 1, NULL, NULL,
                                          NULL, NULL, error);
    close(report[1]);
    ok = ok && wait_result(cycle, report[0], out_result, error);
    close(report[0]);
    return ok;
}
