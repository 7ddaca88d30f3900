/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The composition of the daemon. Its main loop calls nothing that waits for libvirt: that is for
 * the thread of the sampling, and for processes of their own. What it starts as jobs outlives
 * it; what it knows is in the history, the state folder and the repository, so that it may be
 * killed at any moment.
 *
 * libvirt's events come by the thread that src/virt runs for every program of foresnap, and not
 * by libvirt-glib: there can be only one implementation of events in a process, one folder uses
 * libvirt, and an event that arrives in a thread reaches nobody's loop too late because that
 * loop waits for libvirt.
 */
#include "config.h"

#include "daemon/daemon.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "cycle/changemap-kept.h"
#include "cycle/context.h"
#include "cycle/journal.h"
#include "daemon/arguments.h"
#include "daemon/gateway.h"
#include "daemon/hooks.h"
#include "daemon/log.h"
#include "daemon/mapper.h"
#include "daemon/notify.h"
#include "daemon/refresher.h"
#include "daemon/sampling.h"
#include "daemon/saves.h"
#include "daemon/scheduler.h"
#include "daemon/source.h"
#include "history/store.h"
#include "jobs/jobs.h"
#include "virt/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SEC         ((int64_t)G_USEC_PER_SEC)
#define END_WAIT_US (3 * SEC)
#define STATUS_S    10
#define STUCK_US    (15 * SEC)
#define FORGET_S    3600
#define SETTLE_S    1
#define DAY_US      (24 * 3600 * SEC)
#define LOCK_NAME   "foresnapd.lock"

struct FsnDaemon {
    FsnDaemonOptions options;
    FsnDaemonConfig *config;
    char *state_dir;
    char *history_path;
    int lock_fd;
    GMainContext *context; /* not the default one, which libvirt's events run in */
    GMainLoop *loop;
    GPtrArray *sources; /* GSource, all that are ours */
    FsnNotify *notify;
    FsnSampling *sampling;
    FsnHooks *hooks;
    GSource *settle; /* after what hooks have told; NULL: nothing */
    FsnGateway *gateway;
    FsnScheduler *scheduler;
    FsnRefresher *refresher;
    FsnMapper *mapper;
    FsnSaves *saves;
    bool recovered; /* what was interrupted has been seen to */
    bool stuck;     /* that libvirt does not answer has been said */
};

static bool
take_lock(FsnDaemon *d, GError **error)
{
    g_autofree char *path = g_build_filename(d->state_dir, LOCK_NAME, NULL);

    if (!fsn_mkdirs(d->state_dir, 0700, error)) {
        return false;
    }
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock_fd < 0) {
        return fsn_set_errno(error, errno, "cannot open the lock '%s'", path);
    }
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    if (errno != EWOULDBLOCK) {
        return fsn_set_errno(error, errno, "cannot lock '%s'", path);
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY, "another foresnapd works on '%s'",
                d->state_dir);
    return false;
}

static void
override(char **value, const char *given)
{
    if (given) {
        g_free(*value);
        *value = g_strdup(given);
    }
}

/* The file, with what the command line wins. */
static bool
read_config(FsnDaemon *d, FsnDaemonConfig **out_config, GError **error)
{
    g_autoptr(FsnDaemonConfig) config = NULL;
    const char *uri;

    if (!fsn_daemon_config_load(d->options.config_path, &config, error)) {
        return false;
    }
    override(&config->connection, d->options.connection);
    override(&config->repository, d->options.repository);
    uri = config->connection ? config->connection : g_getenv("LIBVIRT_DEFAULT_URI");
    if (uri && *uri && !fsn_virt_uri_check_local(uri, error)) {
        return false;
    }
    *out_config = g_steal_pointer(&config);
    return true;
}

FsnDaemon *
fsn_daemon_new(const FsnDaemonOptions *options, GError **error)
{
    g_autoptr(FsnDaemon) d = g_new0(FsnDaemon, 1);

    d->options = *options;
    d->lock_fd = -1;
    d->state_dir = fsn_cycle_default_state_dir();
    d->history_path = fsn_history_default_path();
    d->sources = g_ptr_array_new_with_free_func((GDestroyNotify)g_source_unref);
    if (!read_config(d, &d->config, error) || !take_lock(d, error)) {
        return NULL;
    }
    return g_steal_pointer(&d);
}

void
fsn_daemon_free(FsnDaemon *d)
{
    if (!d) {
        return;
    }
    g_ptr_array_unref(d->sources);
    fsn_daemon_config_free(d->config);
    if (d->lock_fd >= 0) {
        close(d->lock_fd);
    }
    g_free(d->state_dir);
    g_free(d->history_path);
    g_free(d);
}

static void
add_source(FsnDaemon *d, GSource *source, GSourceFunc func)
{
    g_source_set_callback(source, func, d, NULL);
    g_source_attach(source, d->context);
    g_ptr_array_add(d->sources, source);
}

static bool
has_journals(FsnDaemon *d)
{
    g_autoptr(GPtrArray) uuids = NULL;

    return fsn_journal_list(d->state_dir, &uuids, NULL) && uuids->len > 0;
}

static void
start_recovery(FsnDaemon *d)
{
    g_auto(GStrv) arguments = fsn_daemon_arguments(d->config, "recover", NULL);
    FsnJobRequest request = { .arguments = (const char *const *)arguments,
                              .origin = "daemon" };
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;

    if (fsn_job_start(d->state_dir, &request, &id, &error)) {
        fsn_log(FSN_LOG_NOTICE, (const char *const[]){ "FORESNAP_JOB", id, NULL },
                "operations were interrupted or are under way: job %.8s sees to them",
                id);
    } else {
        fsn_log(FSN_LOG_ERROR, NULL, "interrupted operations are not recovered: %s",
                error->message);
    }
}

/* In the main loop: libvirt is there. */
static gboolean
on_connected(gpointer user)
{
    FsnDaemon *d = user;

    if (!d->recovered && d->config->recover && has_journals(d)) {
        start_recovery(d);
    }
    d->recovered = true;
    return G_SOURCE_REMOVE;
}

/* From any thread. */
static void
in_main_loop(FsnDaemon *d, GSourceFunc func, gpointer data, GDestroyNotify free_data)
{
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, func, data, free_data);
    g_source_attach(source, d->context);
}

static void
tell_connected(gpointer user)
{
    FsnDaemon *d = user;

    in_main_loop(d, on_connected, d, NULL);
}

typedef struct {
    FsnDaemon *daemon;
    char *uuid;
} Change;

/* In the main loop. */
static gboolean
on_change(gpointer user)
{
    const Change *change = user;

    if (change->daemon->gateway) {
        fsn_gateway_invalidate(change->daemon->gateway, change->uuid);
    }
    if (change->daemon->mapper) {
        fsn_mapper_hurry(change->daemon->mapper);
    }
    if (change->daemon->saves) {
        fsn_saves_changed(change->daemon->saves);
    }
    return G_SOURCE_REMOVE;
}

static void
change_free(gpointer user)
{
    Change *change = user;

    g_free(change->uuid);
    g_free(change);
}

static void
tell_change(const char *uuid, gpointer user)
{
    Change *change = g_new(Change, 1);

    *change = (Change){ user, g_strdup(uuid) };
    in_main_loop(change->daemon, on_change, change, change_free);
}

/* What was heard of is looked at, once for all that came together. */
static gboolean
on_settled(gpointer user)
{
    FsnDaemon *d = user;

    fsn_source_clear(&d->settle);
    if (d->gateway) {
        fsn_gateway_invalidate(d->gateway, NULL);
    }
    if (d->mapper) {
        fsn_mapper_hurry(d->mapper);
    }
    return G_SOURCE_REMOVE;
}

/* libvirt tells the same by its events, unless there is no connection at that moment. The state is
 * another one only when the hook has ended, which is some time after this. */
static void
on_news(const FsnHookNews *news, gpointer user)
{
    FsnDaemon *d = user;
    const char *const fields[] = {
        "FORESNAP_DOMAIN", news->name, "FORESNAP_UUID", news->uuid, "FORESNAP_HOOK",
        news->operation,   NULL
    };

    fsn_log(FSN_LOG_INFO, fields, "libvirt's hook for '%s': %s", news->name,
            news->operation);
    if (fsn_hooks_is_change(news->operation) && !d->settle) {
        d->settle =
            fsn_source_attach(g_timeout_source_new_seconds(SETTLE_S), on_settled, d);
    }
}

/* Without it all works, only later. */
static void
listen_for_hooks(FsnDaemon *d)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&d->hooks, fsn_hooks_free);
    if (!*d->config->hook_socket) {
        return;
    }
    d->hooks = fsn_hooks_new(d->config->hook_socket, on_news, d, &error);
    if (!d->hooks) {
        fsn_log(FSN_LOG_WARNING, NULL, "libvirt's hooks are not heard: %s",
                error->message);
    }
}

static unsigned
sampling_interval(const FsnDaemonConfig *config)
{
    return config->sampling ? config->sample_s : 0;
}

static void
use_config(FsnDaemon *d, FsnDaemonConfig *config)
{
    FsnDaemonConfig *old = d->config;
    bool other_socket = strcmp(old->hook_socket, config->hook_socket) != 0;

    d->config = config;
    fsn_sampling_set(d->sampling, config->connection, sampling_interval(config));
    fsn_scheduler_set(d->scheduler, config);
    fsn_refresher_set(d->refresher, config);
    fsn_mapper_set(d->mapper, config);
    fsn_saves_set(d->saves, config);
    fsn_gateway_set(d->gateway, config);
    if (other_socket) {
        listen_for_hooks(d);
    }
    fsn_daemon_config_free(old);
}

static gboolean
on_hangup(gpointer user)
{
    FsnDaemon *d = user;
    g_autofree char *reloading = g_strdup_printf(
        "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    FsnDaemonConfig *config = NULL;
    g_autoptr(GError) error = NULL;

    fsn_notify_send(d->notify, reloading);
    if (read_config(d, &config, &error)) {
        use_config(d, config);
        fsn_log(FSN_LOG_NOTICE, NULL, "the configuration was read again");
    } else {
        fsn_log(FSN_LOG_ERROR, NULL, "the configuration stays as it was: %s",
                error->message);
    }
    fsn_notify_send(d->notify, "READY=1");
    return G_SOURCE_CONTINUE;
}

static gboolean
on_terminate(gpointer user)
{
    FsnDaemon *d = user;

    fsn_notify_send(d->notify, "STOPPING=1");
    g_main_loop_quit(d->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_watchdog(gpointer user)
{
    FsnDaemon *d = user;

    fsn_notify_send(d->notify, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

static gboolean
on_status(gpointer user)
{
    FsnDaemon *d = user;
    g_autofree char *text = NULL;
    FsnSamplingState state;
    bool stuck;

    fsn_sampling_look(d->sampling, &state);
    stuck = state.busy_us > STUCK_US;
    if (stuck && !d->stuck) {
        fsn_log(FSN_LOG_WARNING, NULL, "libvirt has not answered for %d s",
                (int)(state.busy_us / SEC));
    }
    d->stuck = stuck;
    text = stuck             ? g_strdup("STATUS=libvirt does not answer")
           : state.connected ? g_strdup_printf("STATUS=%u domains, %" G_GUINT64_FORMAT
                                               " rounds of sampling",
                                               state.domains, state.rounds)
                             : g_strdup("STATUS=not connected to libvirt");
    fsn_notify_send(d->notify, text);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_forget(gpointer user)
{
    FsnDaemon *d = user;
    g_autoptr(GError) error = NULL;

    if (!fsn_jobs_forget(d->state_dir, fsn_realtime_us() - d->config->keep_days * DAY_US,
                         NULL, &error)) {
        fsn_log(FSN_LOG_WARNING, NULL, "old jobs are not forgotten: %s", error->message);
    }
    fsn_map_kept_forget(d->state_dir, fsn_realtime_us() - d->config->keep_days * DAY_US);
    return G_SOURCE_CONTINUE;
}

static void
start_all(FsnDaemon *d)
{
    int64_t watchdog_us = fsn_notify_watchdog_us(d->notify);

    add_source(d, g_unix_signal_source_new(SIGTERM), on_terminate);
    add_source(d, g_unix_signal_source_new(SIGINT), on_terminate);
    add_source(d, g_unix_signal_source_new(SIGHUP), on_hangup);
    add_source(d, g_timeout_source_new_seconds(STATUS_S), on_status);
    add_source(d, g_timeout_source_new_seconds(FORGET_S), on_forget);
    if (watchdog_us > 0) {
        add_source(d, g_timeout_source_new((guint)MAX(watchdog_us / 1000, 1)),
                   on_watchdog);
    }
    listen_for_hooks(d);
    d->gateway = fsn_gateway_new(d->config, d->history_path, d->state_dir);
    d->scheduler = fsn_scheduler_new(d->config, d->state_dir);
    d->refresher = fsn_refresher_new(d->config, d->history_path);
    d->mapper = fsn_mapper_new(d->config);
    d->saves = fsn_saves_new(d->config, d->state_dir);
    d->sampling =
        fsn_sampling_new(d->config->connection, d->history_path,
                         sampling_interval(d->config), tell_connected, tell_change, d);
}

static bool
end_all(FsnDaemon *d)
{
    g_clear_pointer(&d->hooks, fsn_hooks_free);
    fsn_source_clear(&d->settle);
    g_clear_pointer(&d->gateway, fsn_gateway_free);
    g_clear_pointer(&d->scheduler, fsn_scheduler_free);
    g_clear_pointer(&d->refresher, fsn_refresher_free);
    g_clear_pointer(&d->mapper, fsn_mapper_free);
    g_clear_pointer(&d->saves, fsn_saves_free);
    for (guint i = 0; i < d->sources->len; i++) {
        g_source_destroy(d->sources->pdata[i]);
    }
    if (!fsn_sampling_end(d->sampling, END_WAIT_US)) {
        fsn_log(FSN_LOG_WARNING, NULL, "libvirt does not answer: ending without it");
        return false;
    }
    /* what was abandoned comes to its end */
    while (g_main_context_iteration(d->context, FALSE)) {
        continue;
    }
    return true;
}

bool
fsn_daemon_run(FsnDaemon *d, void (*ready)(gpointer user), gpointer user)
{
    bool ended;

    d->notify = fsn_notify_new();
    d->context = g_main_context_new();
    g_main_context_push_thread_default(d->context);
    d->loop = g_main_loop_new(d->context, FALSE);
    start_all(d);
    fsn_log(FSN_LOG_NOTICE, NULL, "foresnapd %s has started", PACKAGE_VERSION);
    ready(user);
    fsn_notify_send(d->notify, "READY=1");
    g_main_loop_run(d->loop);
    ended = end_all(d);
    fsn_log(FSN_LOG_NOTICE, NULL, "foresnapd ends");
    g_clear_pointer(&d->loop, g_main_loop_unref);
    g_main_context_pop_thread_default(d->context);
    if (ended) { /* else the thread of the sampling may still tell something */
        g_clear_pointer(&d->context, g_main_context_unref);
    }
    g_clear_pointer(&d->notify, fsn_notify_free);
    return ended;
}
