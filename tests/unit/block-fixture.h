/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qemu-process.h"

G_BEGIN_DECLS

#define TEST_DISK_SIZE ((size_t)16 << 20)

/* Two disks of a guest and what they hold at the beginning: 0x11 in their first half. */
typedef struct {
    const char *node; /* "disk-a" (qcow2, virtio-blk), "disk-b" (raw, SCSI) */
    const char *qdev; /* for test_block_write() */
    char *path;
    char *expected; /* raw file for the test to keep up with what it writes */
} TestDisk;

typedef struct {
    TestQemu *qemu;
    FsnQmp *qmp;
    char *dir;
    char *socket; /* of test_block_listen() */
    TestDisk disks[2];
} TestBlock;

/* A stopped QEMU with both disks; NULL, and the test is skipped, without QEMU or qemu-img. */
TestBlock *test_block_new(void);
void test_block_free(TestBlock *block);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestBlock, test_block_free)

/* The guest's device of disk @i writes @len bytes of @pattern at @offset; with @expect the
 * same is written to its expected file. Both multiples of 512. */
void test_block_write(
    TestBlock *block, int i, unsigned pattern, size_t offset, size_t len, bool expect);

/* A file without a name, formatted as empty qcow2 image of the size of the disks by path of
 * its descriptor; the caller closes it. */
int test_block_scratch_fd(TestBlock *block);
/* Adds it to QEMU as @node over disk @i, with nothing else left in QEMU. */
void test_block_add_scratch(TestBlock *block, int i, const char *node);

/* A listening socket, given to QEMU as @fdname. */
void test_block_listen(TestBlock *block, const char *fdname);

/* Runs a program to its end, with @fd (-1: none) as its descriptor 3. True if it exits with 0.
 * *@out_output (may be NULL) is what it writes to its standard output. */
bool test_run(const char *const *argv, int fd, char **out_output);

G_END_DECLS
