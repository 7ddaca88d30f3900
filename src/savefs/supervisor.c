/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watchdog. Whoever asks for a file of a file system waits for its server, without limit,
 * and libvirtd holds the domain meanwhile; so a worker that makes no progress is ended, which
 * ends the waiting, and another one is started. Between the two each saved domain has its
 * guard. This process never touches the file system that it watches.
 */
#include "config.h"

#include "base/error.h"
#include "savefs/savefs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS        500000000l
/* Ticks without progress: 5 s of the loop, 60 s of what waits for disks. */
#define STUCK_TICKS    10u
#define STUCK_JOB      120u
#define BACKOFF_TICKS  2
#define EXIT_TEMPORARY 75

typedef struct {
    uint64_t loops;
    uint64_t jobs;
    guint same_loops;
    guint same_jobs;
} Seen;

/* Counts ticks, not time: after this process has been stopped itself, nobody is to blame. */
static bool
is_stuck(FsnSavefsBeat *beat, Seen *seen)
{
    uint64_t loops = atomic_load(&beat->loops);
    uint64_t jobs = atomic_load(&beat->jobs);

    seen->same_loops = loops == seen->loops ? seen->same_loops + 1 : 0;
    seen->same_jobs =
        jobs == seen->jobs && atomic_load(&beat->working) ? seen->same_jobs + 1 : 0;
    seen->loops = loops;
    seen->jobs = jobs;
    return seen->same_loops >= STUCK_TICKS || seen->same_jobs >= STUCK_JOB;
}

static void
watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

/* Waits for one tick at most; true if it is to stop. */
static bool
tick(void)
{
    const struct timespec limit = { .tv_nsec = TICK_NS };
    sigset_t set;
    int number;

    watched_signals(&set);
    number = sigtimedwait(&set, NULL, &limit);
    return number == SIGTERM || number == SIGINT;
}

static pid_t
fork_worker(const FsnSavefsConfig *config, FsnSavefsBeat *beat, int ready_fd, int lock_fd)
{
    pid_t pid;
    sigset_t set;

    atomic_store(&beat->working, false);
    pid = fork();
    if (pid != 0) {
        return pid;
    }
    watched_signals(&set);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    close(lock_fd); /* it is the supervisor's: without one there shall be another */
    _exit(fsn_savefs_work(config, beat, ready_fd));
}

/* Until the worker has ended; *@stop: that was wanted. */
static int
watch(const FsnSavefsConfig *config, FsnSavefsBeat *beat, pid_t worker, bool *stop)
{
    Seen seen = { 0 };
    int status = 0;

    while (waitpid(worker, &status, WNOHANG) == 0) {
        if (tick()) {
            *stop = true;
            (void)kill(worker, SIGTERM);
        }
        if (is_stuck(beat, &seen)) {
            g_message("the server makes no progress and is ended");
            fsn_savefs_unmount_all(config);
            (void)kill(worker, SIGKILL);
            (void)waitpid(worker, &status, 0);
            break;
        }
    }
    return status;
}

static int
run(const FsnSavefsConfig *config, FsnSavefsBeat *beat, int ready_fd, int lock_fd)
{
    bool stop = false;

    for (;;) {
        g_autoptr(GError) error = NULL;
        uint64_t jobs = atomic_load(&beat->jobs);
        pid_t worker;
        int status;

        fsn_savefs_unmount_all(config);
        if (!fsn_savefs_prepare(config, &error)) {
            g_message("%s", error->message);
            return 1;
        }
        worker = fork_worker(config, beat, ready_fd, lock_fd);
        if (worker < 0) {
            return 1;
        }
        if (ready_fd >= 0) {
            close(ready_fd); /* only the first one tells */
        }
        status = watch(config, beat, worker, &stop);
        fsn_savefs_unmount_all(config);
        /* The first one that did not even begin has told why. */
        if (stop || (ready_fd >= 0 && jobs == atomic_load(&beat->jobs))) {
            return stop ? 0 : 1;
        }
        ready_fd = -1;
        g_message("the server ended with status 0x%x and is started again", status);
        for (int i = 0; i < BACKOFF_TICKS && !stop; i++) {
            stop = tick();
        }
    }
}

static int
take_lock(const FsnSavefsConfig *config)
{
    g_autofree char *path = g_build_filename(config->state_dir, "savefs.lock", NULL);
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0 && (ftruncate(fd, 0) != 0 ||
                    write(fd, text, strlen(text)) != (ssize_t)strlen(text))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int
fsn_savefs_supervise(const FsnSavefsConfig *config, int ready_fd)
{
    FsnSavefsBeat *beat = mmap(NULL, sizeof *beat, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int lock_fd = take_lock(config);
    sigset_t set;
    int status;

    if (lock_fd < 0 || beat == MAP_FAILED) {
        g_message("another server is running");
        return EXIT_TEMPORARY;
    }
    watched_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    status = run(config, beat, ready_fd, lock_fd);
    fsn_savefs_unprepare(config);
    (void)munmap(beat, sizeof *beat);
    close(lock_fd);
    return status;
}
