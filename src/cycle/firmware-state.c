/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variable store and the TPM's state of a domain, from the host's files. That of a running
 * guest's variable store is read by its caller from QEMU, which has it open (snapshot-read.c).
 */
#include "config.h"

#include "cycle/firmware-state.h"

#include "base/error.h"
#include "base/files.h"
#include "disk/offline.h"
#include "disk/read-whole.h"
#include "virt/folders.h"

#include <sys/stat.h>

static const char *
tpm_version(const FsnDomainFacts *facts)
{
    return facts->tpm_version ? facts->tpm_version : "2.0";
}

char *
fsn_firmware_tpm_folder(const FsnVirt *virt,
                        const FsnDomainFacts *facts,
                        const char *uuid)
{
    g_autofree char *tpms = NULL;

    if (!facts->tpm_emulated) {
        return NULL;
    }
    if (facts->tpm_source) {
        return g_strdup(facts->tpm_source);
    }
    tpms = fsn_virt_folder(virt, FSN_VIRT_FOLDER_TPMS);
    return g_build_filename(
        tpms, uuid, g_str_equal(tpm_version(facts), "1.2") ? "tpm1.2" : "tpm2", NULL);
}

bool
fsn_firmware_has_nvram(const FsnDomainFacts *facts)
{
    return facts->nvram && *facts->nvram == '/';
}

/* Temporary files of swtpm begin with "TMP". */
static bool
is_state(const char *name)
{
    return fsn_firmware_name_is_safe(name) && !g_str_has_prefix(name, "TMP");
}

static bool
read_file(const char *folder, const char *name, GPtrArray *files, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GBytes) bytes = NULL;
    struct stat st;

    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return true; /* no state of swtpm's, whose user could make it anything */
    }
    if (files->len == FSN_FIRMWARE_MAX_TPM_FILES) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' has more than %d files", folder, FSN_FIRMWARE_MAX_TPM_FILES);
        return false;
    }
    if (!fsn_file_read(path, FSN_FIRMWARE_MAX_TPM, &bytes, error)) {
        return false;
    }
    g_ptr_array_add(files, fsn_firmware_file_new(name, bytes));
    return true;
}

bool
fsn_firmware_read_tpm(const FsnVirt *virt,
                      const FsnDomainFacts *facts,
                      FsnFirmwareRecord *record,
                      GError **error)
{
    g_autofree char *folder = fsn_firmware_tpm_folder(virt, facts, facts->uuid);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(fsn_firmware_file_free);
    g_autoptr(GError) local = NULL;
    g_autoptr(GDir) dir = folder ? g_dir_open(folder, 0, &local) : NULL;
    const char *name;

    if (!folder || g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        return true;
    }
    if (!dir) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "the state of its TPM: %s",
                    local->message);
        return false;
    }
    while ((name = g_dir_read_name(dir))) {
        if (is_state(name) && !read_file(folder, name, files, error)) {
            g_prefix_error(error, "the state of its TPM: ");
            return false;
        }
    }
    if (files->len > 0) {
        record->tpm_files = g_steal_pointer(&files);
        record->tpm_version = g_strdup(tpm_version(facts));
    }
    return true;
}

void
fsn_firmware_take_nvram(const FsnDomainFacts *facts,
                        GBytes *data,
                        FsnFirmwareRecord *record)
{
    record->nvram = fsn_firmware_file_new("nvram", data);
    record->nvram_source = g_strdup(facts->nvram);
    record->nvram_format = g_strdup(facts->nvram_format ? facts->nvram_format : "raw");
}

static bool
read_nvram(const char *path, const char *format, GBytes **out_bytes, GError **error)
{
    g_autoptr(FsnDiskOffline) offline = NULL;

    if (g_str_equal(format, "raw")) {
        return fsn_file_read(path, FSN_FIRMWARE_MAX_NVRAM, out_bytes, error);
    }
    offline = fsn_disk_offline_new(path, format, NULL, error);
    return offline && fsn_nbd_read_whole(fsn_disk_offline_socket(offline), "",
                                         FSN_FIRMWARE_MAX_NVRAM, NULL, out_bytes, error);
}

bool
fsn_firmware_read_nvram(const FsnDomainFacts *facts,
                        FsnFirmwareRecord *record,
                        GError **error)
{
    const char *format = facts->nvram_format ? facts->nvram_format : "raw";
    g_autoptr(GBytes) bytes = NULL;

    if (!fsn_firmware_has_nvram(facts) ||
        !g_file_test(facts->nvram, G_FILE_TEST_EXISTS)) {
        return true;
    }
    if (!read_nvram(facts->nvram, format, &bytes, error)) {
        g_prefix_error(error, "the variable store of its firmware: ");
        return false;
    }
    fsn_firmware_take_nvram(facts, bytes, record);
    return true;
}

static bool
store_file(FsnFirmwareFile *file, FsnRepo *repo, GError **error)
{
    gsize len;
    const void *data = g_bytes_get_data(file->data, &len);

    g_clear_pointer(&file->object, g_free);
    return fsn_repo_put_object(repo, data, len, &file->object, error);
}

bool
fsn_firmware_store(FsnFirmwareRecord *record, FsnRepo *repo, GError **error)
{
    if (record->nvram && !store_file(record->nvram, repo, error)) {
        return false;
    }
    for (guint i = 0; record->tpm_files && i < record->tpm_files->len; i++) {
        if (!store_file(record->tpm_files->pdata[i], repo, error)) {
            return false;
        }
    }
    return true;
}
