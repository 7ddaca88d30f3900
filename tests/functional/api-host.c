/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the API alone: api-host OPTION=VALUE…, until SIGTERM. It says "ready PORT" when it listens. */
#include "config.h"

#include "api/server.h"

#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gboolean
quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static unsigned
number(const char *text)
{
    return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

/* The value of argument "NAME=VALUE". */
static const char *
get(char **argv, const char *name)
{
    g_autofree char *start = g_strconcat(name, "=", NULL);

    for (char **argument = argv + 1; *argument; argument++) {
        if (g_str_has_prefix(*argument, start)) {
            return *argument + strlen(start);
        }
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    FsnApiGroup groups[] = { { get(argv, "admin-group"), FSN_SCOPE_ADMIN },
                             { get(argv, "read-group"), FSN_SCOPE_READ } };
    FsnApiOptions options = { .socket_path = get(argv, "socket"),
                              .tcp_address = get(argv, "tcp"),
                              .tls_certificate = get(argv, "certificate"),
                              .tls_key = get(argv, "key"),
                              .token_file = get(argv, "tokens"),
                              .groups = groups,
                              .n_groups = groups[0].group ? 2 : 0,
                              .uri = get(argv, "uri"),
                              .history = get(argv, "history"),
                              .repo = get(argv, "repo"),
                              .state_dir = get(argv, "state"),
                              .program = get(argv, "program"),
                              .max_connections = number(get(argv, "connections")),
                              .request_s = number(get(argv, "request")),
                              .work_s = number(get(argv, "work")),
                              .max_streams = number(get(argv, "streams")) };
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnApi) api = fsn_api_new(&options, &error);

    if (!api || !fsn_api_start(api, &error)) {
        fprintf(stderr, "api-host: %s\n", error->message);
        return 1;
    }
    g_unix_signal_add(SIGTERM, quit, loop);
    g_unix_signal_add(SIGINT, quit, loop);
    printf("ready %u\n", fsn_api_port(api));
    fflush(stdout);
    g_main_loop_run(loop);
    fsn_api_stop(api);
    return 0;
}
