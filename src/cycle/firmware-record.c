/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest's part about firmware and TPM, to and from JSON. Pure: objects are named, not
 * read. Files are made after the names here, so they are checked here.
 */
#include "config.h"

#include "cycle/firmware-record.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

#define MAX_NAME 64

FsnFirmwareFile *
fsn_firmware_file_new(const char *name, GBytes *data)
{
    FsnFirmwareFile *file = g_new0(FsnFirmwareFile, 1);

    file->name = g_strdup(name);
    file->data = data ? g_bytes_ref(data) : NULL;
    file->size = data ? g_bytes_get_size(data) : 0;
    return file;
}

void
fsn_firmware_file_free(gpointer data)
{
    FsnFirmwareFile *file = data;

    if (file) {
        g_free(file->name);
        g_free(file->object);
        g_clear_pointer(&file->data, g_bytes_unref);
        g_free(file);
    }
}

void
fsn_firmware_record_clear(FsnFirmwareRecord *record)
{
    g_clear_pointer(&record->nvram, fsn_firmware_file_free);
    g_clear_pointer(&record->nvram_source, g_free);
    g_clear_pointer(&record->nvram_format, g_free);
    g_clear_pointer(&record->tpm_files, g_ptr_array_unref);
    g_clear_pointer(&record->tpm_version, g_free);
}

/* swtpm begins the names of its locks with a dot. */
bool
fsn_firmware_name_is_safe(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= MAX_NAME && *name != '.' &&
           strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-_") == len;
}

static JsonObject *
file_json(const FsnFirmwareFile *file)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "object", file->object);
    json_object_set_int_member(o, "size", (int64_t)file->size);
    return o;
}

void
fsn_firmware_record_add(const FsnFirmwareRecord *record, JsonObject *manifest)
{
    if (record->nvram) {
        JsonObject *o = file_json(record->nvram);

        json_object_set_string_member(o, "source", record->nvram_source);
        json_object_set_string_member(o, "format", record->nvram_format);
        json_object_set_object_member(manifest, "nvram", o);
    }
    if (record->tpm_files) {
        JsonArray *files = json_array_new();
        JsonObject *o = json_object_new();

        for (guint i = 0; i < record->tpm_files->len; i++) {
            const FsnFirmwareFile *file = record->tpm_files->pdata[i];
            JsonObject *f = file_json(file);

            json_object_set_string_member(f, "name", file->name);
            json_array_add_object_element(files, f);
        }
        json_object_set_string_member(o, "version", record->tpm_version);
        json_object_set_array_member(o, "files", files);
        json_object_set_object_member(manifest, "tpm", o);
    }
}

static bool
refuse(GError **error, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "the manifest's %s is not valid",
                what);
    return false;
}

static FsnFirmwareFile *
read_file(JsonObject *o, const char *name, size_t max, GError **error)
{
    const char *object;
    FsnFirmwareFile *file;
    int64_t size;

    if (!fsn_json_get_string(o, "object", &object, error) ||
        !fsn_json_get_int(o, "size", 0, (int64_t)max, &size, error)) {
        return NULL;
    }
    file = fsn_firmware_file_new(name, NULL);
    file->object = g_strdup(object);
    file->size = (uint64_t)size;
    return file;
}

static bool
read_nvram(JsonObject *o, FsnFirmwareRecord *record, GError **error)
{
    const char *source;
    const char *format;

    if (!fsn_json_get_string(o, "source", &source, error) ||
        !fsn_json_get_string(o, "format", &format, error)) {
        return false;
    }
    if (!g_str_equal(format, "raw") && !g_str_equal(format, "qcow2")) {
        return refuse(error, "format of the variable store");
    }
    record->nvram = read_file(o, "nvram", FSN_FIRMWARE_MAX_NVRAM, error);
    record->nvram_source = g_strdup(source);
    record->nvram_format = g_strdup(format);
    return record->nvram != NULL;
}

static bool
is_named(const GPtrArray *files, const char *name)
{
    for (guint i = 0; i < files->len; i++) {
        if (g_str_equal(((const FsnFirmwareFile *)files->pdata[i])->name, name)) {
            return true;
        }
    }
    return false;
}

static bool
read_tpm(JsonObject *o, FsnFirmwareRecord *record, GError **error)
{
    const char *version;
    JsonArray *files;

    if (!fsn_json_get_string(o, "version", &version, error) ||
        !fsn_json_get_array(o, "files", &files, error)) {
        return false;
    }
    if ((!g_str_equal(version, "2.0") && !g_str_equal(version, "1.2")) ||
        json_array_get_length(files) > FSN_FIRMWARE_MAX_TPM_FILES) {
        return refuse(error, "TPM");
    }
    record->tpm_version = g_strdup(version);
    record->tpm_files = g_ptr_array_new_with_free_func(fsn_firmware_file_free);
    for (guint i = 0; i < json_array_get_length(files); i++) {
        FsnFirmwareFile *file;
        const char *name;
        JsonObject *f;

        if (!fsn_json_get_element(files, i, &f, error) ||
            !fsn_json_get_string(f, "name", &name, error)) {
            return false;
        }
        if (!fsn_firmware_name_is_safe(name) || is_named(record->tpm_files, name)) {
            return refuse(error, "name of a file of the TPM");
        }
        file = read_file(f, name, FSN_FIRMWARE_MAX_TPM, error);
        if (!file) {
            return false;
        }
        g_ptr_array_add(record->tpm_files, file);
    }
    return true;
}

bool
fsn_firmware_record_read(JsonObject *manifest, FsnFirmwareRecord *out, GError **error)
{
    g_auto(FsnFirmwareRecord) record = { 0 };
    JsonObject *o;

    if (json_object_has_member(manifest, "nvram") &&
        (!fsn_json_get_object(manifest, "nvram", &o, error) ||
         !read_nvram(o, &record, error))) {
        return false;
    }
    if (json_object_has_member(manifest, "tpm") &&
        (!fsn_json_get_object(manifest, "tpm", &o, error) ||
         !read_tpm(o, &record, error))) {
        return false;
    }
    *out = record;
    memset(&record, 0, sizeof record);
    return true;
}
