/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a thread give way to guests. Not the idle class of I/O: a snapshot that never
 * ends on a busy host would hold its scratch files for ever.
 */
#include "config.h"

#include "disk/priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICE 10

/* <linux/ioprio.h>, which not every release installs. */
#define IOPRIO_WHO_PROCESS  1
#define IOPRIO_BEST_EFFORT  2
#define IOPRIO_CLASS_SHIFT  13
#define IOPRIO_LOWEST_LEVEL 7

void
fsn_lower_priority(void)
{
    /* For Linux a thread is a process here. A refusal only makes us less polite. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    /* Niceness counts within a session or control group only, and QEMU is in another one. This
     * counts everywhere: we never take the processor from a guest that has just woken up. */
    (void)sched_setscheduler(0, SCHED_BATCH, &(const struct sched_param){ 0 });
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
                  IOPRIO_BEST_EFFORT << IOPRIO_CLASS_SHIFT | IOPRIO_LOWEST_LEVEL);
}
