/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/qemu-threads.c: only the QEMU of the domain is believed; whatever else lies in the
 * folders is passed over. The folders are made, and once they are the kernel's. */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "cycle/pending-io.h"
#include "cycle/qemu-threads.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define UUID  "11111111-2222-3333-4444-555555555555"
#define OTHER "99999999-2222-3333-4444-555555555555"

#define STATUS(state, voluntary, involuntary)                                \
    "Name:\tworker\nState:\t" state "\nvoluntary_ctxt_switches:\t" voluntary \
    "\nnonvoluntary_ctxt_switches:\t" involuntary "\n"

/* A string with NULs in it, and its length with the last one. */
#define ARGUMENTS(text) (text), sizeof(text)

typedef struct {
    char *proc;
    char *pid_file;
} Fixture;

static void
write_file(Fixture *f, const char *path, const void *data, size_t len)
{
    g_autofree char *full = g_build_filename(f->proc, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);

    g_assert_true(fsn_mkdirs(folder, 0700, NULL));
    g_assert_true(fsn_file_replace(full, data, len, 0600, NULL));
}

static void
write_text(Fixture *f, const char *path, const char *text)
{
    write_file(f, path, text, strlen(text));
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->proc = g_dir_make_tmp("fsn-proc-XXXXXX", NULL);
    f->pid_file = g_build_filename(f->proc, "one.pid", NULL);
    write_text(f, "one.pid", "110");
    write_file(f, "110/cmdline",
               ARGUMENTS("qemu\0-name\0guest=one\0-uuid\0" UUID "\0-S"));
    write_text(f, "110/task/110/status", STATUS("S (sleeping)", "1", "2"));
}

static void
remove_all(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_all(child);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    remove_all(f->proc);
    g_free(f->proc);
    g_free(f->pid_file);
}

static void
assert_refused(Fixture *f, int code, const char *word)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;

    g_assert_false(fsn_qemu_process_open(f->proc, f->pid_file, UUID, &fd, &error));
    g_assert_error(error, FSN_ERROR, code);
    g_assert_nonnull(strstr(error->message, word));
    g_assert_cmpint(fd, ==, -1);
}

static void
test_pid_file(Fixture *f, gconstpointer data)
{
    static const char *const bad[] = {
        "", "\n", "-1", "0", "one", "110 111", "0x6e", "99999999999999999999", "../110",
    };
    static const char *const good[] = { "110", "110\n", "00110" };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        write_text(f, "one.pid", bad[i]);
        assert_refused(f, FSN_ERROR_FORMAT, "holds no pid");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        int fd = -1;

        write_text(f, "one.pid", good[i]);
        g_assert_true(fsn_qemu_process_open(f->proc, f->pid_file, UUID, &fd, NULL));
        close(fd);
    }
    write_text(f, "one.pid", "111");
    assert_refused(f, FSN_ERROR_NOT_FOUND, "111");
    g_assert_cmpint(g_unlink(f->pid_file), ==, 0);
    assert_refused(f, FSN_ERROR_NOT_FOUND, "one.pid");
}

/* Another process, with the pid of a QEMU that has gone. */
static void
test_arguments(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *arguments;
        size_t len;
        bool ok;
    } table[] = {
        { ARGUMENTS("qemu\0-uuid\0" UUID), true },
        { ARGUMENTS("qemu\0-uuid\0\0-uuid\0" UUID), true },
        { ARGUMENTS("qemu\0-uuid\0" OTHER), false },
        { ARGUMENTS("qemu\0-uuid"), false },
        { ARGUMENTS("-uuid\0"), false },
        { ARGUMENTS("virsh\0start\0" UUID), false },
        { ARGUMENTS("qemu\0-uuid\0x" UUID), false },
        { ARGUMENTS("qemu\0-uuid\0" UUID "x"), false },
        { ARGUMENTS("qemu -uuid " UUID), false },
        { "qemu\0-uuid\0" UUID, sizeof("qemu\0-uuid\0" UUID) - 1, false },
        { ARGUMENTS("\0\0\0"), false },
        { "", 0, false }, /* a thread of the kernel, or one that ends */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        int fd = -1;

        write_file(f, "110/cmdline", table[i].arguments, table[i].len);
        if (!table[i].ok) {
            assert_refused(f, FSN_ERROR_NOT_FOUND, UUID);
            continue;
        }
        g_assert_true(fsn_qemu_process_open(f->proc, f->pid_file, UUID, &fd, NULL));
        close(fd);
    }
}

/* Arguments without end cost neither memory nor sense. */
static void
test_long_arguments(Fixture *f, gconstpointer data)
{
    size_t len = 1u << 20;
    g_autofree char *filler = g_malloc0(len);
    static const char tail[] = "-uuid\0" UUID;
    int fd = -1;

    memcpy(filler + len - sizeof(tail), tail, sizeof(tail));
    write_file(f, "110/cmdline", filler, len);
    assert_refused(f, FSN_ERROR_NOT_FOUND, UUID);
    memcpy(filler, tail, sizeof(tail));
    write_file(f, "110/cmdline", filler, len);
    g_assert_true(fsn_qemu_process_open(f->proc, f->pid_file, UUID, &fd, NULL));
    close(fd);
}

static const FsnThreadLook *
find(const GArray *looks, int tid)
{
    for (guint i = 0; i < looks->len; i++) {
        const FsnThreadLook *look = &g_array_index(looks, FsnThreadLook, i);

        if (look->tid == tid) {
            return look;
        }
    }
    return NULL;
}

static void
test_look(Fixture *f, gconstpointer data)
{
    g_autoptr(GArray) looks = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *endless = g_strnfill(1u << 20, 'x');
    g_autofree char *tasks = g_build_filename(f->proc, "110", "task", NULL);
    int fd = -1;

    write_text(f, "110/task/131/status", STATUS("D (disk sleep)", "5", "3"));
    write_text(f, "110/task/132/status", "");
    write_text(f, "110/task/133/stat", "133 (no status) D");
    write_text(f, "110/task/134/status", endless);
    write_text(f, "110/task/0135/status", STATUS("D (disk sleep)", "7", "0"));
    write_text(f, "110/task/x/status", STATUS("D (disk sleep)", "5", "3"));
    write_text(f, "110/task/-1/status", STATUS("D (disk sleep)", "5", "3"));
    write_text(f, "110/task/99999999999/status", STATUS("D (disk sleep)", "5", "3"));
    g_assert_true(fsn_qemu_process_open(f->proc, f->pid_file, UUID, &fd, NULL));
    g_assert_true(fsn_qemu_threads_look(fd, &looks, NULL));
    g_assert_cmpuint(looks->len, ==, 3);
    g_assert_false(find(looks, 110)->waits);
    g_assert_cmpuint(find(looks, 110)->switches, ==, 3);
    g_assert_true(find(looks, 131)->waits);
    g_assert_cmpuint(find(looks, 131)->switches, ==, 8);
    g_assert_cmpuint(find(looks, 135)->switches, ==, 7);

    /* The process ends. */
    remove_all(tasks);
    g_clear_pointer(&looks, g_array_unref);
    g_assert_false(fsn_qemu_threads_look(fd, &looks, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_null(looks);
    close(fd);
}

static gpointer
wait_for_end(gpointer data)
{
    GMutex *end = data;

    g_mutex_lock(end);
    g_mutex_unlock(end);
    return NULL;
}

/* The kernel's own folder, of this process: each thread is there and none hangs. */
static void
test_kernel(Fixture *f, gconstpointer data)
{
    g_autoptr(GArray) looks = NULL;
    g_autoptr(FsnPendingIo) io = fsn_pending_io_new();
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_autofree char *folder = g_strdup_printf("/proc/%s", pid);
    g_autoptr(GError) error = NULL;
    GMutex end;
    GThread *thread;
    int fd;

    write_text(f, "one.pid", pid);
    g_assert_false(fsn_qemu_process_open("/proc", f->pid_file, UUID, &fd, &error));
    g_assert_nonnull(strstr(error->message, "not the QEMU"));
    fd = g_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    g_assert_cmpint(fd, >=, 0);
    g_mutex_init(&end);
    g_mutex_lock(&end);
    thread = g_thread_new("wor) D (", wait_for_end, &end);
    g_assert_true(fsn_qemu_threads_look(fd, &looks, NULL));
    g_assert_cmpuint(looks->len, >=, 2);
    g_assert_nonnull(find(looks, (int)getpid()));
    g_assert_cmpint(fsn_pending_io_judge(io, looks, 0), !=, FSN_IO_HANGS);
    g_mutex_unlock(&end);
    g_thread_join(thread);
    g_mutex_clear(&end);
    close(fd);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Fixture *, gconstpointer);
    } tests[] = {
        { "/qemu-threads/pid-file", test_pid_file },
        { "/qemu-threads/arguments", test_arguments },
        { "/qemu-threads/long-arguments", test_long_arguments },
        { "/qemu-threads/look", test_look },
        { "/qemu-threads/kernel", test_kernel },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].func, tear_down);
    }
    return g_test_run();
}
