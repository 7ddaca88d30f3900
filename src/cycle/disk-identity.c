/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records and compares the identity of disks at rest. A changed byte with unchanged times can
 * only be made on purpose; that is outside what this guards against.
 */
#include "config.h"

#include "cycle/disk-identity.h"

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLE_SIZE  (64u << 10)
/* The head, the tail and evenly spread blocks between: file-system superblocks, journals and
 * group descriptors stand there. */
#define SAMPLE_COUNT 64u

static int64_t
timespec_ns(const struct timespec *t)
{
    return (int64_t)t->tv_sec * G_GINT64_CONSTANT(1000000000) + t->tv_nsec;
}

static bool
sample_device(
    int fd, const char *path, char **out_digest, int64_t *out_size, GError **error)
{
    int64_t size = lseek(fd, 0, SEEK_END);
    g_autofree uint8_t *buffer = g_malloc(SAMPLE_SIZE);
    g_autoptr(FsnSha256) sha = fsn_sha256_new();
    uint8_t digest[FSN_SHA256_SIZE];
    uint64_t step;

    if (size < 0) {
        return fsn_set_errno(error, errno, "cannot find the size of '%s'", path);
    }
    step =
        (uint64_t)size > SAMPLE_SIZE ? ((uint64_t)size - SAMPLE_SIZE) / SAMPLE_COUNT : 0;
    for (uint64_t i = 0; i <= (step ? SAMPLE_COUNT : 0); i++) {
        uint64_t offset = i * step;
        uint64_t left = (uint64_t)size - offset;
        size_t n = left < SAMPLE_SIZE ? (size_t)left : SAMPLE_SIZE;

        if (!fsn_pread_all(fd, buffer, n, offset, path, error)) {
            return false;
        }
        fsn_sha256_update(sha, buffer, n);
    }
    fsn_sha256_finish(g_steal_pointer(&sha), digest);
    *out_digest = fsn_hex(digest, sizeof(digest));
    *out_size = size;
    return true;
}

static bool
record_fd(int fd,
          const char *target,
          const char *path,
          bool after_end,
          JsonObject **out_record,
          GError **error)
{
    struct stat st;
    g_autoptr(JsonObject) o = json_object_new();

    if (fstat(fd, &st) < 0) {
        return fsn_set_errno(error, errno, "cannot look at disk '%s'", path);
    }
    json_object_set_string_member(o, "target", target);
    json_object_set_string_member(o, "path", path);
    if (S_ISBLK(st.st_mode)) {
        g_autofree char *digest = NULL;
        int64_t size = 0;

        if (!sample_device(fd, path, &digest, &size, error)) {
            return false;
        }
        json_object_set_string_member(o, "kind", "block");
        json_object_set_int_member(o, "size", size);
        json_object_set_string_member(o, "sample_sha256", digest);
    } else if (S_ISREG(st.st_mode)) {
        json_object_set_string_member(o, "kind", "file");
        json_object_set_int_member(o, "device", (int64_t)st.st_dev);
        json_object_set_int_member(o, "inode", (int64_t)st.st_ino);
        json_object_set_int_member(o, "size", (int64_t)st.st_size);
        json_object_set_int_member(o, "mtime_ns", timespec_ns(&st.st_mtim));
        if (after_end) {
            json_object_set_int_member(o, "ctime_ns", timespec_ns(&st.st_ctim));
        }
    } else {
        json_object_set_string_member(o, "kind", "other");
    }
    *out_record = g_steal_pointer(&o);
    return true;
}

bool
fsn_disk_identity_record(const char *target,
                         const char *path,
                         bool after_end,
                         JsonObject **out_record,
                         GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open disk '%s'", path);
    }
    ok = record_fd(fd, target, path, after_end, out_record, error);
    close(fd);
    return ok;
}

JsonObject *
fsn_disk_identity_opaque(const char *target, const char *kind)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "target", target);
    json_object_set_string_member(o, "kind", kind);
    return o;
}

char *
fsn_disk_identity_unseen(JsonArray *records)
{
    g_autoptr(GString) targets = g_string_new("");

    for (guint i = 0; i < json_array_get_length(records); i++) {
        JsonObject *record;

        if (fsn_json_get_element(records, i, &record, NULL) &&
            !fsn_json_peek_string(record, "path", NULL)) {
            g_string_append_printf(targets, "%s%s", targets->len > 0 ? ", " : "",
                                   fsn_json_peek_string(record, "target", "?"));
        }
    }
    return targets->len > 0 ? g_strdup(targets->str) : NULL;
}

static bool
check_int(JsonObject *then,
          JsonObject *now,
          const char *member,
          const char *meaning,
          const char *path,
          GError **error)
{
    if (!json_object_has_member(then, member) ||
        fsn_json_peek_int(then, member, -1) == fsn_json_peek_int(now, member, -2)) {
        return true;
    }
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_STATE,
        "disk '%s' was changed since the suspend (its %s differs); resuming the memory "
        "over it would destroy its file systems",
        path, meaning);
    return false;
}

bool
fsn_disk_identity_check(JsonObject *record, GError **error)
{
    const char *target = fsn_json_peek_string(record, "target", "?");
    const char *path = fsn_json_peek_string(record, "path", NULL);
    const char *kind = fsn_json_peek_string(record, "kind", "");
    const char *sample = fsn_json_peek_string(record, "sample_sha256", NULL);
    g_autoptr(JsonObject) now = NULL;

    if (!path) {
        return true; /* nothing on this host to compare */
    }
    if (!fsn_disk_identity_record(target, path, true, &now, error)) {
        return false;
    }
    if (!g_str_equal(kind, fsn_json_peek_string(now, "kind", "")) ||
        (sample &&
         !g_str_equal(sample, fsn_json_peek_string(now, "sample_sha256", "")))) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "disk '%s' is not what it was at the suspend", path);
        return false;
    }
    return check_int(record, now, "device", "device", path, error) &&
           check_int(record, now, "inode", "inode", path, error) &&
           check_int(record, now, "size", "size", path, error) &&
           check_int(record, now, "mtime_ns", "modification time", path, error) &&
           check_int(record, now, "ctime_ns", "change time", path, error);
}
