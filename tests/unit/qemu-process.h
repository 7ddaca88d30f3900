/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

#include <sys/types.h>

G_BEGIN_DECLS

/* A QEMU of the test's own, with its QMP socket in a folder of its own. It ends with the test,
 * also when that crashes. */
typedef struct {
    pid_t pid; /* 0 once it was waited for */
    char *dir;
    char *path; /* QMP server socket */
} TestQemu;

/* Starts qemu-system-x86_64 stopped (-S), without devices, under software emulation, with
 * @arguments added. The socket takes connections when this returns. If there is no such
 * program the test is marked skipped and NULL returned. */
TestQemu *test_qemu_new(const char *const *arguments);
void test_qemu_free(TestQemu *qemu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestQemu, test_qemu_free)

/* SIGKILL, and waits for the end. */
void test_qemu_kill(TestQemu *qemu);

/* Connects and negotiates; a failure ends the test. QEMU serves one client at a time. */
FsnQmpTransport *test_qemu_connect(TestQemu *qemu);
FsnQmp *test_qemu_session(TestQemu *qemu);

G_END_DECLS
