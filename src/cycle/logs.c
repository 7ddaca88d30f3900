/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The newest part of logs, from the host's files. They grow while they are read, and QEMU's user
 * may have put anything in the place of a console's: only regular files are read, and of each no
 * more than what was there at first, or the bound.
 */
#include "config.h"

#include "cycle/logs.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "domxml/console-logs.h"
#include "virt/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    FsnRepo *repo;
    JsonArray *logs;
    uint64_t most; /* bytes of each */
} Keep;

/* The last bytes of @fd; the file may have become shorter. */
static bool
read_tail(int fd, uint64_t size, uint64_t most, GBytes **out, uint64_t *out_offset)
{
    uint64_t offset = size > most ? size - most : 0;
    size_t len = (size_t)(size - offset);
    char *data = g_try_malloc(len + 1);
    size_t done = 0;

    while (data && done < len) {
        ssize_t n = pread(fd, data + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno != EINTR) {
            g_free(data);
            return false;
        }
        if (n == 0) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    if (!data) {
        errno = ENOMEM;
        return false;
    }
    *out = g_bytes_new_take(data, done);
    *out_offset = offset;
    return true;
}

/* Neither waits for a pipe, nor follows a link that QEMU's user may have made. */
static bool
read_log(const char *path, uint64_t most, GBytes **out, uint64_t *out_offset)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    struct stat st;
    bool ok;
    int saved;

    if (fd < 0) {
        return false;
    }
    ok = fstat(fd, &st) == 0;
    if (ok && !S_ISREG(st.st_mode)) {
        errno = EINVAL;
        ok = false;
    }
    ok = ok && read_tail(fd, (uint64_t)st.st_size, most, out, out_offset);
    saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

static bool
keep_log(Keep *k, const char *name, const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *object = NULL;
    uint64_t offset = 0;
    JsonObject *o;

    if (json_array_get_length(k->logs) >= FSN_LOG_FILES) {
        return true;
    }
    o = json_object_new();
    json_object_set_string_member(o, "name", name);
    json_object_set_string_member(o, "source", path);
    json_array_add_object_element(k->logs, o);
    if (!read_log(path, k->most, &bytes, &offset)) {
        json_object_set_string_member(
            o, "missing", errno == EINVAL ? "it is no regular file" : g_strerror(errno));
        return true;
    }
    if (!fsn_repo_put_object(k->repo, g_bytes_get_data(bytes, NULL),
                             g_bytes_get_size(bytes), &object, error)) {
        return false;
    }
    json_object_set_string_member(o, "object", object);
    json_object_set_int_member(o, "offset", (int64_t)offset);
    json_object_set_int_member(o, "size", (int64_t)g_bytes_get_size(bytes));
    return true;
}

/* With @rotated NAME.log.0 and on as well, as virtlogd makes them. */
static bool
keep_qemu(Keep *k, const char *folder, const char *domain, bool rotated, GError **error)
{
    g_autofree char *file = g_strdup_printf("%s.log", domain);
    g_autofree char *path = g_build_filename(folder, file, NULL);

    if (!keep_log(k, "qemu", path, error)) {
        return false;
    }
    for (int i = 0; rotated && i < FSN_LOG_FILES; i++) {
        g_autofree char *older = g_strdup_printf("%s.%d", path, i);
        g_autofree char *name = g_strdup_printf("qemu.%d", i);

        if (!g_file_test(older, G_FILE_TEST_EXISTS)) {
            break;
        }
        if (!keep_log(k, name, older, error)) {
            return false;
        }
    }
    return true;
}

static bool
keep_consoles(Keep *k, const char *xml, GError **error)
{
    g_autoptr(GPtrArray) consoles = fsn_console_logs_find(xml, error);

    if (!consoles) {
        return false;
    }
    for (guint i = 0; i < consoles->len; i++) {
        const FsnConsoleLog *console = consoles->pdata[i];

        if (!keep_log(k, console->name, console->path, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_logs_store(FsnRepo *repo,
               const FsnVirt *virt,
               const char *name,
               const char *xml,
               FsnLevel level,
               uint64_t tail,
               JsonArray **out_logs,
               GError **error)
{
    g_autoptr(JsonArray) logs = json_array_new();
    Keep k = { .repo = repo,
               .logs = logs,
               .most =
                   level >= FSN_LEVEL_DETAILED ? FSN_LOG_MAX : MIN(tail, FSN_LOG_MAX) };
    g_autofree char *folder = NULL;

    if (level < FSN_LEVEL_STANDARD) {
        *out_logs = NULL;
        return true;
    }
    folder = fsn_virt_folder(virt, FSN_VIRT_FOLDER_LOGS);
    if (!keep_qemu(&k, folder, name, level >= FSN_LEVEL_DETAILED, error) ||
        !keep_consoles(&k, xml, error)) {
        return false;
    }
    *out_logs = g_steal_pointer(&logs);
    return true;
}

bool
fsn_logs_find(JsonObject *manifest,
              const char *name,
              const char **out_object,
              GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    JsonArray *logs;
    JsonObject *o;

    if (json_object_has_member(manifest, "logs") &&
        !fsn_json_get_array(manifest, "logs", &logs, error)) {
        return false;
    }
    for (guint i = 0;
         json_object_has_member(manifest, "logs") && i < json_array_get_length(logs);
         i++) {
        if (!fsn_json_get_element(logs, i, &o, error)) {
            return false;
        }
        if (!json_object_has_member(o, "object")) {
            continue;
        }
        if (strcmp(fsn_json_peek_string(o, "name", ""), name) == 0) {
            return fsn_json_get_string(o, "object", out_object, error);
        }
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                               fsn_json_peek_string(o, "name", "?"));
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                "it has no log '%s'; there are: %s", name,
                names->len > 0 ? names->str : "none");
    return false;
}
