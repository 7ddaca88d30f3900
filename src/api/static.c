/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web page and the description of the API, which are in the program itself: there is no folder
 * that a path could lead out of.
 */
#include "config.h"

#include "api/private.h"
#include "api/resources.h"

#include <string.h>

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },   { ".svg", "image/svg+xml" },
    { ".json", "application/json" },
};

static const char *
type_of(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_str_has_suffix(path, types[i].ending)) {
            return types[i].type;
        }
    }
    return NULL;
}

/* "/" or one name of plain characters. */
static bool
is_plain(const char *path)
{
    if (*path != '/' || path[1] == '.') {
        return false;
    }
    for (const char *p = path + 1; *p; p++) {
        if (!g_ascii_isalnum(*p) && *p != '-' && *p != '.') {
            return false;
        }
    }
    return true;
}

bool
fsn_api_static(const char *path, GBytes **out_bytes, const char **out_type)
{
    const char *name = strcmp(path, "/") == 0 ? "/index.html" : path;
    g_autofree char *resource = NULL;
    GBytes *bytes;

    if (!is_plain(name) || !type_of(name)) {
        return false;
    }
    resource = g_strconcat("/org/foresnap/web", name, NULL);
    bytes = g_resource_lookup_data(fsn_web_get_resource(), resource,
                                   G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    if (!bytes) {
        return false;
    }
    *out_bytes = bytes;
    *out_type = type_of(name);
    return true;
}
