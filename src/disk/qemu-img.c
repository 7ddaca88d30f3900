/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What qemu-img does for us: the qcow2 format is QEMU's own, and nobody else writes it. Its
 * error is passed on as it says it.
 */
#include "config.h"

#include "disk/qemu-img.h"

#include "base/error.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_INFO   ((gsize)4 << 20)
/* The number of a descriptor in qemu-img. */
#define CHILD_FD   3
/* Requests in flight while converting. */
#define COROUTINES "8"

/* "file:" keeps QEMU from finding a protocol in the name, which it never does in an absolute
 * one; and that may be a block device, which "file:" refuses. */
static char *
file_name(const char *path)
{
    return *path == '/' ? g_strdup(path) : g_strconcat("file:", path, NULL);
}

bool
fsn_qemu_img_parse_progress(const char *text, uint64_t *out_done)
{
    const char *begin = strrchr(text, '(');
    char *end;
    double percent;

    if (!begin) {
        return false;
    }
    percent = g_ascii_strtod(begin + 1, &end);
    if (!g_str_has_prefix(end, "/100%") || !(percent >= 0 && percent <= 100)) {
        return false;
    }
    *out_done = (uint64_t)(percent * 100);
    return true;
}

static bool
fail(GSubprocess *process, const char *what, GError **error)
{
    g_autofree char *text = NULL;
    GInputStream *stream = g_subprocess_get_stderr_pipe(process);
    char buffer[1024] = { 0 };
    gsize n = 0;

    /* What it cannot read is left out. */
    (void)!g_input_stream_read_all(stream, buffer, sizeof buffer - 1, &n, NULL, NULL);
    text = g_utf8_make_valid(buffer, (gssize)n);
    g_strdelimit(g_strchomp(text), "\n", ';');
    g_set_error(error, FSN_ERROR,
                strstr(text, "No space left") ? FSN_ERROR_NO_SPACE : FSN_ERROR_FAILED,
                "qemu-img cannot %s: %s", what, *text ? text : "it gives no reason");
    return false;
}

/* Reads the progress until qemu-img closes its output. */
static bool
follow(GSubprocess *process,
       GCancellable *cancellable,
       FsnQemuImgProgress progress,
       gpointer user)
{
    GInputStream *stream = g_subprocess_get_stdout_pipe(process);
    char buffer[256];
    uint64_t done;
    gssize n;

    while ((n = g_input_stream_read(stream, buffer, sizeof buffer - 1, cancellable,
                                    NULL)) > 0) {
        buffer[n] = 0;
        if (progress && fsn_qemu_img_parse_progress(buffer, &done)) {
            progress(done, 10000, user);
        }
    }
    return n == 0;
}

static bool
run(const char *const *argv,
    const char *what,
    GCancellable *cancellable,
    FsnQemuImgProgress progress,
    gpointer user,
    GError **error)
{
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error);

    if (!process) {
        g_prefix_error(error, "cannot %s: ", what);
        return false;
    }
    if (!follow(process, cancellable, progress, user)) {
        g_subprocess_force_exit(process);
        (void)!g_subprocess_wait(process, NULL, NULL); /* cannot fail without one */
        g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED, "interrupted");
        return false;
    }
    return g_subprocess_wait_check(process, NULL, NULL) || fail(process, what, error);
}

static bool
sync_path(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", path);
    }
    ok = fsync(fd) == 0 || fsn_set_errno(error, errno, "cannot write '%s'", path);
    close(fd);
    return ok;
}

bool
fsn_qemu_img_to_qcow2(const char *uri,
                      const char *path,
                      GCancellable *cancellable,
                      FsnQemuImgProgress progress,
                      gpointer user,
                      GError **error)
{
    g_autofree char *file = file_name(path);
    const char *const argv[] = { "qemu-img", "convert", "-p",  "-W", "-m",
                                 COROUTINES, "-f",      "raw", "-O", "qcow2",
                                 uri,        file,      NULL };

    return run(argv, "write the image", cancellable, progress, user, error) &&
           sync_path(path, error);
}

bool
fsn_qemu_img_add_bitmap(const char *path, const char *name, GError **error)
{
    g_autofree char *file = file_name(path);
    const char *const argv[] = { "qemu-img", "bitmap", "--add", "-g", "65536",
                                 "-f",       "qcow2",  file,    name, NULL };

    return run(argv, "add a bitmap", NULL, NULL, NULL, error) && sync_path(path, error);
}

/* In three steps: to add a bitmap qemu-img opens what is below. */
bool
fsn_qemu_img_overlay(
    const char *path, uint64_t size, const char *bitmap, const char *uri, GError **error)
{
    g_autofree char *file = file_name(path);
    g_autofree char *size_text = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    const char *const create[] = { "qemu-img", "create", "-q",      "-f",
                                   "qcow2",    file,     size_text, NULL };
    const char *const rebase[] = { "qemu-img", "rebase", "-u", "-f", "qcow2", "-F",
                                   "raw",      "-b",     uri,  file, NULL };

    return run(create, "create the overlay", NULL, NULL, NULL, error) &&
           (!bitmap || fsn_qemu_img_add_bitmap(path, bitmap, error)) &&
           run(rebase, "put the overlay over its image", NULL, NULL, NULL, error) &&
           sync_path(path, error);
}

bool
fsn_qemu_img_remove_bitmap(const char *path, const char *name, GError **error)
{
    g_autofree char *file = file_name(path);
    const char *const argv[] = { "qemu-img", "bitmap", "--remove", "-f",
                                 "qcow2",    file,     name,       NULL };

    return run(argv, "remove a bitmap", NULL, NULL, NULL, error) &&
           sync_path(path, error);
}

/* The default, but others count on it: see COPY_CLUSTER in cycle/instant.c. */
#define CLUSTERS "cluster_size=65536"

bool
fsn_qemu_img_create(int fd, uint64_t size, GError **error)
{
    g_autofree char *size_text = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    const char *const argv[] = {
        "qemu-img", "create",          "-q",      "-f", "qcow2", "-o",
        CLUSTERS,   "/proc/self/fd/3", size_text, NULL,
    };
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr(GSubprocess) process = NULL;

    g_subprocess_launcher_take_fd(launcher, fcntl(fd, F_DUPFD_CLOEXEC, 0), CHILD_FD);
    process = g_subprocess_launcher_spawnv(launcher, argv, error);
    if (!process) {
        g_prefix_error(error, "cannot create an image: ");
        return false;
    }
    return g_subprocess_wait_check(process, NULL, NULL) ||
           fail(process, "create an image", error);
}

static void
bitmap_free(gpointer data)
{
    FsnImageBitmap *bitmap = data;

    g_free(bitmap->name);
    g_free(bitmap);
}

void
fsn_image_info_clear(FsnImageInfo *info)
{
    g_clear_pointer(&info->bitmaps, g_ptr_array_unref);
}

const FsnImageBitmap *
fsn_image_info_bitmap(const FsnImageInfo *info, const char *name)
{
    for (guint i = 0; i < info->bitmaps->len; i++) {
        const FsnImageBitmap *bitmap = info->bitmaps->pdata[i];

        if (g_str_equal(bitmap->name, name)) {
            return bitmap;
        }
    }
    return NULL;
}

static bool
has_flag(JsonArray *flags, const char *flag)
{
    for (guint i = 0; i < json_array_get_length(flags); i++) {
        JsonNode *node = json_array_get_element(flags, i);

        if (JSON_NODE_HOLDS_VALUE(node) &&
            g_strcmp0(json_node_get_string(node), flag) == 0) {
            return true;
        }
    }
    return false;
}

static bool
parse_bitmap(JsonObject *o, GPtrArray *bitmaps, GError **error)
{
    FsnImageBitmap *bitmap;
    const char *name;
    JsonArray *flags;

    if (!fsn_json_get_string(o, "name", &name, error) ||
        !fsn_json_get_array(o, "flags", &flags, error)) {
        return false;
    }
    bitmap = g_new0(FsnImageBitmap, 1);
    bitmap->name = g_strdup(name);
    bitmap->recording = has_flag(flags, "auto");
    bitmap->inconsistent = has_flag(flags, "in-use");
    g_ptr_array_add(bitmaps, bitmap);
    return true;
}

/* What is particular to qcow2. */
static bool
parse_specific(JsonObject *data, FsnImageInfo *info, GError **error)
{
    JsonArray *bitmaps;

    info->data_file = json_object_has_member(data, "data-file");
    if (!json_object_has_member(data, "bitmaps")) {
        return true;
    }
    if (!fsn_json_get_array(data, "bitmaps", &bitmaps, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(bitmaps); i++) {
        JsonObject *o;

        if (!fsn_json_get_element(bitmaps, i, &o, error) ||
            !parse_bitmap(o, info->bitmaps, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_qemu_img_parse_info(const char *text, size_t len, FsnImageInfo *out, GError **error)
{
    g_auto(FsnImageInfo) info = { .bitmaps =
                                      g_ptr_array_new_with_free_func(bitmap_free) };
    g_autoptr(JsonObject) o = NULL;
    JsonObject *specific;
    JsonObject *data;
    int64_t size;

    if (!fsn_json_parse_object(text, len, MAX_INFO, "answer of qemu-img", &o, error) ||
        !fsn_json_get_int(o, "virtual-size", 0, G_MAXINT64, &size, error)) {
        return false;
    }
    info.virtual_size = (uint64_t)size;
    if (fsn_json_get_object(o, "format-specific", &specific, NULL) &&
        fsn_json_get_object(specific, "data", &data, NULL) &&
        !parse_specific(data, &info, error)) {
        return false;
    }
    *out = info;
    info.bitmaps = NULL;
    return true;
}

bool
fsn_qemu_img_info(const char *path, const char *format, FsnImageInfo *out, GError **error)
{
    g_autofree char *file = file_name(path);
    const char *const argv[] = {
        "qemu-img", "info", "--force-share", "--output=json", "-f", format, file, NULL
    };
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error);
    g_autofree char *text = g_malloc(MAX_INFO);
    gsize n = 0;

    if (!process) {
        g_prefix_error(error, "cannot look at the image: ");
        return false;
    }
    return g_input_stream_read_all(g_subprocess_get_stdout_pipe(process), text, MAX_INFO,
                                   &n, NULL, error) &&
           (g_subprocess_wait_check(process, NULL, NULL) ||
            fail(process, "look at the image", error)) &&
           fsn_qemu_img_parse_info(text, n, out, error);
}

bool
fsn_qemu_img_virtual_size(const char *path,
                          const char *format,
                          uint64_t *out_size,
                          GError **error)
{
    g_auto(FsnImageInfo) info = { 0 };

    if (!fsn_qemu_img_info(path, format, &info, error)) {
        return false;
    }
    *out_size = info.virtual_size;
    return true;
}
