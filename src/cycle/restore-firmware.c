/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variable store of the firmware and the TPM's state put back with the disks: written
 * beside their places, which they take when the disks do, so that an interruption is undone or
 * completed alike. With memory QEMU writes both anew from what the guest had; the files are put
 * back all the same, since the guest may be started without.
 */
#include "config.h"

#include "cycle/restore-private.h"

#include "base/error.h"
#include "base/files.h"
#include "cycle/restore-files.h"
#include "disk/qemu-img.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TPM_MODE       0700
#define TPM_PARENT     0711 /* libvirt's own: swtpm's user passes through */
#define NVRAM_SUFFIX   "-nvram.fd"
#define NVRAM_SUFFIX_Q "-nvram.qcow2"

static char *
temporary_of(const FsnRestore *r, const char *place)
{
    return g_strdup_printf("%s.foresnap-%.12s", place, r->id);
}

static void
warn(FsnRestore *r, const char *text)
{
    g_ptr_array_add(r->warnings, g_strdup(text));
}

/* Links are followed, as for disks: what is replaced is what they lead to. */
static char *
resolve(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = g_strdup(real ? real : path);

    free(real);
    return copy;
}

static bool
check_regular(const char *path, bool is_new, GError **error)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return errno == ENOENT ||
               fsn_set_errno(error, errno, "cannot look at '%s'", path);
    }
    if (is_new) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "'%s' is there already", path);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "the variable store '%s' is no regular file", path);
        return false;
    }
    return true;
}

static bool
place_nvram(FsnRestore *r, GError **error)
{
    const char *format = r->options.as            ? r->firmware.nvram_format
                         : r->facts->nvram_format ? r->facts->nvram_format
                                                  : "raw";

    if (!r->firmware.nvram || !r->facts->nvram) {
        return true;
    }
    if (!r->options.as && !fsn_firmware_has_nvram(r->facts)) {
        warn(r,
             "the variable store of its firmware is in no file now, and stays as it is");
        return true;
    }
    if (r->options.as) {
        g_autofree char *name =
            g_strconcat(r->options.as,
                        strcmp(format, "raw") == 0 ? NVRAM_SUFFIX : NVRAM_SUFFIX_Q, NULL);

        r->nvram_place = g_build_filename(r->folder, name, NULL);
    } else {
        r->nvram_place = resolve(r->facts->nvram);
    }
    r->nvram_format = g_strdup(format);
    return check_regular(r->nvram_place, r->options.as != NULL, error);
}

/* A copy of a TPM has the secrets of the original, and both answer for its identity. */
static bool
place_tpm(FsnRestore *r, GError **error)
{
    bool is_new = r->options.as != NULL;

    if (!r->facts->tpm_emulated || !r->firmware.tpm_files) {
        if (is_new && r->memory && r->facts->tpm) {
            g_set_error(
                error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                "the snapshot has no state of its TPM; --disks-only makes a domain "
                "with a new one");
            return false;
        }
        return true;
    }
    if (is_new && !r->options.clone_tpm) {
        if (r->memory) {
            g_set_error(
                error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                "its TPM must not exist twice; --disks-only makes a domain with a "
                "new one, --clone-tpm copies it with its secrets");
            return false;
        }
        warn(r, "its TPM is new and empty; --clone-tpm copies the one of the snapshot");
        return true;
    }
    if (is_new && r->facts->tpm_source) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
            "its description names the folder of its TPM, '%s', which two domains "
            "cannot have",
            r->facts->tpm_source);
        return false;
    }
    r->tpm_place = fsn_firmware_tpm_folder(r->virt, r->facts, r->uuid);
    return true;
}

bool
fsn_restore_firmware_check(FsnRestore *r, GError **error)
{
    /* One disk alone is no instant of the machine. */
    return r->options.targets ||
           (fsn_firmware_record_read(r->manifest, &r->firmware, error) &&
            place_nvram(r, error) && place_tpm(r, error));
}

static void
add_file(const FsnRestore *r, JsonArray *files, const char *what, const char *place)
{
    g_autofree char *temporary = temporary_of(r, place);
    JsonObject *file = json_object_new();

    json_object_set_string_member(file, "target", what);
    json_object_set_string_member(file, "path", place);
    json_object_set_boolean_member(file, "new", r->options.as != NULL);
    json_object_set_string_member(file, "temporary", temporary);
    json_array_add_object_element(files, file);
}

static bool
has_file(const FsnRestore *r, const char *name)
{
    for (guint i = 0; i < r->firmware.tpm_files->len; i++) {
        const FsnFirmwareFile *file = r->firmware.tpm_files->pdata[i];

        if (strcmp(file->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* State of another instant beside this one's would be mixed with it. */
static void
add_gone(const FsnRestore *r, JsonArray *files)
{
    g_autoptr(GDir) dir = g_dir_open(r->tpm_place, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (fsn_firmware_name_is_safe(name) && !has_file(r, name)) {
            JsonObject *file = json_object_new();
            g_autofree char *path = g_build_filename(r->tpm_place, name, NULL);

            json_object_set_string_member(file, "target", "tpm");
            json_object_set_string_member(file, "path", path);
            json_object_set_boolean_member(file, "gone", true);
            json_array_add_object_element(files, file);
        }
    }
}

bool
fsn_restore_firmware_files(FsnRestore *r, JsonArray *files, GError **error)
{
    if (r->nvram_place) {
        add_file(r, files, "nvram", r->nvram_place);
    }
    if (!r->tpm_place) {
        return true;
    }
    if (r->options.as && g_file_test(r->tpm_place, G_FILE_TEST_EXISTS)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "'%s' is there already",
                    r->tpm_place);
        return false;
    }
    add_gone(r, files);
    for (guint i = 0; i < r->firmware.tpm_files->len; i++) {
        const FsnFirmwareFile *file = r->firmware.tpm_files->pdata[i];
        g_autofree char *place = g_build_filename(r->tpm_place, file->name, NULL);

        add_file(r, files, "tpm", place);
    }
    return true;
}

static bool
read_object(FsnRestore *r, const FsnFirmwareFile *file, GBytes **out, GError **error)
{
    if (!fsn_repo_get_object(r->repo, file->object, FSN_FIRMWARE_MAX_NVRAM, out, error)) {
        return false;
    }
    if (g_bytes_get_size(*out) == file->size) {
        return true;
    }
    g_clear_pointer(out, g_bytes_unref);
    g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                "object %.12s has another size than the manifest says", file->object);
    return false;
}

static bool
write_raw(const char *path, GBytes *bytes, GError **error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", path);
    }
    ok = fsn_write_all(fd, data, len, path, error) &&
         (fsync(fd) == 0 || fsn_set_errno(error, errno, "cannot write '%s'", path));
    close(fd);
    return ok;
}

/* qemu-img reads it from memory. */
static bool
write_qcow2(const char *path, GBytes *bytes, GError **error)
{
    int fd = memfd_create("nvram", MFD_CLOEXEC);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    g_autofree char *from = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), fd);
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot make a file in memory");
    }
    ok = fsn_write_all(fd, data, len, "file in memory", error) &&
         fsn_qemu_img_to_qcow2(from, path, NULL, NULL, NULL, error);
    close(fd);
    return ok;
}

static bool
write_file(FsnRestore *r,
           const FsnFirmwareFile *file,
           const char *place,
           const char *format,
           GError **error)
{
    g_autofree char *temporary = temporary_of(r, place);
    g_autofree char *folder = g_path_get_dirname(place);
    g_autoptr(GBytes) bytes = NULL;

    return read_object(r, file, &bytes, error) &&
           fsn_restore_files_make(temporary, place, error) &&
           (strcmp(format, "qcow2") == 0 ? write_qcow2(temporary, bytes, error)
                                         : write_raw(temporary, bytes, error)) &&
           fsn_dir_sync(folder, error);
}

/* What is new there belongs to whom the folder belongs to; a folder of root's libvirt gives to
 * swtpm's user when it starts it. */
static bool
give_to_owner(const FsnRestore *r, const char *place, GError **error)
{
    g_autofree char *temporary = temporary_of(r, place);
    struct stat folder;
    struct stat st;

    if (stat(place, &st) == 0) {
        return true;
    }
    if (stat(r->tpm_place, &folder) != 0 ||
        lchown(temporary, folder.st_uid, folder.st_gid) != 0) {
        return fsn_set_errno(error, errno, "cannot give '%s' its owner", temporary);
    }
    return true;
}

static bool
make_tpm_folder(FsnRestore *r, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(r->tpm_place);
    g_autofree char *above = g_path_get_dirname(parent);

    if (!fsn_mkdirs(parent, TPM_PARENT, error) || !fsn_dir_sync(above, error)) {
        return false;
    }
    return fsn_mkdirs(r->tpm_place, TPM_MODE, error) && fsn_dir_sync(parent, error);
}

static bool
write_tpm(FsnRestore *r, GError **error)
{
    if (!make_tpm_folder(r, error)) {
        return false;
    }
    for (guint i = 0; i < r->firmware.tpm_files->len; i++) {
        const FsnFirmwareFile *file = r->firmware.tpm_files->pdata[i];
        g_autofree char *place = g_build_filename(r->tpm_place, file->name, NULL);

        if (!write_file(r, file, place, "raw", error) ||
            !give_to_owner(r, place, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_restore_firmware_write(FsnRestore *r, GError **error)
{
    return (!r->nvram_place ||
            write_file(r, r->firmware.nvram, r->nvram_place, r->nvram_format, error)) &&
           (!r->tpm_place || write_tpm(r, error));
}
