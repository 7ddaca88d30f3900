/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that serves. It ends when its supervisor does, when it is told to and nobody has
 * a file open, and when somebody has unmounted it; what is saved is guarded then.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "savefs/ops.h"
#include "savefs/savefs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TICK_MS       500
#define READ_EVENTS   4096u
/* How long an open file keeps it from ending when it is told to. */
#define STOP_LIMIT_US (60 * (int64_t)G_USEC_PER_SEC)

static volatile sig_atomic_t stop_asked;

static void
on_signal(int number G_GNUC_UNUSED)
{
    stop_asked = 1;
}

static struct fuse_session *
mount_session(FsnSavefs *fs)
{
    char *argv[] = { (char *)"foresnap-savefs", (char *)"-o",
                     (char *)"fsname=foresnap,subtype=foresnap,allow_other", NULL };
    struct fuse_args args = FUSE_ARGS_INIT(3, argv);
    struct fuse_session *session =
        fuse_session_new(&args, &fsn_savefs_ops, sizeof fsn_savefs_ops, fs);

    fuse_opt_free_args(&args);
    if (!session) {
        return NULL;
    }
    if (fuse_session_mount(session, fs->config->run_dir) != 0) {
        fuse_session_destroy(session);
        return NULL;
    }
    /* A request that was taken back between poll and read must not make us wait. */
    (void)fcntl(fuse_session_fd(session), F_SETFL,
                fcntl(fuse_session_fd(session), F_GETFL) | O_NONBLOCK);
    return session;
}

/* True as long as there may be more. */
static bool
serve_one(struct fuse_session *session, struct fuse_buf *buffer)
{
    int n = fuse_session_receive_buf(session, buffer);

    if (n == -EINTR || n == -EAGAIN) {
        return true;
    }
    if (n <= 0) {
        return false;
    }
    fuse_session_process_buf(session, buffer);
    return !fuse_session_exited(session);
}

static bool
shall_stop(FsnSavefs *fs, int64_t *since_us)
{
    g_autoptr(GMutexLocker) locker = NULL;

    if (!stop_asked) {
        return false;
    }
    if (*since_us == 0) {
        *since_us = fsn_monotonic_us();
    }
    locker = g_mutex_locker_new(&fs->lock);
    return !fsn_savefs_in_use(fs) || fsn_monotonic_us() - *since_us > STOP_LIMIT_US;
}

/* Tells when somebody else makes or removes a record: foresnap suspends and resumes too. */
static int
watch_records(FsnSavefs *fs)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (fd >= 0 &&
        inotify_add_watch(fd, fs->config->saved_dir, IN_MOVED_TO | IN_DELETE) < 0) {
        close(fd);
        fd = -1; /* it is found out a second later */
    }
    return fd;
}

static void
on_records(FsnSavefs *fs, int fd)
{
    char events[READ_EVENTS];

    while (read(fd, events, sizeof events) > 0) {
    }
    fsn_savefs_upkeep_wake(fs);
}

/* Returns whether it ended as it was told to. */
static bool
loop(FsnSavefs *fs, struct fuse_session *session, int mounts_fd, int records_fd)
{
    struct fuse_buf buffer = { 0 };
    struct pollfd fds[] = { { .fd = fuse_session_fd(session), .events = POLLIN },
                            { .fd = mounts_fd, .events = POLLPRI },
                            { .fd = records_fd, .events = POLLIN } };
    int64_t stop_since_us = 0;
    bool more = true;

    while (more && !shall_stop(fs, &stop_since_us)) {
        int n;

        atomic_fetch_add(&fs->beat->loops, 1);
        n = poll(fds, G_N_ELEMENTS(fds), TICK_MS);
        if (n > 0 && fds[0].revents) {
            more = serve_one(session, &buffer);
        }
        /* The kernel keeps the connection while QEMU's own mounts have it. */
        if (n > 0 && fds[1].revents && !fsn_savefs_mounted(fs->config->run_dir)) {
            g_message("'%s' was unmounted", fs->config->run_dir);
            more = false;
        }
        if (n > 0 && fds[2].revents) {
            on_records(fs, records_fd);
        }
    }
    free(buffer.mem);
    return more;
}

static bool
serve(FsnSavefs *fs, struct fuse_session *session)
{
    GThread *upkeep = fsn_savefs_upkeep_start(fs);
    int mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    int records_fd = watch_records(fs);
    bool asked = loop(fs, session, mounts_fd, records_fd);

    if (!asked) {
        /* Upkeep may wait for an answer that nobody gives: the connection has to end. */
        return false;
    }
    fsn_savefs_upkeep_stop(fs, upkeep);
    close(mounts_fd);
    if (records_fd >= 0) {
        close(records_fd);
    }
    return true;
}

/* A supervisor that died before we could ask for the signal is no supervisor. */
static void
watch_parent(void)
{
    pid_t parent = getppid();

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
}

int
fsn_savefs_work(const FsnSavefsConfig *config, FsnSavefsBeat *beat, int ready_fd)
{
    struct sigaction action = { .sa_handler = on_signal };
    FsnSavefs fs = { .config = config, .beat = beat, .ready_fd = ready_fd };
    struct fuse_session *session;
    g_autoptr(GError) error = NULL;

    watch_parent();
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    fs.entries = g_ptr_array_new();
    fs.jobs = g_async_queue_new();
    fs.cycle = fsn_cycle_new(config->uri, config->repo, config->state_dir, &error);
    if (!fs.cycle || !fsn_cycle_storing_repo(fs.cycle, &error)) {
        g_message("%s", error->message);
        return 1;
    }
    session = mount_session(&fs);
    if (!session) {
        g_message("cannot mount at '%s'; is there a /dev/fuse?", config->run_dir);
        return 1;
    }
    if (!serve(&fs, session)) {
        _exit(1); /* the kernel ends what is under way */
    }
    fuse_session_unmount(session);
    fuse_session_destroy(session);
    fsn_cycle_free(fs.cycle);
    return 0;
}
