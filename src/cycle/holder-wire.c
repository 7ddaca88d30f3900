/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket between a holder and its callers, and the lines that they exchange on it;
 * bounded, one message per line. */
#include "config.h"

#include "cycle/holder-wire.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

char *
fsn_holder_socket_path(const char *state_dir, const char *uuid)
{
    g_autofree char *name = g_strconcat(uuid, ".holder", NULL);

    return g_build_filename(state_dir, name, NULL);
}

int
fsn_holder_socket(const char *path, struct sockaddr_un *out_address, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
        sizeof(address.sun_path)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "path '%s' is too long for a socket", path);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fsn_set_errno(error, errno, "cannot make a socket");
        return -1;
    }
    *out_address = address;
    return fd;
}

bool
fsn_holder_send(int fd, JsonObject *message, GError **error)
{
    g_autofree char *text = fsn_json_to_text(message, false);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    return fsn_write_all(fd, line, strlen(line), "message of the holder", error);
}

static bool
wait_readable(int fd, int64_t deadline, GError **error)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int rc;

    do {
        int64_t left = deadline < 0 ? -1 : MAX(0, (deadline - fsn_monotonic_us()) / 1000);

        rc = poll(&p, 1, (int)left);
    } while (rc < 0 && errno == EINTR);
    if (rc == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT, "the holder does not answer");
        return false;
    }
    return rc > 0 || fsn_set_errno(error, errno, "cannot wait for the holder");
}

bool
fsn_holder_receive(int fd, int timeout_ms, JsonObject **out_message, GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    int64_t deadline =
        timeout_ms < 0 ? -1 : fsn_monotonic_us() + (int64_t)timeout_ms * 1000;

    while (line->len < FSN_HOLDER_MAX_LINE) {
        char c;
        ssize_t n;

        if (!wait_readable(fd, deadline, error)) {
            return false;
        }
        n = read(fd, &c, 1); /* lines are rare and short */
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            g_set_error(
                error, FSN_ERROR, FSN_ERROR_FAILED,
                "the holder ended without an answer; 'foresnap recover' tidies up");
            return false;
        }
        if (c == '\n') {
            return fsn_json_parse_object(line->str, line->len, FSN_HOLDER_MAX_LINE,
                                         "message of the holder", out_message, error);
        }
        g_string_append_c(line, c);
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                "a message of the holder is too long");
    return false;
}

JsonObject *
fsn_holder_error_message(const GError *error)
{
    JsonObject *o = json_object_new();
    JsonObject *e = json_object_new();

    json_object_set_int_member(
        e, "code", error->domain == FSN_ERROR ? error->code : FSN_ERROR_FAILED);
    json_object_set_string_member(e, "message", error->message);
    json_object_set_object_member(o, "error", e);
    return o;
}

JsonObject *
fsn_holder_result_message(JsonObject *result)
{
    JsonObject *o = json_object_new();

    json_object_set_object_member(o, "result", result);
    return o;
}

JsonObject *
fsn_holder_progress_message(const char *phase, uint64_t done, uint64_t total)
{
    JsonObject *o = json_object_new();
    JsonObject *p = json_object_new();

    json_object_set_string_member(p, "phase", phase);
    json_object_set_int_member(p, "done", (int64_t)done);
    json_object_set_int_member(p, "total", (int64_t)total);
    json_object_set_object_member(o, "progress", p);
    return o;
}
