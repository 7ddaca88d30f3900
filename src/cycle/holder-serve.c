/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The holder's loop: takes what trickles out of the held migration and waits for the word.
 * Whatever ends it, the domain either is suspended or runs on.
 */
#include "config.h"

#include "cycle/holder.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cycle/holder-wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST_TIMEOUT_MS 5000
#define LOOK_MS            1000

typedef struct {
    FsnSuspendRun *run;
    const char *repo; /* location of the repository that has the bulk */
    int listen_fd;
    int client_fd; /* -1: nobody listens to progress */
    int64_t deadline_us;
    bool over;
    char *path;
} Holder;

static void
on_progress(const char *phase, uint64_t done, uint64_t total, gpointer user)
{
    Holder *h = user;
    g_autoptr(JsonObject) message = NULL;

    if (h->client_fd < 0) {
        return;
    }
    message = fsn_holder_progress_message(phase, done, total);
    if (!fsn_holder_send(h->client_fd, message, NULL)) {
        /* The caller has gone; the work goes on. */
        close(h->client_fd);
        h->client_fd = -1;
    }
}

static int
listen_at(const char *path, GError **error)
{
    struct sockaddr_un address;
    int fd = fsn_holder_socket(path, &address, error);
    mode_t mask;
    int rc;

    if (fd < 0) {
        return -1;
    }
    (void)unlink(path); /* a dead holder's; we have the domain's lock */
    mask = umask(0177);
    rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (rc < 0 || listen(fd, 4) < 0) {
        fsn_set_errno(error, errno, "cannot listen at '%s'", path);
        close(fd);
        return -1;
    }
    return fd;
}

static void
answer(Holder *h, JsonObject *message)
{
    if (h->client_fd >= 0) {
        (void)!fsn_holder_send(h->client_fd, message,
                               NULL); /* the caller may have gone */
    }
    json_object_unref(message);
}

static void
do_finish(Holder *h)
{
    g_auto(FsnSuspendResult) result = { 0 };
    g_autoptr(GError) error = NULL;
    bool ok = fsn_suspend_run_finish(h->run, &result, &error);

    if (!ok && fsn_suspend_run_is_held(h->run)) {
        g_prefix_error(&error, "the domain stays prepared: ");
        answer(h, fsn_holder_error_message(error));
        return;
    }
    h->over = true;
    /* Before the caller is told: its next command must find the lock free, and after a
     * failure the domain running. */
    g_clear_pointer(&h->run, fsn_suspend_run_free);
    answer(h, ok ? fsn_holder_result_message(fsn_suspend_result_to_json(&result))
                 : fsn_holder_error_message(error));
}

/* Memory that was prepared for one repository must not appear in it when the caller has
 * named another. */
static bool
check_repo(Holder *h, const char *repo, GError **error)
{
    if (g_str_equal(repo, h->repo)) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                "it is prepared in repository '%s'; suspend it there or give it up with "
                "'foresnap prepare --abort'",
                h->repo);
    return false;
}

static void
do_request(Holder *h, const char *command, const char *repo)
{
    g_autoptr(GError) error = NULL;

    if (g_str_equal(command, "finish") && !check_repo(h, repo, &error)) {
        answer(h, fsn_holder_error_message(error));
    } else if (g_str_equal(command, "finish")) {
        do_finish(h);
    } else if (g_str_equal(command, "abort")) {
        h->over = true;
        g_clear_pointer(&h->run, fsn_suspend_run_free);
        answer(h, fsn_holder_result_message(json_object_new()));
    } else if (g_str_equal(command, "status")) {
        JsonObject *o = json_object_new();

        json_object_set_int_member(
            o, "hold_left_s",
            MAX(0, (h->deadline_us - fsn_monotonic_us()) / G_USEC_PER_SEC));
        answer(h, fsn_holder_result_message(o));
    } else {
        g_set_error(&error, FSN_ERROR, FSN_ERROR_USAGE, "unknown command '%s'", command);
        answer(h, fsn_holder_error_message(error));
    }
}

static void
serve_client(Holder *h)
{
    g_autoptr(JsonObject) request = NULL;
    g_autoptr(GError) error = NULL;
    const char *command;

    h->client_fd = accept4(h->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (h->client_fd < 0) {
        return;
    }
    if (fsn_holder_receive(h->client_fd, REQUEST_TIMEOUT_MS, &request, &error) &&
        fsn_json_get_string(request, "command", &command, &error)) {
        do_request(h, command, fsn_json_peek_string(request, "repo", ""));
    } else {
        answer(h, fsn_holder_error_message(error));
    }
    if (h->client_fd >= 0) {
        close(h->client_fd);
        h->client_fd = -1;
    }
}

static bool
serve(Holder *h, GError **error)
{
    while (!h->over && fsn_monotonic_us() < h->deadline_us) {
        struct pollfd p[2] = { { .fd = h->listen_fd, .events = POLLIN },
                               { .fd = fsn_suspend_run_fd(h->run), .events = POLLIN } };
        int rc = poll(p, 2, LOOK_MS);

        if (rc < 0 && errno != EINTR) {
            return fsn_set_errno(error, errno, "cannot wait for requests");
        }
        if (!fsn_suspend_run_idle(h->run, 0, error)) {
            return false;
        }
        if (rc > 0 && (p[0].revents & POLLIN)) {
            serve_client(h);
        }
    }
    return true;
}

/* Listens before it says that it holds, so that the next command finds it. */
static bool
prepare(Holder *h,
        FsnCycle *cycle,
        const char *domain,
        const FsnSuspendOptions *options,
        GError **error)
{
    g_auto(FsnPrepareResult) result = { 0 };
    JsonObject *o;

    h->run = fsn_suspend_run_new(cycle, domain, options, error);
    if (!h->run || !fsn_suspend_run_prepare(h->run, &result, error)) {
        return false;
    }
    h->path =
        fsn_holder_socket_path(fsn_cycle_state_dir(cycle), fsn_suspend_run_uuid(h->run));
    h->listen_fd = listen_at(h->path, error);
    if (h->listen_fd < 0) {
        return false;
    }
    h->deadline_us = fsn_monotonic_us() + result.hold_s * G_USEC_PER_SEC;
    o = json_object_new();
    json_object_set_string_member(o, "domain", result.domain);
    json_object_set_int_member(o, "total_us", result.total_us);
    json_object_set_int_member(o, "bytes_read", (int64_t)result.bytes_read);
    json_object_set_int_member(o, "bytes_stored", (int64_t)result.bytes_stored);
    json_object_set_int_member(o, "hold_s", result.hold_s);
    answer(h, fsn_holder_result_message(o));
    return true;
}

bool
fsn_holder_main(FsnCycle *cycle,
                const char *domain,
                const FsnSuspendOptions *options,
                int report_fd,
                GError **error)
{
    Holder h = { .repo = fsn_cycle_repo_location(cycle),
                 .listen_fd = -1,
                 .client_fd = report_fd };
    g_autoptr(GError) local = NULL;
    bool ok;

    signal(SIGPIPE, SIG_IGN);
    fsn_cycle_set_progress(cycle, on_progress, &h);
    ok = prepare(&h, cycle, domain, options, &local);
    if (!ok) {
        g_clear_pointer(&h.run, fsn_suspend_run_free);
        answer(&h, fsn_holder_error_message(local));
    }
    if (h.client_fd >= 0) {
        close(h.client_fd);
        h.client_fd = -1;
    }
    ok = ok && serve(&h, &local);
    g_clear_pointer(&h.run, fsn_suspend_run_free);
    if (h.listen_fd >= 0) {
        close(h.listen_fd);
        (void)unlink(h.path); /* a left-over socket file is taken for a dead holder's */
    }
    g_free(h.path);
    if (!ok) {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return ok;
}
