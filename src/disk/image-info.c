/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What qemu-img knows of a disk image that no QEMU need have open. */
#include "config.h"

#include "disk/image-info.h"

#include "base/error.h"
#include "base/json.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_TEXT ((size_t)4 << 20)

bool
fsn_disk_image_info_parse(const char *text,
                          size_t len,
                          FsnDiskImageInfo *out_info,
                          GError **error)
{
    g_autoptr(JsonObject) o = NULL;
    int64_t size;

    if (!fsn_json_parse_object(text, len, MAX_TEXT, "answer of qemu-img", &o, error) ||
        !fsn_json_get_int(o, "virtual-size", 0, G_MAXINT64, &size, error)) {
        return false;
    }
    *out_info = (FsnDiskImageInfo){ .virtual_size = (uint64_t)size };
    return true;
}

bool
fsn_disk_image_info(const char *path,
                    const char *format,
                    FsnDiskImageInfo *out_info,
                    GError **error)
{
    const char *argv[] = {
        "qemu-img", "info", "--force-share", "--output=json", "-f", format, path, NULL
    };
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error);
    g_autofree char *out = NULL;
    g_autofree char *said = NULL;

    if (!process ||
        !g_subprocess_communicate_utf8(process, NULL, NULL, &out, &said, error)) {
        g_prefix_error(error, "qemu-img (is it installed?): ");
        return false;
    }
    if (!g_subprocess_get_successful(process)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "%s",
                    said && *said ? g_strstrip(said) : "qemu-img info failed");
        return false;
    }
    return fsn_disk_image_info_parse(out, strlen(out), out_info, error);
}
