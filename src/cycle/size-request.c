/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes that wait for the end of a resume. What is damaged counts as absent. */
#include "config.h"

#include "cycle/size-request.h"

#include "base/files.h"
#include "base/json.h"

#include <string.h>
#include <unistd.h>

#define FOLDER     "size"
#define MAX_SIZE   4096
#define MAX_MEMORY (INT64_C(1) << 50)

static char *
path_of(const char *state_dir, const char *uuid)
{
    return g_build_filename(state_dir, FOLDER, uuid, NULL);
}

bool
fsn_size_request_write(const char *state_dir,
                       const char *uuid,
                       const FsnSizeRequest *request,
                       GError **error)
{
    g_autofree char *folder = g_build_filename(state_dir, FOLDER, NULL);
    g_autofree char *path = path_of(state_dir, uuid);
    g_autofree char *text = g_strdup_printf(
        "{\"version\": 1, \"vcpus\": %u, \"memory\": %" G_GUINT64_FORMAT "}\n",
        request->vcpus, request->memory);

    if (!fsn_mkdirs(folder, 0700, error) ||
        !fsn_file_replace(path, text, strlen(text), 0600, error)) {
        g_prefix_error(error, "cannot note the size: ");
        return false;
    }
    return true;
}

static bool
parse(GBytes *bytes, FsnSizeRequest *request)
{
    g_autoptr(JsonObject) object = NULL;
    int64_t version;
    int64_t vcpus;
    int64_t memory;
    size_t n;
    const char *text = g_bytes_get_data(bytes, &n);

    if (!fsn_json_parse_object(text, n, MAX_SIZE, "size", &object, NULL) ||
        !fsn_json_get_int(object, "version", 1, 1, &version, NULL) ||
        !fsn_json_get_int(object, "vcpus", 1, UINT16_MAX, &vcpus, NULL) ||
        !fsn_json_get_int(object, "memory", 1, MAX_MEMORY, &memory, NULL)) {
        return false;
    }
    request->vcpus = (unsigned)vcpus;
    request->memory = (uint64_t)memory;
    return true;
}

bool
fsn_size_request_take(const char *state_dir,
                      const char *uuid,
                      FsnSizeRequest *out_request)
{
    g_autofree char *path = path_of(state_dir, uuid);
    g_autoptr(GBytes) bytes = NULL;

    /* Of two that take it one gets it: the one who removes it. */
    return fsn_file_read(path, MAX_SIZE, &bytes, NULL) && unlink(path) == 0 &&
           parse(bytes, out_request);
}
