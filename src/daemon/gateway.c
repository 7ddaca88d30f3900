/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From keys of foresnapd.conf to a server that listens. */
#include "config.h"

#include "daemon/gateway.h"

#include "api/server.h"
#include "base/files.h"
#include "base/programs.h"
#include "cycle/context.h"
#include "daemon/log.h"

#include <string.h>

struct FsnGateway {
    char *history_path;
    char *state_dir;
    char *opened_as; /* what the server that listens was made from */
    FsnApi *api;     /* NULL: none */
};

/* All that a server depends on, to tell whether it has to be another one. */
static char *
summary(const FsnDaemonConfig *config)
{
    const char *const parts[] = { config->api_socket,      config->api_listen,
                                  config->api_certificate, config->api_key,
                                  config->api_tokens,      config->api_group,
                                  config->api_read_group,  config->connection,
                                  config->repository };
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_string_append(text, parts[i] ? parts[i] : "");
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static const char *
or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static bool
open_server(FsnGateway *gateway, const FsnDaemonConfig *config, GError **error)
{
    FsnApiGroup groups[2];
    FsnApiOptions options = { .socket_path = or_null(config->api_socket),
                              .tcp_address = or_null(config->api_listen),
                              .tls_certificate = or_null(config->api_certificate),
                              .tls_key = or_null(config->api_key),
                              .token_file = or_null(config->api_tokens),
                              .groups = groups,
                              .uri = config->connection,
                              .history = gateway->history_path,
                              .state_dir = gateway->state_dir };
    g_autofree char *repo =
        config->repository ? g_strdup(config->repository) : fsn_cycle_default_repo();
    g_autofree char *program = fsn_main_program();
    g_autofree char *folder =
        options.socket_path ? g_path_get_dirname(options.socket_path) : NULL;
    g_autoptr(FsnApi) api = NULL;

    options.repo = repo;
    options.program = program;
    if (or_null(config->api_group)) {
        groups[options.n_groups++] =
            (FsnApiGroup){ config->api_group, FSN_SCOPE_OPERATE };
    }
    if (or_null(config->api_read_group)) {
        groups[options.n_groups++] =
            (FsnApiGroup){ config->api_read_group, FSN_SCOPE_READ };
    }
    if (folder && !fsn_mkdirs(folder, 0755, error)) {
        return false;
    }
    api = fsn_api_new(&options, error);
    if (!api || !fsn_api_start(api, error)) {
        return false;
    }
    gateway->api = g_steal_pointer(&api);
    return true;
}

static void
close_server(FsnGateway *gateway)
{
    if (gateway->api) {
        fsn_api_stop(gateway->api);
        g_clear_pointer(&gateway->api, fsn_api_free);
    }
}

FsnGateway *
fsn_gateway_new(const FsnDaemonConfig *config,
                const char *history_path,
                const char *state_dir)
{
    FsnGateway *gateway = g_new0(FsnGateway, 1);

    gateway->history_path = g_strdup(history_path);
    gateway->state_dir = g_strdup(state_dir);
    fsn_gateway_set(gateway, config);
    return gateway;
}

void
fsn_gateway_set(FsnGateway *gateway, const FsnDaemonConfig *config)
{
    g_autofree char *wanted = summary(config);
    g_autoptr(GError) error = NULL;

    if (gateway->api && strcmp(gateway->opened_as, wanted) == 0) {
        return;
    }
    close_server(gateway);
    g_clear_pointer(&gateway->opened_as, g_free);
    if (!or_null(config->api_socket) && !or_null(config->api_listen)) {
        return;
    }
    if (!open_server(gateway, config, &error)) {
        fsn_log(FSN_LOG_WARNING, NULL, "the API is not there: %s", error->message);
        return;
    }
    gateway->opened_as = g_steal_pointer(&wanted);
    if (or_null(config->api_listen)) {
        fsn_log(FSN_LOG_NOTICE, NULL, "the API listens at %s, port %u",
                config->api_listen, fsn_api_port(gateway->api));
    }
}

void
fsn_gateway_invalidate(FsnGateway *gateway, const char *uuid)
{
    if (gateway->api) {
        fsn_api_invalidate(gateway->api, uuid);
    }
}

void
fsn_gateway_free(FsnGateway *gateway)
{
    if (!gateway) {
        return;
    }
    close_server(gateway);
    g_free(gateway->opened_as);
    g_free(gateway->history_path);
    g_free(gateway->state_dir);
    g_free(gateway);
}
