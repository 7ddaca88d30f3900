/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What a manifest has of the files that belong to a machine beside its disks: the variable
 * store of its firmware (NVRAM), and what an emulated TPM keeps (foresnap-manifest(5)). */

/* Most that one of these files may have, in bytes, and most files of a TPM. */
#define FSN_FIRMWARE_MAX_NVRAM     ((size_t)64 << 20)
#define FSN_FIRMWARE_MAX_TPM       ((size_t)1 << 20)
#define FSN_FIRMWARE_MAX_TPM_FILES 16

typedef struct {
    char *name;   /* "tpm2-00.permall"; never one that leads out of its folder */
    char *object; /* its contents in the repository; NULL: not stored yet */
    GBytes *data; /* contents; NULL: as read from a manifest */
    uint64_t size;
} FsnFirmwareFile;

FsnFirmwareFile *fsn_firmware_file_new(const char *name, GBytes *data);
void fsn_firmware_file_free(gpointer file);

/* True for the name of a file that a TPM's state may consist of. */
bool fsn_firmware_name_is_safe(const char *name);

typedef struct {
    FsnFirmwareFile
        *nvram;         /* NULL: none. Contents as the guest sees them; name is "nvram" */
    char *nvram_source; /* where it was */
    char *nvram_format; /* of the file there: "raw" or "qcow2" */
    GPtrArray *tpm_files; /* of FsnFirmwareFile; NULL: none */
    char *tpm_version;    /* "2.0" or "1.2" */
} FsnFirmwareRecord;

void fsn_firmware_record_clear(FsnFirmwareRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnFirmwareRecord, fsn_firmware_record_clear)

/* Adds the members "nvram" and "tpm" to @manifest for what there is; all of it is stored. */
void fsn_firmware_record_add(const FsnFirmwareRecord *record, JsonObject *manifest);

/* Reads them; a manifest without gives an empty record. Whatever no writer of ours makes is
 * FSN_ERROR_FORMAT, names that lead out of a folder among it. The caller clears *@out. */
bool fsn_firmware_record_read(JsonObject *manifest,
                              FsnFirmwareRecord *out,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
