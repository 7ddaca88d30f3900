/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/api/news.c: who reads events gets those that he may see, and who does not read is dropped
 * before much waits for him. */
#include "config.h"

#include "api/server.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#define LIMIT_US (30 * G_USEC_PER_SEC)

typedef struct {
    char *folder;
    char *tokens;
    char *socket;
    char *secret; /* of a token for "acme-" */
    FsnApi *api;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) tokens =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_token_free);
    FsnApiOptions options = { .uri = "qemu:///nowhere", .program = "/bin/false" };

    f->folder = g_dir_make_tmp("foresnap-api-XXXXXX", &error);
    g_assert_no_error(error);
    f->socket = g_build_filename(f->folder, "api.sock", NULL);
    f->tokens = g_build_filename(f->folder, "tokens.json", NULL);
    g_autofree char *nothing = g_build_filename(f->folder, "nothing", NULL);
    options.socket_path = f->socket;
    options.token_file = f->tokens;
    options.repo = options.history = options.state_dir = nothing;
    g_ptr_array_add(tokens, fsn_token_new("acme", FSN_SCOPE_READ, "acme-", NULL, 1, 0,
                                          &f->secret, &error));
    g_assert_true(fsn_tokens_save(f->tokens, tokens, &error));
    f->api = fsn_api_new(&options, &error);
    g_assert_no_error(error);
    g_assert_true(fsn_api_start(f->api, &error));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    fsn_api_free(f->api);
    g_assert_cmpint(g_access(f->socket, 0), ==, -1);
    g_unlink(f->tokens);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->tokens);
    g_free(f->socket);
    g_free(f->secret);
}

static GSocket *
ask(Fixture *f, const char *secret)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(f->socket);
    GSocket *socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, &error);
    g_autofree char *header =
        secret ? g_strdup_printf("Authorization: Bearer %s\r\n", secret) : g_strdup("");
    g_autofree char *text =
        g_strdup_printf("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n%s\r\n", header);

    g_assert_no_error(error);
    g_assert_true(g_socket_connect(socket, address, NULL, &error));
    g_assert_cmpint(g_socket_send(socket, text, strlen(text), NULL, &error), ==,
                    strlen(text));
    g_socket_set_blocking(socket, FALSE);
    return socket;
}

/* Reads what comes, letting the server run; false at the end of the stream. */
static bool
read_some(GSocket *socket, GString *text)
{
    g_autoptr(GError) error = NULL;
    char buffer[4096];
    gssize n;

    g_main_context_iteration(NULL, FALSE);
    n = g_socket_receive(socket, buffer, sizeof(buffer), NULL, &error);
    if (n > 0) {
        g_string_append_len(text, buffer, n);
    } else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
        g_usleep(500);
        return true;
    }
    return n > 0;
}

static void
read_until(GSocket *socket, GString *text, const char *what)
{
    int64_t end_us = g_get_monotonic_time() + LIMIT_US;

    while (!strstr(text->str, what)) {
        g_assert_true(read_some(socket, text));
        g_assert_cmpint(g_get_monotonic_time(), <, end_us);
    }
}

static void
publish(Fixture *f, const char *type, const char *domain, const char *text)
{
    g_autoptr(JsonObject) data = json_object_new();

    json_object_set_string_member(data, "text", text);
    fsn_api_publish(f->api, type, domain, data);
}

static void
test_tenants(Fixture *f, gconstpointer data)
{
    g_autoptr(GSocket) all = ask(f, NULL);
    g_autoptr(GSocket) acme = ask(f, f->secret);
    g_autoptr(GString) of_all = g_string_new(NULL);
    g_autoptr(GString) of_acme = g_string_new(NULL);

    read_until(all, of_all, "retry:");
    read_until(acme, of_acme, "retry:");
    publish(f, "note", "other-web", "first");
    publish(f, "note", NULL, "second");
    publish(f, "note", "acme-web", "third");
    read_until(all, of_all, "third");
    read_until(acme, of_acme, "third");
    g_assert_nonnull(strstr(of_all->str, "event: note\ndata: {\"text\":\"first\"}\n\n"));
    g_assert_nonnull(strstr(of_all->str, "second"));
    g_assert_null(strstr(of_acme->str, "first"));
    g_assert_null(strstr(of_acme->str, "second"));
}

/* Megabytes are published; the one that reads gets all, the one that does not is cut. */
static void
test_slow(Fixture *f, gconstpointer data)
{
    g_autoptr(GSocket) quick = ask(f, NULL);
    g_autoptr(GSocket) slow = ask(f, NULL);
    g_autoptr(GString) of_quick = g_string_new(NULL);
    g_autoptr(GString) of_slow = g_string_new(NULL);
    g_autofree char *filler = g_strnfill(16000, 'x');
    int64_t end_us = g_get_monotonic_time() + LIMIT_US;

    read_until(quick, of_quick, "retry:");
    read_until(slow, of_slow, "retry:");
    for (unsigned i = 0; i < 200; i++) {
        g_autofree char *text = g_strdup_printf("%s%u.", filler, i);
        g_autofree char *last = g_strdup_printf("x%u.", i);

        publish(f, "note", NULL, text);
        g_string_truncate(of_quick, 0);
        read_until(quick, of_quick, last);
    }
    while (read_some(slow, of_slow)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end_us);
    }
    g_assert_cmpuint(of_slow->len, <, 200 * 16000);
    publish(f, "note", NULL, "still there");
    read_until(quick, of_quick, "still there");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/events/tenants", Fixture, NULL, set_up, test_tenants, tear_down);
    g_test_add("/events/slow", Fixture, NULL, set_up, test_slow, tear_down);
    return g_test_run();
}
