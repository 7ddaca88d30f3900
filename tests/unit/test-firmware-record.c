/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/firmware-record.c: what is written is read back; names that lead out of a folder,
 * sizes and formats that no writer makes are refused. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/firmware-record.h"

#include <string.h>

#define NVRAM \
    "\"nvram\":{\"object\":\"aa\",\"size\":4,\"source\":\"/n\",\"format\":\"%s\"}"
#define TPM   "\"tpm\":{\"version\":\"%s\",\"files\":[%s]}"
#define FILE1 "{\"name\":\"%s\",\"object\":\"bb\",\"size\":%s}"

static JsonObject *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    JsonObject *object = NULL;

    (void)!fsn_json_parse_object(text, strlen(text), 1 << 20, "test", &object, &error);
    g_assert_no_error(error);
    return object;
}

static void
test_round_trip(void)
{
    g_autoptr(GBytes) data = g_bytes_new_static("data", 4);
    g_autoptr(JsonObject) manifest = json_object_new();
    g_auto(FsnFirmwareRecord) in = { 0 };
    g_auto(FsnFirmwareRecord) out = { 0 };
    FsnFirmwareFile *file = fsn_firmware_file_new("tpm2-00.permall", data);
    g_autoptr(GError) error = NULL;

    in.nvram = fsn_firmware_file_new("nvram", data);
    in.nvram->object = g_strdup("aa");
    in.nvram_source = g_strdup("/var/one_VARS.fd");
    in.nvram_format = g_strdup("qcow2");
    in.tpm_version = g_strdup("2.0");
    in.tpm_files = g_ptr_array_new_with_free_func(fsn_firmware_file_free);
    file->object = g_strdup("bb");
    g_ptr_array_add(in.tpm_files, file);
    fsn_firmware_record_add(&in, manifest);
    g_assert_true(fsn_firmware_record_read(manifest, &out, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(out.nvram->object, ==, "aa");
    g_assert_cmpuint(out.nvram->size, ==, 4);
    g_assert_cmpstr(out.nvram_source, ==, "/var/one_VARS.fd");
    g_assert_cmpstr(out.nvram_format, ==, "qcow2");
    g_assert_cmpstr(out.tpm_version, ==, "2.0");
    g_assert_cmpuint(out.tpm_files->len, ==, 1);
    file = out.tpm_files->pdata[0];
    g_assert_cmpstr(file->name, ==, "tpm2-00.permall");
    g_assert_cmpstr(file->object, ==, "bb");
}

static void
test_nothing(void)
{
    g_autoptr(JsonObject) manifest = parse("{\"disks\":[]}");
    g_auto(FsnFirmwareRecord) out = { 0 };

    g_assert_true(fsn_firmware_record_read(manifest, &out, NULL));
    g_assert_null(out.nvram);
    g_assert_null(out.tpm_files);
}

G_GNUC_PRINTF(1, 2)

static void
refused(const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autoptr(JsonObject) manifest = NULL;
    g_auto(FsnFirmwareRecord) out = { 0 };
    g_autoptr(GError) error = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    manifest = parse(text);
    g_assert_false(fsn_firmware_record_read(manifest, &out, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_null(out.nvram);
    g_assert_null(out.tpm_files);
}

static void
test_refused(void)
{
    static const char *const names[] = { "",    ".",  "..",  ".lock", "../x",
                                         "a/b", "/x", "a b", "a\\nb" };
    g_autofree char *long_name = g_strnfill(65, 'a');
    g_autoptr(GString) many = g_string_new(NULL);

    refused("{" NVRAM "}", "vmdk");
    refused("{\"nvram\":[]}");
    refused("{\"nvram\":{\"object\":\"aa\",\"size\":67108865,\"source\":\"/n\","
            "\"format\":\"raw\"}}");
    refused("{" TPM "}", "3.0", "");
    refused("{" TPM "}", "2.0", "7");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        refused("{\"tpm\":{\"version\":\"2.0\",\"files\":[" FILE1 "]}}", names[i], "1");
    }
    refused("{\"tpm\":{\"version\":\"2.0\",\"files\":[" FILE1 "]}}", long_name, "1");
    refused("{\"tpm\":{\"version\":\"2.0\",\"files\":[" FILE1 "]}}", "a", "-1");
    refused("{\"tpm\":{\"version\":\"2.0\",\"files\":[" FILE1 "]}}", "a", "1048577");
    refused("{\"tpm\":{\"version\":\"2.0\",\"files\":[" FILE1 "," FILE1 "]}}", "a", "1",
            "a", "1");
    for (int i = 0; i <= FSN_FIRMWARE_MAX_TPM_FILES; i++) {
        g_string_append_printf(many, "%s{\"name\":\"a%d\",\"object\":\"b\",\"size\":1}",
                               i ? "," : "", i);
    }
    refused("{" TPM "}", "2.0", many->str);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firmware-record/round-trip", test_round_trip);
    g_test_add_func("/firmware-record/nothing", test_nothing);
    g_test_add_func("/firmware-record/refused", test_refused);
    return g_test_run();
}
