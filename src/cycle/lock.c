/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock of a domain in a repository. Lock files stay: removing them would let two
 * processes hold "the" lock of two different files. */
#include "config.h"

#include "cycle/lock.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct FsnLock {
    int fd;
};

static int
open_lock(const char *state_dir, const char *repo, const char *uuid, GError **error)
{
    g_autofree char *name = g_strdup_printf("%s-%016" G_GINT64_MODIFIER "x.lock", uuid,
                                            fsn_hash64(repo, strlen(repo)));
    g_autofree char *path = g_build_filename(state_dir, name, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        fsn_set_errno(error, errno, "cannot open lock '%s'", path);
    }
    return fd;
}

FsnLock *
fsn_lock_take(const char *state_dir,
              const char *repo,
              const char *uuid,
              int wait_ms,
              GError **error)
{
    int fd = open_lock(state_dir, repo, uuid, error);
    int64_t deadline = fsn_monotonic_us() + (int64_t)wait_ms * 1000;
    FsnLock *lock;

    if (fd < 0) {
        return NULL;
    }
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            fsn_set_errno(error, errno, "cannot lock domain %s", uuid);
            close(fd);
            return NULL;
        }
        if (fsn_monotonic_us() >= deadline) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                        "another foresnap operation is under way on this domain; "
                        "'foresnap status' shows it");
            close(fd);
            return NULL;
        }
        g_usleep(5000); /* flock has no wait with a time limit */
    }
    lock = g_new0(FsnLock, 1);
    lock->fd = fd;
    return lock;
}

void
fsn_lock_release(FsnLock *lock)
{
    if (lock) {
        close(lock->fd);
        g_free(lock);
    }
}

bool
fsn_lock_is_held(const char *state_dir, const char *repo, const char *uuid)
{
    int fd = open_lock(state_dir, repo, uuid, NULL);
    bool held;

    if (fd < 0) {
        return false;
    }
    held = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}

int
fsn_lock_fd(FsnLock *lock)
{
    return lock->fd;
}
