/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/disk-identity.c: an untouched disk passes; every way of touching it is noticed. */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/disk-identity.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *dir;
    char *path;
    JsonObject *record;
} Fixture;

/* File times advance in ticks of some milliseconds: waits for the next one. */
static void
wait_for_tick(Fixture *f)
{
    g_autofree char *probe = g_build_filename(f->dir, "probe", NULL);
    struct stat disk;
    struct stat now;

    g_assert_cmpint(stat(f->path, &disk), ==, 0);
    do {
        g_assert_true(fsn_file_replace(probe, "x", 1, 0600, NULL));
        g_assert_cmpint(stat(probe, &now), ==, 0);
    } while (now.st_ctim.tv_sec == disk.st_ctim.tv_sec &&
             now.st_ctim.tv_nsec == disk.st_ctim.tv_nsec);
    g_assert_cmpint(g_unlink(probe), ==, 0);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("fsn-disk-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "disk", NULL);
    g_assert_true(fsn_file_replace(f->path, "0123456789", 10, 0600, NULL));
    g_assert_true(fsn_disk_identity_record("vda", f->path, true, &f->record, NULL));
    wait_for_tick(f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    json_object_unref(f->record);
    g_unlink(f->path);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
    g_free(f->path);
}

static void
assert_noticed(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_disk_identity_check(f->record, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
    g_assert_nonnull(strstr(error->message, f->path));
}

static void
test_untouched(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_disk_identity_check(f->record, &error));
    g_assert_no_error(error);
}

static void
test_written(Fixture *f, gconstpointer data)
{
    int fd = open(f->path, O_WRONLY);

    g_assert_cmpint(pwrite(fd, "x", 1, 3), ==, 1);
    close(fd);
    assert_noticed(f);
}

/* Times put back by hand still leave the change time. */
static void
test_written_with_old_times(Fixture *f, gconstpointer data)
{
    struct stat st;
    struct timespec times[2];
    int fd = open(f->path, O_WRONLY);

    g_assert_cmpint(fstat(fd, &st), ==, 0);
    g_assert_cmpint(pwrite(fd, "x", 1, 3), ==, 1);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    g_assert_cmpint(futimens(fd, times), ==, 0);
    close(fd);
    assert_noticed(f);
}

static void
test_replaced(Fixture *f, gconstpointer data)
{
    g_assert_true(fsn_file_replace(f->path, "0123456789", 10, 0600, NULL));
    assert_noticed(f);
}

static void
test_gone(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_unlink(f->path), ==, 0);
    g_assert_false(fsn_disk_identity_check(f->record, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

/* Before QEMU ends only the contents count: libvirt still changes owner and labels. */
static void
test_before_end(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) record = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_disk_identity_record("vda", f->path, false, &record, NULL));
    g_assert_false(json_object_has_member(record, "ctime_ns"));
    g_assert_cmpint(chmod(f->path, 0640), ==, 0);
    g_assert_true(fsn_disk_identity_check(record, &error));
    g_assert_no_error(error);
    assert_noticed(f);
}

static char *
attach_loop(const char *path)
{
    g_autofree char *command = g_strdup_printf("losetup -f --show '%s'", path);
    char *device = NULL;
    int status = 0;

    if (!g_spawn_command_line_sync(command, &device, NULL, &status, NULL) ||
        status != 0) {
        g_free(device);
        return NULL;
    }
    return g_strchomp(device);
}

/* A device has no times that tell of writes: its contents are sampled, both ends included. */
static void
test_block(Fixture *f, gconstpointer data)
{
    static const off_t size = 8 << 20;
    static const off_t written[] = { 0, size / 2, size - 1 };
    g_autofree char *device = NULL;
    g_autofree char *detach = NULL;
    int fd;

    g_assert_cmpint(truncate(f->path, size), ==, 0);
    device = attach_loop(f->path);
    if (!device) {
        g_test_skip(geteuid() ? "root is needed for a loop device" : "no loop device");
        return;
    }
    /* It lasts as long as somebody has it open, however this ends. */
    fd = open(device, O_WRONLY);
    detach = g_strdup_printf("losetup -d %s", device);
    g_assert_true(g_spawn_command_line_sync(detach, NULL, NULL, NULL, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(written); i++) {
        g_autoptr(JsonObject) record = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_true(fsn_disk_identity_record("vda", device, true, &record, NULL));
        g_assert_true(fsn_disk_identity_check(record, NULL));
        g_assert_cmpint(pwrite(fd, "y", 1, written[i]), ==, 1);
        g_assert_false(fsn_disk_identity_check(record, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
        g_assert_nonnull(strstr(error->message, device));
    }
    close(fd);
}

static void
test_unseen(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonArray) records = json_array_new();
    g_autofree char *unseen = NULL;

    json_array_add_object_element(records, json_object_ref(f->record));
    g_assert_null(fsn_disk_identity_unseen(records));
    json_array_add_object_element(records, fsn_disk_identity_opaque("vdb", "network"));
    json_array_add_object_element(records, fsn_disk_identity_opaque("vdc", "volume"));
    unseen = fsn_disk_identity_unseen(records);
    g_assert_cmpstr(unseen, ==, "vdb, vdc");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/disk-identity/untouched", Fixture, NULL, set_up, test_untouched,
               tear_down);
    g_test_add("/disk-identity/written", Fixture, NULL, set_up, test_written, tear_down);
    g_test_add("/disk-identity/written-with-old-times", Fixture, NULL, set_up,
               test_written_with_old_times, tear_down);
    g_test_add("/disk-identity/replaced", Fixture, NULL, set_up, test_replaced,
               tear_down);
    g_test_add("/disk-identity/gone", Fixture, NULL, set_up, test_gone, tear_down);
    g_test_add("/disk-identity/before-end", Fixture, NULL, set_up, test_before_end,
               tear_down);
    g_test_add("/disk-identity/block", Fixture, NULL, set_up, test_block, tear_down);
    g_test_add("/disk-identity/unseen", Fixture, NULL, set_up, test_unseen, tear_down);
    return g_test_run();
}
