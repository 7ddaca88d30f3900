/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/: the configuration, what systemd is told, what hooks say, when what is due. */
#include "config.h"

#include "base/error.h"
#include "daemon/arguments.h"
#include "daemon/hooks.h"
#include "daemon/mapper.h"
#include "daemon/notify.h"
#include "daemon/refresher.h"
#include "daemon/saves.h"
#include "daemon/scheduler.h"
#include "daemon/settings.h"

#include "base/json.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static FsnDaemonConfig *
parse(const char *text, GError **error)
{
    FsnDaemonConfig *config = NULL;

    return fsn_daemon_config_parse(text, strlen(text), "f", &config, error) ? config
                                                                            : NULL;
}

static void
test_config(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnDaemonConfig) none = parse("", &error);
    g_autoptr(FsnDaemonConfig) all = parse(
        "# all of it\n[daemon]\nconnection=qemu:///session\nrepository=/r\n"
        "recover=no\n[hooks]\nsocket=\n[sampling]\nenabled=false\ninterval=30\n"
        "[forecasts]\nrefresh_hours=0\n[schedules]\nenabled=off\ninterval=5\n"
        "[changemaps]\nenabled=no\ninterval=9\n[jobs]\nparallel=7\nbandwidth=8M/s\nkeep_days=1\n"
        "[savefs]\nenabled=yes\n",
        &error);

    g_assert_no_error(error);
    g_assert_true(none->sampling && !none->savefs && all->savefs);
    g_assert_cmpuint(none->sample_s, ==, 10);
    g_assert_null(none->connection);
    g_assert_cmpstr(none->hook_socket, ==, "/run/foresnap/hook.sock");
    g_assert_cmpstr(all->connection, ==, "qemu:///session");
    g_assert_cmpstr(all->repository, ==, "/r");
    g_assert_cmpstr(all->hook_socket, ==, "");
    g_assert_false(all->recover || all->sampling || all->schedules || all->changemaps);
    g_assert_true(none->changemaps);
    g_assert_cmpuint(all->changemap_s, ==, 9);
    g_assert_cmpuint(all->sample_s, ==, 30);
    g_assert_cmpuint(all->refresh_hours, ==, 0);
    g_assert_cmpuint(all->schedule_s, ==, 5);
    g_assert_cmpuint(all->parallel, ==, 7);
    g_assert_cmpuint(all->keep_days, ==, 1);
    g_assert_cmpuint(all->bandwidth, ==, 8 << 20);
    g_assert_cmpuint(none->bandwidth, ==, 0);
}

/* What is installed says nothing, and, without its comments, the defaults. */
static void
test_config_installed(void)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "scripts", "foresnapd.conf", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GString) all = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnDaemonConfig) config = NULL;
    g_autoptr(FsnDaemonConfig) said = NULL;
    g_autoptr(FsnDaemonConfig) none = fsn_daemon_config_new();

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    config = parse(text, &error);
    g_assert_no_error(error);
    all = g_string_new(text);
    g_string_replace(all, "\n#", "\n", 0);
    g_string_replace(all, "\n ", "\n# ", 0); /* words, not keys */
    said = parse(all->str, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(said->sample_s, ==, none->sample_s);
    g_assert_cmpuint(said->refresh_hours, ==, none->refresh_hours);
    g_assert_cmpuint(said->schedule_s, ==, none->schedule_s);
    g_assert_cmpuint(said->changemap_s, ==, none->changemap_s);
    g_assert_cmpuint(said->parallel, ==, none->parallel);
    g_assert_cmpuint(said->keep_days, ==, none->keep_days);
    g_assert_cmpuint(said->bandwidth, ==, none->bandwidth);
    g_assert_true(said->sampling && said->schedules && said->changemaps && said->recover);
    g_assert_cmpstr(said->hook_socket, ==, none->hook_socket);
    g_assert_cmpstr(said->api_socket, ==, none->api_socket);
    g_assert_cmpstr(said->api_group, ==, none->api_group);
}

static void
test_config_wrong(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "[sampling]\nintervall=3\n",
          "f:2: unknown key 'intervall', did you mean 'interval'?" },
        { "\n[samplin]\n", "f:2: unknown group 'samplin', did you mean 'sampling'?" },
        { "[sampling]\nquux=3\n", "f:2: unknown key 'quux'" },
        { "[sampling]\ninterval=0\n", "f:2: 'interval' takes a number from 1 to 1800" },
        { "[sampling]\ninterval=1801\n",
          "f:2: 'interval' takes a number from 1 to 1800" },
        { "[sampling]\ninterval=ten\n", "f:2: 'interval' takes a number from 1 to 1800" },
        { "[sampling]\nenabled=perhaps\n", "f:2: 'enabled' takes true or false" },
        { "[jobs]\nbandwidth=fast\n", "f:2: 'bandwidth' takes a rate, 50M/s, or off" },
        { "[daemon]\nrepository=here\n", "f:2: 'repository' takes an absolute path" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(parse(cases[i].text, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
    for (const char *text = "interval=3\n"; text; text = NULL) {
        g_autoptr(GError) error = NULL;

        g_assert_null(parse(text, &error));
        g_assert_true(g_str_has_prefix(error->message, "f:1: "));
    }
}

/* A socket in the abstract space that receives. */
static int
listen_at(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path + 1, name, strlen(name));
    g_assert_cmpint(
        bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))),
        ==, 0);
    return fd;
}

static void
test_notify(void)
{
    g_autofree char *name = g_strdup_printf("fsn-test-%d", (int)getpid());
    g_autofree char *path = g_strconcat("@", name, NULL);
    int fd = listen_at(name);
    g_autoptr(FsnNotify) notify = NULL;
    char text[64] = "";

    g_setenv("NOTIFY_SOCKET", path, TRUE);
    g_setenv("WATCHDOG_USEC", "3000000", TRUE);
    notify = fsn_notify_new();
    g_assert_null(g_getenv("NOTIFY_SOCKET"));
    g_assert_null(g_getenv("WATCHDOG_USEC"));
    g_assert_cmpint(fsn_notify_watchdog_us(notify), ==, 1500000);
    fsn_notify_send(notify, "READY=1");
    g_assert_cmpint(recv(fd, text, sizeof text, 0), ==, 7);
    g_assert_cmpstr(text, ==, "READY=1");
    close(fd);
    fsn_notify_send(notify, "READY=1"); /* nobody is there any more */
}

static void
test_notify_none(void)
{
    g_autoptr(FsnNotify) none = fsn_notify_new();
    g_autoptr(FsnNotify) wrong = NULL;
    g_autoptr(FsnNotify) other = NULL;

    fsn_notify_send(none, "READY=1");
    g_assert_cmpint(fsn_notify_watchdog_us(none), ==, 0);
    g_setenv("NOTIFY_SOCKET", "relative", TRUE);
    wrong = fsn_notify_new();
    fsn_notify_send(wrong, "READY=1");
    g_setenv("NOTIFY_SOCKET", "@fsn-nobody", TRUE);
    g_setenv("WATCHDOG_USEC", "1000", TRUE);
    g_setenv("WATCHDOG_PID", "1", TRUE);
    other = fsn_notify_new();
    g_assert_cmpint(fsn_notify_watchdog_us(other), ==, 0);
}

static void
on_news(const FsnHookNews *news, gpointer user)
{
    g_string_append_printf(user, "%s %s;", news->name, news->operation);
}

static void
send_to(int fd, const struct sockaddr_un *address, const char *text)
{
    g_assert_cmpint(sendto(fd, text, strlen(text), 0, (const struct sockaddr *)address,
                           sizeof *address),
                    ==, strlen(text));
}

static void
test_hooks(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-hooks-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "sub", "hook.sock", NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GString) heard = g_string_new(NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_autoptr(GError) error = NULL;
    FsnHooks *hooks = fsn_hooks_new(path, on_news, heard, &error);

    g_assert_no_error(error);
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    g_assert_null(fsn_hooks_new(path, on_news, heard, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_BUSY);
    send_to(fd, &address,
            "{\"version\": 1, \"name\": \"a\", \"op\": \"start\", \"uuid\": \"\"}");
    send_to(fd, &address, "rubbish");
    send_to(fd, &address, "{\"version\": 2, \"name\": \"b\", \"op\": \"start\"}");
    send_to(fd, &address, "{\"version\": 1, \"name\": \"c\", \"op\": \"stopped\"}");
    while (g_main_context_iteration(NULL, FALSE)) {
        continue;
    }
    g_assert_cmpstr(heard->str, ==, "a start;c stopped;");
    fsn_hooks_free(hooks);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    close(fd);
    /* what a killed daemon leaves is replaced; a file that is no socket stays */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    close(fd);
    hooks = fsn_hooks_new(path, on_news, heard, NULL);
    g_assert_nonnull(hooks);
    fsn_hooks_free(hooks);
    g_assert_true(g_file_set_contents(path, "mine", -1, NULL));
    g_assert_null(fsn_hooks_new(path, on_news, heard, NULL));
    g_unlink(path);
    g_rmdir(folder);
    g_rmdir(dir);
}

static void
test_due(void)
{
    static const char text[] =
        "{\"plan\": [{\"state\": \"due\"}, {\"state\": \"planned\"}, "
        "{\"state\": \"dropped\"}, 7, {\"state\": \"due\"}, {}], \"domains\": [1, {}]}";
    static const char fresh[] = "{\"plan\": [], \"domains\": [{}, {\"new\": true}]}";
    g_autoptr(JsonObject) document = NULL;
    g_autoptr(JsonObject) other = NULL;
    g_autoptr(JsonObject) empty = json_object_new();

    g_assert_true(fsn_json_parse_object(text, strlen(text), 4096, "t", &document, NULL));
    g_assert_cmpuint(fsn_scheduler_count_due(document), ==, 2);
    g_assert_cmpuint(fsn_scheduler_count_due(empty), ==, 0);
    g_assert_true(fsn_json_parse_object(fresh, strlen(fresh), 4096, "t", &other, NULL));
    g_assert_true(fsn_scheduler_has_new(other));
    g_assert_false(fsn_scheduler_has_new(document));
    g_assert_false(fsn_scheduler_has_new(empty));
}

static void
test_pause(void)
{
    g_assert_cmpuint(fsn_refresher_pause_s(24, 24), ==, 3600);
    g_assert_cmpuint(fsn_refresher_pause_s(24, 0), ==, 86400);
    g_assert_cmpuint(fsn_refresher_pause_s(1, 100000), ==, 10);
}

static void
test_arguments(void)
{
    g_autoptr(FsnDaemonConfig) config = fsn_daemon_config_new();
    g_auto(GStrv) plain = fsn_daemon_arguments(config, "recover", NULL);
    g_auto(GStrv) full = NULL;
    g_autofree char *joined = NULL;

    g_assert_cmpuint(g_strv_length(plain), ==, 1);
    config->connection = g_strdup("qemu:///system");
    config->repository = g_strdup("/r");
    full = fsn_daemon_arguments(config, "plan", "--run", NULL);
    joined = g_strjoinv(" ", full);
    g_assert_cmpstr(joined, ==, "plan --run --connect qemu:///system --repo /r");
}

/* Of domains A to D, A and B have a map, B and C are to have one; what is no UUID is nobody. */
static void
test_maps(void)
{
    static const char a[] = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
    static const char b[] = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
    static const char c[] = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";
    g_autofree char *text = g_strdup_printf(
        "{\"domains\": [{\"uuid\": \"%s\"}, {\"uuid\": \"%s\"}, {\"uuid\": \"%s\"}, "
        "{\"uuid\": \"--watch\"}, {\"uuid\": 4}, 5, {}]}",
        b, c, c);
    g_autoptr(JsonObject) document = NULL;
    g_autoptr(JsonObject) none = json_object_new();
    g_autoptr(GHashTable) running = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) start = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) end = g_ptr_array_new_with_free_func(g_free);

    g_hash_table_add(running, (gpointer)a);
    g_hash_table_add(running, (gpointer)b);
    g_assert_true(
        fsn_json_parse_object(text, strlen(text), 1000, "list", &document, NULL));
    fsn_mapper_decide(document, running, start, end);
    g_assert_cmpuint(start->len, ==, 1);
    g_assert_cmpstr(start->pdata[0], ==, c);
    g_assert_cmpuint(end->len, ==, 1);
    g_assert_cmpstr(end->pdata[0], ==, a);
    /* Not a list: nothing is known, so nothing is done. */
    fsn_mapper_decide(none, running, start, end);
    g_assert_cmpuint(start->len + end->len, ==, 2);
}

static void
test_hook_changes(void)
{
    g_assert_true(fsn_hooks_is_change("started"));
    g_assert_true(fsn_hooks_is_change("stopped"));
    g_assert_true(fsn_hooks_is_change("release"));
    g_assert_false(fsn_hooks_is_change("prepare"));
    g_assert_false(fsn_hooks_is_change("start"));
    g_assert_false(fsn_hooks_is_change(""));
}

/* Only a server that sleeps no more, and for long enough, is stuck. */
static void
test_saves_stuck(void)
{
    FsnSavesSeen seen = { 0 };

    for (unsigned i = 0; i <= FSN_SAVES_STUCK_LOOKS; i++) {
        g_assert_cmpint(fsn_saves_is_stuck(&seen, 7, 100), ==,
                        i == FSN_SAVES_STUCK_LOOKS);
    }
    g_assert_false(fsn_saves_is_stuck(&seen, 7, 101));
    for (unsigned i = 0; i < 2 * FSN_SAVES_STUCK_LOOKS; i++) {
        g_assert_false(fsn_saves_is_stuck(&seen, 7 + (int)i, 101)); /* another one */
        g_assert_false(fsn_saves_is_stuck(&seen, 7 + (int)i, 0));   /* not known */
    }
    for (unsigned i = 0; i < 2 * FSN_SAVES_STUCK_LOOKS; i++) {
        g_assert_false(fsn_saves_is_stuck(&seen, 0, 0)); /* there is none */
    }
}

static void
test_saves_wakes(void)
{
    g_assert_cmpuint(fsn_saves_parse_wakes("Name:\tx\nvoluntary_ctxt_switches:\t150\n"
                                           "nonvoluntary_ctxt_switches:\t545\n"),
                     ==, 150);
    g_assert_cmpuint(fsn_saves_parse_wakes("a\nnonvoluntary_ctxt_switches:\t5\n"), ==, 0);
    g_assert_cmpuint(fsn_saves_parse_wakes(""), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/daemon/config", test_config);
    g_test_add_func("/daemon/config-installed", test_config_installed);
    g_test_add_func("/daemon/config-wrong", test_config_wrong);
    g_test_add_func("/daemon/notify-none", test_notify_none);
    g_test_add_func("/daemon/notify", test_notify);
    g_test_add_func("/daemon/hooks", test_hooks);
    g_test_add_func("/daemon/due", test_due);
    g_test_add_func("/daemon/pause", test_pause);
    g_test_add_func("/daemon/arguments", test_arguments);
    g_test_add_func("/daemon/hook-changes", test_hook_changes);
    g_test_add_func("/daemon/maps", test_maps);
    g_test_add_func("/daemon/saves-stuck", test_saves_stuck);
    g_test_add_func("/daemon/saves-wakes", test_saves_wakes);
    return g_test_run();
}
