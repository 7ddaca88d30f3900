/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which route a path is. The path is compared segment by segment as it was sent, and decoded
 * only then: "%2F" is never taken for a slash, and no parameter is ever used as the name of a
 * file. Pure.
 */
#include "config.h"

#include "api/private.h"

#include <string.h>

static bool
is_parameter(const char *segment)
{
    return *segment == '{';
}

/* The text of a parameter; NULL if it is empty or not what anybody would write. */
static char *
decode(const char *segment)
{
    g_autofree char *text = g_uri_unescape_string(segment, "/");

    if (!text || !*text || !g_utf8_validate(text, -1, NULL)) {
        return NULL;
    }
    for (const char *p = text; *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            return NULL;
        }
    }
    return g_steal_pointer(&text);
}

static bool
matches(const char *template, char **segments, char *out_parameters[FSN_API_PARAMETERS])
{
    g_auto(GStrv) wanted = g_strsplit(template, "/", -1);
    size_t n = 0;

    if (g_strv_length(wanted) != g_strv_length(segments)) {
        return false;
    }
    for (size_t i = 0; wanted[i]; i++) {
        if (is_parameter(wanted[i])) {
            out_parameters[n] = decode(segments[i]);
            if (!out_parameters[n++]) {
                return false;
            }
        } else if (strcmp(wanted[i], segments[i]) != 0) {
            return false;
        }
    }
    return true;
}

static void
clear(char *parameters[FSN_API_PARAMETERS])
{
    for (size_t i = 0; i < FSN_API_PARAMETERS; i++) {
        g_clear_pointer(&parameters[i], g_free);
    }
}

FsnRouteResult
fsn_api_route_find(const FsnApiRoute *routes,
                   size_t n,
                   const char *method,
                   const char *path,
                   const FsnApiRoute **out_route,
                   char *out_parameters[FSN_API_PARAMETERS])
{
    g_auto(GStrv) segments = g_strsplit(path, "/", 16);
    FsnRouteResult result = FSN_ROUTE_NO_PATH;
    char *parameters[FSN_API_PARAMETERS] = { NULL };

    for (size_t i = 0; i < n; i++) {
        if (matches(routes[i].path, segments, parameters)) {
            if (strcmp(routes[i].method, method) == 0) {
                memcpy(out_parameters, parameters, sizeof(parameters));
                *out_route = &routes[i];
                return FSN_ROUTE_FOUND;
            }
            result = FSN_ROUTE_NO_METHOD;
        }
        clear(parameters);
    }
    return result;
}

char *
fsn_api_route_methods(const FsnApiRoute *routes, size_t n, const char *path)
{
    g_auto(GStrv) segments = g_strsplit(path, "/", 16);
    GString *methods = g_string_new(NULL);
    char *parameters[FSN_API_PARAMETERS] = { NULL };

    for (size_t i = 0; i < n; i++) {
        if (matches(routes[i].path, segments, parameters)) {
            g_string_append_printf(methods, "%s%s", methods->len > 0 ? ", " : "",
                                   routes[i].method);
        }
        clear(parameters);
    }
    return g_string_free(methods, FALSE);
}
