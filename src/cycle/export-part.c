/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small parts of a snapshot, as files. */
#include "config.h"

#include "cycle/export-part.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/cargo.h"
#include "cycle/logs.h"
#include "repo/manifests.h"

#include <string.h>

static bool
find_member(JsonObject *manifest,
            const char *member,
            const char **out_object,
            GError **error)
{
    JsonObject *ref;

    if (!json_object_has_member(manifest, member)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "the snapshot has no %s",
                    strcmp(member, "config") == 0
                        ? "configuration of networks, pools and filters"
                        : member);
        return false;
    }
    return fsn_json_get_object(manifest, member, &ref, error) &&
           fsn_json_get_string(ref, "object", out_object, error);
}

static bool
write_file(const char *path, GBytes *bytes, bool force, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);

    return force ? fsn_file_replace(absolute, data, len, 0600, error)
                 : fsn_file_create_exclusive(absolute, data, len, 0600, error);
}

bool
fsn_cycle_export_part(FsnCycle *cycle,
                      const char *snapshot,
                      const FsnExportPart *part,
                      const char *path,
                      bool force,
                      FsnExportResult *out_result,
                      GError **error)
{
    FsnRepo *repo = fsn_cycle_repo(cycle, error);
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GBytes) bytes = NULL;
    const char *object;
    JsonObject *domain;
    const char *name;
    const char *id;

    if (!repo || !fsn_repo_load_manifest(repo, snapshot, &manifest, error) ||
        !fsn_json_get_string(manifest, "id", &id, error) ||
        !fsn_json_get_object(manifest, "domain", &domain, error) ||
        !fsn_json_get_string(domain, "name", &name, error) ||
        !(part->log ? fsn_logs_find(manifest, part->log, &object, error)
                    : find_member(manifest, part->member, &object, error)) ||
        !fsn_repo_get_object(repo, object, FSN_CARGO_MAX, &bytes, error) ||
        !write_file(path, bytes, force, error)) {
        return false;
    }
    memset(out_result, 0, sizeof *out_result);
    g_strlcpy(out_result->snapshot, id, sizeof out_result->snapshot);
    out_result->domain = g_strdup(name);
    out_result->bytes_written = g_bytes_get_size(bytes);
    return true;
}
