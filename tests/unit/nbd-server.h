/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* An NBD server of the test's own on a socket in a folder of its own; both nbdkit and qemu-nbd
 * can be it. It ends with the test, also when that crashes. */
typedef struct {
    pid_t pid; /* 0 once it was waited for */
    char *dir;
    char *path; /* of the socket */
} TestNbd;

/* Starts PROGRAM with ARGUMENTS (null-terminated). The socket takes connections when this
 * returns. */
TestNbd *test_nbd_new(const char *program, ...) G_GNUC_NULL_TERMINATED;
void test_nbd_free(TestNbd *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestNbd, test_nbd_free)

/* SIGKILL, and waits for the end. */
void test_nbd_kill(TestNbd *server);

/* Whether all of these programs (null-terminated) are installed; else skips the test. */
bool test_have(const char *program, ...) G_GNUC_NULL_TERMINATED;

/* Runs a command line that has to succeed. */
void test_run(const char *format, ...) G_GNUC_PRINTF(1, 2);

G_END_DECLS
