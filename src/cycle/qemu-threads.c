/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads what the kernel tells of QEMU's threads. libvirt does not say which process runs a
 * domain, but notes its pid in a file. That file is only a hint: the arguments of the process
 * must name the domain's UUID. Everything is read through one descriptor of the process's
 * folder, so that it stays the process that was checked. Nothing of QEMU is touched.
 *
 * "status" has the state and the counters in one reading, and escapes the thread's name,
 * which in "stat" may hold anything.
 */
#include "config.h"

#include "cycle/qemu-threads.h"

#include "base/error.h"
#include "base/files.h"
#include "cycle/pending-io.h"
#include "virt/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_PID_FILE  64
#define MAX_ARGUMENTS (256u << 10) /* the UUID stands in the first few KiB */
#define MAX_STATUS    (16u << 10)
#define MAX_THREADS   4096

char *
fsn_qemu_pid_file(FsnVirt *virt, const char *name)
{
    g_autofree char *folder = fsn_virt_folder(virt, FSN_VIRT_FOLDER_PIDS);
    g_autofree char *file = g_strconcat(name, ".pid", NULL);

    return g_build_filename(folder, file, NULL);
}

static bool
read_pid(const char *pid_file, guint64 *out_pid, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *text = NULL;

    if (!fsn_file_read(pid_file, MAX_PID_FILE, &bytes, error)) {
        return false;
    }
    text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    if (!g_ascii_string_to_unsigned(g_strchomp(text), 10, 1, G_MAXINT32, out_pid, NULL)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' holds no pid", pid_file);
        return false;
    }
    return true;
}

/* The first @size bytes of a file of the kernel's, which does not know its own size. */
static bool
read_file_at(int folder,
             const char *path,
             char *buffer,
             size_t size,
             size_t *out_len,
             GError **error)
{
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = 1;
    int saved;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", path);
    }
    while (n != 0 && len < size) {
        n = read(fd, buffer + len, size - len);
        if (n < 0 && errno != EINTR) {
            break;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    saved = errno;
    close(fd);
    if (n < 0) {
        return fsn_set_errno(error, saved, "cannot read '%s'", path);
    }
    *out_len = len;
    return true;
}

/* Whether @uuid follows "-uuid" among the arguments, each of which ends with a NUL. */
static bool
names_uuid(const char *arguments, size_t len, const char *uuid)
{
    const char *end = arguments + len;
    bool follows = false;

    while (arguments < end) {
        const char *nul = memchr(arguments, '\0', (size_t)(end - arguments));

        if (!nul) {
            return false; /* cut */
        }
        if (follows && g_str_equal(arguments, uuid)) {
            return true;
        }
        follows = g_str_equal(arguments, "-uuid");
        arguments = nul + 1;
    }
    return false;
}

static bool
check_uuid(int process_fd, const char *uuid, GError **error)
{
    g_autofree char *arguments = g_malloc(MAX_ARGUMENTS);
    size_t len;

    if (!read_file_at(process_fd, "cmdline", arguments, MAX_ARGUMENTS, &len, error)) {
        return false;
    }
    if (!names_uuid(arguments, len, uuid)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "it is not the QEMU of domain %s", uuid);
        return false;
    }
    return true;
}

bool
fsn_qemu_process_open(
    const char *proc, const char *pid_file, const char *uuid, int *out_fd, GError **error)
{
    g_autofree char *folder = NULL;
    guint64 pid;
    int fd;

    if (!read_pid(pid_file, &pid, error)) {
        return false;
    }
    folder = g_strdup_printf("%s/%" G_GUINT64_FORMAT, proc, pid);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open folder '%s'", folder);
    }
    if (!check_uuid(fd, uuid, error)) {
        g_prefix_error(error, "process %" G_GUINT64_FORMAT ": ", pid);
        close(fd);
        return false;
    }
    *out_fd = fd;
    return true;
}

/* A thread may end, or not be readable: then there is nothing to be said of it. */
static void
look_at_thread(int tasks_fd, const char *name, GArray *looks)
{
    g_autofree char *path = g_strconcat(name, "/status", NULL);
    char text[MAX_STATUS];
    size_t len;
    FsnThreadLook look;
    guint64 tid;

    if (g_ascii_string_to_unsigned(name, 10, 1, G_MAXINT32, &tid, NULL) &&
        read_file_at(tasks_fd, path, text, sizeof(text), &len, NULL) &&
        fsn_thread_look_parse(text, len, &look)) {
        look.tid = (int)tid;
        g_array_append_val(looks, look);
    }
}

bool
fsn_qemu_threads_look(int process_fd, GArray **out_looks, GError **error)
{
    g_autoptr(GArray) looks = g_array_new(FALSE, FALSE, sizeof(FsnThreadLook));
    int fd = openat(process_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!tasks) {
        fsn_set_errno(error, errno, "cannot look at the threads of QEMU");
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    while (looks->len < MAX_THREADS && (entry = readdir(tasks))) {
        look_at_thread(fd, entry->d_name, looks);
    }
    closedir(tasks);
    *out_looks = g_steal_pointer(&looks);
    return true;
}
