/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What any manifest says of firmware and TPM: refused, or such that its names cannot lead out
 * of a folder; and what was read can be written and read again. */
#include "config.h"

#include "base/json.h"
#include "cycle/firmware-record.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(JsonObject) again = json_object_new();
    g_auto(FsnFirmwareRecord) record = { 0 };
    g_auto(FsnFirmwareRecord) second = { 0 };

    if (!fsn_json_parse_object((const char *)data, size, 1 << 20, "manifest", &manifest,
                               NULL) ||
        !fsn_firmware_record_read(manifest, &record, NULL)) {
        return 0;
    }
    for (guint i = 0; record.tpm_files && i < record.tpm_files->len; i++) {
        const FsnFirmwareFile *file = record.tpm_files->pdata[i];

        g_assert_true(*file->name && *file->name != '.' && !strchr(file->name, '/'));
    }
    fsn_firmware_record_add(&record, again);
    g_assert_true(fsn_firmware_record_read(again, &second, NULL));
    g_assert_cmpint(!second.nvram, ==, !record.nvram);
    return 0;
}
