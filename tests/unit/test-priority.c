/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/disk/priority.c: for a thread and those it starts, and nobody else. */
#include "config.h"

#include "disk/priority.h"

#include <errno.h>
#include <glib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WHO_PROCESS 1
#define LOWEST      (2 << 13 | 7) /* best effort, level 7 */

typedef struct {
    int nice, io;
} Priority;

static Priority
own_priority(void)
{
    return (Priority){
        .nice = getpriority(PRIO_PROCESS, 0),
        .io = (int)syscall(SYS_ioprio_get, WHO_PROCESS, 0),
    };
}

static gpointer
child(gpointer data)
{
    *(Priority *)data = own_priority();
    return NULL;
}

static gpointer
lowered(gpointer data)
{
    Priority *found = data;

    fsn_lower_priority();
    found[0] = own_priority();
    g_thread_join(g_thread_new("child", child, &found[1]));
    return NULL;
}

static void
test_inherited(void)
{
    Priority before = own_priority(), found[2], after;

    g_thread_join(g_thread_new("lowered", lowered, found));
    after = own_priority();
    for (unsigned i = 0; i < G_N_ELEMENTS(found); i++) {
        g_assert_cmpint(found[i].nice, >=, 10);
        g_assert_cmpint(found[i].io, ==, LOWEST);
    }
    g_assert_cmpint(after.nice, ==, before.nice);
    g_assert_cmpint(after.io, ==, before.io);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/priority/inherited", test_inherited);
    return g_test_run();
}
