/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The API's life: from options to a server that listens, and back. What a request goes through is
 * in request.c.
 */
#include "config.h"

#include "api/private.h"

#include "api/request.h"
#include "base/error.h"
#include "cycle/context.h"
#include "history/store.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>

#define MAX_CONNECTIONS 256
#define REQUEST_S       30
#define WORK_S          60
#define MAX_STREAMS     64

static void
group_free(gpointer data)
{
    FsnApiGroup *group = data;

    g_free((char *)group->group);
    g_free(group);
}

static bool
check(const FsnApiOptions *options, GError **error)
{
    const char *wrong = NULL;

    if (!options->repo || !options->program) {
        wrong = "the repository and the program must be given";
    } else if (!options->socket_path && !options->tcp_address) {
        wrong = "say where the API is to listen: a socket or an address";
    } else if (options->tcp_address && (!options->tls_certificate || !options->tls_key)) {
        wrong =
            "by TCP the API needs a certificate and its key: nothing goes in plain text";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s", wrong);
    }
    return !wrong;
}

static void
copy_places(FsnApi *api, const FsnApiOptions *options)
{
    api->socket_path = g_strdup(options->socket_path);
    api->socket_mode = options->socket_mode ? options->socket_mode : 0666;
    api->tcp_address = g_strdup(options->tcp_address);
    api->tls_certificate = g_strdup(options->tls_certificate);
    api->tls_key = g_strdup(options->tls_key);
    api->token_file =
        options->token_file ? g_strdup(options->token_file) : fsn_tokens_default_path();
    api->uri = g_strdup(options->uri);
    api->history =
        options->history ? g_strdup(options->history) : fsn_history_default_path();
    api->repo = g_strdup(options->repo);
    api->state_dir =
        options->state_dir ? g_strdup(options->state_dir) : fsn_cycle_default_state_dir();
    api->program = g_strdup(options->program);
}

static void
copy_groups(FsnApi *api, const FsnApiOptions *options)
{
    api->groups = g_ptr_array_new_with_free_func(group_free);
    for (size_t i = 0; i < options->n_groups; i++) {
        FsnApiGroup *group = g_new(FsnApiGroup, 1);

        group->group = g_strdup(options->groups[i].group);
        group->scope = options->groups[i].scope;
        g_ptr_array_add(api->groups, group);
    }
}

FsnApi *
fsn_api_new(const FsnApiOptions *options, GError **error)
{
    FsnApi *api;

    if (!check(options, error)) {
        return NULL;
    }
    api = g_new0(FsnApi, 1);
    copy_places(api, options);
    copy_groups(api, options);
    api->max_connections =
        options->max_connections ? options->max_connections : MAX_CONNECTIONS;
    api->request_s = options->request_s ? options->request_s : REQUEST_S;
    api->work_s = options->work_s ? options->work_s : WORK_S;
    api->max_streams = options->max_streams ? options->max_streams : MAX_STREAMS;
    return api;
}

/* libsoup keeps connections open between requests only while it listens itself: it is given a
 * socket that has no name, so that nobody can come that way. */
static bool
listen_for_nobody(SoupServer *soup, GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("foresnap-XXXXXX", error);
    g_autofree char *path = folder ? g_build_filename(folder, "socket", NULL) : NULL;
    g_autoptr(GSocketAddress) address = NULL;
    g_autoptr(GSocket) socket = NULL;
    bool ok;

    if (!folder) {
        return false;
    }
    address = g_unix_socket_address_new(path);
    socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                          G_SOCKET_PROTOCOL_DEFAULT, error);
    ok = socket && g_socket_bind(socket, address, FALSE, error) &&
         g_socket_listen(socket, error);
    (void)g_unlink(path); /* its name is all that leads to it */
    (void)g_rmdir(folder);
    return ok && soup_server_listen_socket(soup, socket, 0, error);
}

bool
fsn_api_start(FsnApi *api, GError **error)
{
    g_return_val_if_fail(!api->running, false);
    api->context = g_main_context_ref_thread_default();
    api->soup = soup_server_new("server-header", "foresnap", NULL);
    api->work = fsn_api_work_new(api);
    api->views = fsn_api_views_new(api);
    api->news = fsn_api_news_new(api);
    api->connections = fsn_api_connections_new(api);
    api->running = true;
    fsn_api_attach_requests(api);
    if (!listen_for_nobody(api->soup, error) ||
        !fsn_api_connections_listen(api->connections, error)) {
        fsn_api_stop(api);
        return false;
    }
    return true;
}

void
fsn_api_stop(FsnApi *api)
{
    if (!api->running) {
        return;
    }
    api->running = false;
    /* What threads still do ends without a word: its request is gone. */
    fsn_api_detach_requests(api);
    soup_server_disconnect(api->soup);
    g_clear_pointer(&api->news, fsn_api_news_free);
    g_clear_pointer(&api->work, fsn_api_work_free);
    g_clear_pointer(&api->views, fsn_api_views_free);
    g_clear_pointer(&api->connections, fsn_api_connections_free);
    g_clear_object(&api->soup);
    g_clear_pointer(&api->context, g_main_context_unref);
}

void
fsn_api_free(FsnApi *api)
{
    if (!api) {
        return;
    }
    fsn_api_stop(api);
    g_free(api->socket_path);
    g_free(api->tcp_address);
    g_free(api->tls_certificate);
    g_free(api->tls_key);
    g_free(api->token_file);
    g_free(api->uri);
    g_free(api->history);
    g_free(api->repo);
    g_free(api->state_dir);
    g_free(api->program);
    g_ptr_array_unref(api->groups);
    g_clear_pointer(&api->tokens, g_ptr_array_unref);
    g_free(api);
}

unsigned
fsn_api_port(const FsnApi *api)
{
    return api->connections ? fsn_api_connections_port(api->connections) : 0;
}

void
fsn_api_invalidate(FsnApi *api, const char *uuid)
{
    if (api->running) {
        fsn_api_views_invalidate(api->views, uuid);
    }
}
