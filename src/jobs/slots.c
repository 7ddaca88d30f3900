/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots. Who waits first takes the door, and only who has the door looks for room: so one
 * looks at a time, and later ones cannot pass by. Lock files stay, as those of domains do. */
#include "config.h"

#include "jobs/slots.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

struct FsnJobSlots {
    char *folder;
    unsigned parallel;
    int door; /* -1: not taken */
    int slot;
};

FsnJobSlots *
fsn_job_slots_new(const char *folder, unsigned parallel)
{
    FsnJobSlots *slots = g_new0(FsnJobSlots, 1);

    slots->folder = g_strdup(folder);
    slots->parallel = parallel;
    slots->door = slots->slot = -1;
    return slots;
}

static void
let_go(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void
fsn_job_slots_free(FsnJobSlots *slots)
{
    if (!slots) {
        return;
    }
    let_go(&slots->door);
    let_go(&slots->slot);
    g_free(slots->folder);
    g_free(slots);
}

/* *@out_fd is -1 if somebody else has it. */
static bool
try_lock(const char *folder, const char *name, int *out_fd, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int errnum;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open the lock '%s'", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *out_fd = fd;
        return true;
    }
    errnum = errno;
    close(fd);
    *out_fd = -1;
    return errnum == EWOULDBLOCK ||
           fsn_set_errno(error, errnum, "cannot lock '%s'", path);
}

bool
fsn_job_slots_try(FsnJobSlots *slots, bool *out_taken, GError **error)
{
    if (slots->door < 0 && !try_lock(slots->folder, "door.lock", &slots->door, error)) {
        return false;
    }
    for (unsigned i = 0; slots->door >= 0 && slots->slot < 0 && i < slots->parallel;
         i++) {
        g_autofree char *name = g_strdup_printf("slot-%u.lock", i);

        if (!try_lock(slots->folder, name, &slots->slot, error)) {
            return false;
        }
    }
    if (slots->slot >= 0) {
        let_go(&slots->door);
    }
    *out_taken = slots->slot >= 0;
    return true;
}
