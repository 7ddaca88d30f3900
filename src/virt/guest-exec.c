/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs in a guest through its agent. A guest may answer anything, or never: each question has
 * a limit of its own, answers are bounded, and waiting ends at a deadline of the host's clock.
 * An agent tells nobody that a program has ended, so it is asked again and again, more and more
 * seldom.
 */
#include "config.h"

#include "virt/guest-exec.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "virt/domain-private.h"
#include "virt/error-private.h"

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWER   ((size_t)64 << 10)
#define CALL_LIMIT_S 10
#define FIRST_WAIT   (20 * 1000)
#define LAST_WAIT    (500 * 1000)
#define END_LIMIT_US (10 * (int64_t)G_USEC_PER_SEC)

char *
fsn_guest_exec_command(char *const *argv)
{
    g_autoptr(JsonObject) question = json_object_new();
    JsonObject *arguments = json_object_new();
    JsonArray *words = json_array_new();

    for (char *const *word = argv + 1; *word; word++) {
        json_array_add_string_element(words, *word);
    }
    json_object_set_string_member(arguments, "path", argv[0]);
    json_object_set_array_member(arguments, "arg", words);
    json_object_set_boolean_member(arguments, "capture-output", FALSE);
    json_object_set_string_member(question, "execute", "guest-exec");
    json_object_set_object_member(question, "arguments", arguments);
    return fsn_json_to_text(question, false);
}

static bool
parse(const char *answer, JsonObject **out_root, JsonObject **out_return, GError **error)
{
    return fsn_json_parse_object(answer, strnlen(answer, MAX_ANSWER + 1), MAX_ANSWER,
                                 "the agent's answer", out_root, error) &&
           fsn_json_get_object(*out_root, "return", out_return, error);
}

bool
fsn_guest_exec_parse_pid(const char *answer, int64_t *out_pid, GError **error)
{
    g_autoptr(JsonObject) root = NULL;
    JsonObject *o;

    return parse(answer, &root, &o, error) &&
           fsn_json_get_int(o, "pid", 0, G_MAXINT64, out_pid, error);
}

bool
fsn_guest_exec_parse_status(const char *answer, FsnGuestExit *out_exit, GError **error)
{
    g_autoptr(JsonObject) root = NULL;
    FsnGuestExit status = { 0 };
    JsonObject *o;

    if (!parse(answer, &root, &o, error)) {
        return false;
    }
    if (!json_object_has_member(o, "exited") ||
        json_node_get_value_type(json_object_get_member(o, "exited")) != G_TYPE_BOOLEAN) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the agent does not say whether a program has ended");
        return false;
    }
    status.ended = fsn_json_peek_bool(o, "exited", false);
    /* Without either it is not known how it ended, and so not that it succeeded. */
    status.signal = (int)CLAMP(fsn_json_peek_int(o, "signal", 0), 0, 255);
    status.code = (int)CLAMP(fsn_json_peek_int(o, "exitcode", -1), -1, G_MAXINT);
    *out_exit = status;
    return true;
}

/* libvirt's answer, to be freed with free(). */
static char *
ask(FsnVirtDomain *domain, const char *question, const char *what, GError **error)
{
    char *answer = virDomainQemuAgentCommand(fsn_virt_domain_handle(domain), question,
                                             CALL_LIMIT_S, 0);

    if (!answer) {
        (void)fsn_virt_set_error(error, "cannot %s in domain '%s'", what,
                                 fsn_virt_domain_name(domain)); /* returned as NULL */
    }
    return answer;
}

bool
fsn_guest_exec_start(FsnVirtDomain *domain,
                     char *const *argv,
                     int64_t *out_pid,
                     GError **error)
{
    g_autofree char *question = fsn_guest_exec_command(argv);
    char *answer = ask(domain, question, "run a program", error);
    bool ok = answer && fsn_guest_exec_parse_pid(answer, out_pid, error);

    free(answer);
    return ok;
}

static bool
look(FsnVirtDomain *domain, int64_t pid, FsnGuestExit *out_exit, GError **error)
{
    g_autofree char *question = g_strdup_printf(
        "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":%" G_GINT64_FORMAT
        "}}",
        pid);
    char *answer = ask(domain, question, "follow a program", error);
    bool ok = answer && fsn_guest_exec_parse_status(answer, out_exit, error);

    free(answer);
    return ok;
}

bool
fsn_guest_exec_wait(FsnVirtDomain *domain,
                    int64_t pid,
                    int64_t deadline_us,
                    FsnGuestExit *out_exit,
                    GError **error)
{
    gulong wait_us = FIRST_WAIT;

    for (;;) {
        int64_t left_us;

        if (!look(domain, pid, out_exit, error)) {
            return false;
        }
        if (out_exit->ended) {
            return true;
        }
        left_us = deadline_us - fsn_monotonic_us();
        if (left_us <= 0) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT, "it did not end in time");
            return false;
        }
        g_usleep((gulong)MIN((int64_t)wait_us, left_us));
        wait_us = MIN(wait_us * 2, LAST_WAIT);
    }
}

/* An agent that does not know it has told of its end already, or was started anew. */
static bool
is_unknown(const GError *error)
{
    return g_error_matches(error, FSN_ERROR, FSN_ERROR_FAILED) &&
           (strstr(error->message, "'pid'") || strstr(error->message, "PID "));
}

bool
fsn_guest_exec_end(FsnVirtDomain *domain, int64_t pid, GError **error)
{
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, pid);
    char *kill[] = { "kill", "-KILL", number, NULL };
    int64_t deadline_us = fsn_monotonic_us() + END_LIMIT_US;
    g_autoptr(GError) local = NULL;
    FsnGuestExit status;
    int64_t ignored;

    if (!look(domain, pid, &status, &local)) {
        if (is_unknown(local)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return status.ended ||
           (fsn_guest_exec_start(domain, kill, &ignored, error) &&
            fsn_guest_exec_wait(domain, pid, deadline_us, &status, error));
}
