/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap-job STATE_DIR, with the record of a job on standard input: the keeper of one job. It
 * leaves the session of whoever started it, waits until there is room, runs the command with
 * its output in files, and writes down how it ended. Asked to stop (SIGTERM) it asks the
 * command, and kills it after its grace; what that leaves undone is for guards and recovery.
 * If the keeper itself is killed the command goes on, and is "lost" when it has ended.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "jobs/progress.h"
#include "jobs/record.h"
#include "jobs/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_FOR_ROOM_MS 100

typedef struct {
    const char *state_dir;
    FsnJobRecord *record;
    FsnJobSlots *slots; /* NULL: no limit */
    GMainLoop *loop;
    GPid pid; /* 0: the command does not run */
} Keeper;

/* Nobody listens any more: what cannot be written shows as a lost job. */
static void
write_record(Keeper *k)
{
    (void)!fsn_job_record_write(k->record, k->state_dir, NULL);
}

static void
end(Keeper *k, FsnJobState state)
{
    k->record->job->state = state;
    k->record->job->ended_us = fsn_realtime_us();
    write_record(k);
    g_main_loop_quit(k->loop);
}

static void
on_end(GPid pid, gint status, gpointer user)
{
    Keeper *k = user;
    FsnJob *job = k->record->job;

    g_spawn_close_pid(pid);
    k->pid = 0;
    if (WIFEXITED(status)) {
        job->exit_status = WEXITSTATUS(status);
    } else {
        job->signal = WTERMSIG(status);
    }
    if (job->exit_status == 0) {
        end(k, FSN_JOB_DONE);
    } else {
        end(k, job->cancel_us > 0 ? FSN_JOB_CANCELLED : FSN_JOB_FAILED);
    }
}

static int
open_output(Keeper *k, const char *suffix)
{
    g_autofree char *path = fsn_job_file(k->state_dir, k->record->job->id, suffix);

    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* Leaves the reason where the command's own words would be. */
static void
complain(Keeper *k, const char *message)
{
    g_autofree char *path = fsn_job_file(k->state_dir, k->record->job->id, "err");
    g_autofree char *line = g_strconcat(message, "\n", NULL);

    (void)g_file_set_contents(path, line, -1, NULL);
}

static bool
spawn(Keeper *k, GError **error)
{
    g_autofree char *progress =
        fsn_job_file(k->state_dir, k->record->job->id, "progress");
    g_auto(GStrv) environment = g_get_environ();
    int out = open_output(k, "out");
    int err = open_output(k, "err");
    bool ok;

    environment = g_environ_setenv(environment, FSN_JOB_PROGRESS, progress, TRUE);
    ok = out >= 0 && err >= 0
             ? g_spawn_async_with_fds(NULL, k->record->job->argv, environment,
                                      G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &k->pid, -1,
                                      out, err, error)
             : fsn_set_errno(error, errno, "cannot keep its output");
    if (out >= 0) {
        close(out);
    }
    if (err >= 0) {
        close(err);
    }
    return ok;
}

static void
run_command(Keeper *k)
{
    g_autoptr(GError) error = NULL;

    if (!spawn(k, &error)) {
        complain(k, error->message);
        end(k, FSN_JOB_FAILED);
        return;
    }
    k->record->job->state = FSN_JOB_RUNNING;
    k->record->job->started_us = fsn_realtime_us();
    k->record->process = fsn_process_id(k->pid);
    write_record(k);
    g_child_watch_add(k->pid, on_end, k);
}

static gboolean
look_for_room(gpointer user)
{
    Keeper *k = user;
    g_autoptr(GError) error = NULL;
    bool taken = false;

    if (!fsn_job_slots_try(k->slots, &taken, &error)) {
        complain(k, error->message);
        end(k, FSN_JOB_FAILED);
        return G_SOURCE_REMOVE;
    }
    if (taken) {
        run_command(k);
    }
    return taken ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean
on_grace_over(gpointer user)
{
    Keeper *k = user;

    if (k->pid > 0) {
        kill(k->pid, SIGKILL);
    }
    return G_SOURCE_REMOVE;
}

static gboolean
on_term(gpointer user)
{
    Keeper *k = user;

    if (k->record->job->cancel_us > 0) {
        return G_SOURCE_CONTINUE;
    }
    k->record->job->cancel_us = fsn_realtime_us();
    if (k->pid == 0) {
        end(k, FSN_JOB_CANCELLED);
        return G_SOURCE_CONTINUE;
    }
    write_record(k);
    /* not yet waited for, so the number is still its own */
    kill(k->pid, SIGTERM);
    g_timeout_add_seconds(k->record->grace_s, on_grace_over, k);
    return G_SOURCE_CONTINUE;
}

/* The whole of standard input. */
static FsnJobRecord *
read_record(GError **error)
{
    g_autofree char *text = g_malloc(FSN_JOB_MAX_RECORD + 1);
    FsnJobRecord *record = NULL;
    size_t len = 0;
    ssize_t n;

    do {
        n = TEMP_FAILURE_RETRY(
            read(STDIN_FILENO, text + len, FSN_JOB_MAX_RECORD + 1 - len));
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && len <= FSN_JOB_MAX_RECORD);
    return fsn_job_record_parse(text, len, &record, error) ? record : NULL;
}

/* Lists the job, and lets go of whoever started it. */
static bool
announce(Keeper *k, GError **error)
{
    int null_fd;

    k->record->boot_id = fsn_boot_id();
    k->record->keeper = fsn_process_id(getpid());
    k->record->job->state = FSN_JOB_QUEUED;
    if (!fsn_job_record_write(k->record, k->state_dir, error)) {
        return false;
    }
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(null_fd, STDERR_FILENO) < 0) {
        return fsn_set_errno(error, errno, "cannot open /dev/null");
    }
    (void)!write(STDOUT_FILENO, "ready\n", 6); /* who has gone needs no answer */
    dup2(null_fd, STDOUT_FILENO);
    close(null_fd);
    return true;
}

static void
work(Keeper *k)
{
    g_autofree char *folder = fsn_jobs_folder(k->state_dir);

    k->loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, on_term, k);
    if (k->record->parallel > 0) {
        k->slots = fsn_job_slots_new(folder, k->record->parallel);
        if (look_for_room(k) == G_SOURCE_CONTINUE) {
            g_timeout_add(LOOK_FOR_ROOM_MS, look_for_room, k);
        }
    } else {
        run_command(k);
    }
    if (!fsn_job_has_ended(k->record->job)) {
        g_main_loop_run(k->loop);
    }
    fsn_job_slots_free(k->slots);
    g_main_loop_unref(k->loop);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnJobRecord) record = NULL;
    Keeper k = { .state_dir = argc == 2 ? argv[1] : NULL };

    if (!k.state_dir) {
        fputs("foresnap-job is started by foresnap, not by hand\n", stderr);
        return 2;
    }
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    /* Fails only where it leads a group already, as from a shell by hand. */
    (void)setsid();
    record = read_record(&error);
    k.record = record;
    if (!record || !announce(&k, &error)) {
        printf("%s\n", error->message);
        return 1;
    }
    work(&k);
    return 0;
}
