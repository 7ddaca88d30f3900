/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/api/openapi.json: each route is described there, with its scope and parameters, and nothing
 * is that is no route. */
#include "config.h"

#include "api/job-arguments.h"
#include "api/private.h"
#include "base/json.h"

#include <string.h>

static JsonObject *
description(void)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    JsonObject *document;
    const char *type;

    g_assert_true(fsn_api_static("/openapi.json", &bytes, &type));
    g_assert_true(fsn_json_parse_object(g_bytes_get_data(bytes, NULL),
                                        g_bytes_get_size(bytes), 1 << 20, "openapi.json",
                                        &document, &error));
    g_assert_no_error(error);
    return document;
}

static JsonObject *
member(JsonObject *object, const char *name)
{
    JsonObject *value;
    g_autoptr(GError) error = NULL;

    if (!fsn_json_get_object(object, name, &value, &error)) {
        g_error("%s", error->message);
    }
    return value;
}

static unsigned
count_parameters(JsonObject *operation)
{
    JsonArray *array = json_object_has_member(operation, "parameters")
                           ? json_object_get_array_member(operation, "parameters")
                           : NULL;
    unsigned n = 0;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonObject *parameter = json_array_get_object_element(array, i);

        n += strcmp(json_object_get_string_member(parameter, "in"), "path") == 0;
    }
    return n;
}

static void
test_routes_are_described(void)
{
    g_autoptr(JsonObject) document = description();
    JsonObject *paths = member(document, "paths");
    size_t n;
    const FsnApiRoute *routes = fsn_api_routes(&n);

    for (size_t i = 0; i < n; i++) {
        g_autofree char *method = g_ascii_strdown(routes[i].method, -1);
        JsonObject *operation = member(member(paths, routes[i].path), method);
        unsigned parameters = 0;

        g_test_message("%s %s", routes[i].method, routes[i].path);
        g_assert_cmpstr(json_object_get_string_member(operation, "x-scope"), ==,
                        fsn_scope_name(routes[i].scope));
        for (const char *p = routes[i].path; *p; p++) {
            parameters += *p == '{';
        }
        g_assert_cmpuint(count_parameters(operation), ==, parameters);
        g_assert_true(json_object_has_member(operation, "requestBody") ==
                      ((routes[i].flags & FSN_ROUTE_BODY) != 0));
    }
}

static bool
is_route(const char *method, const char *path)
{
    size_t n;
    const FsnApiRoute *routes = fsn_api_routes(&n);

    for (size_t i = 0; i < n; i++) {
        if (g_ascii_strcasecmp(routes[i].method, method) == 0 &&
            strcmp(routes[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

static void
test_nothing_else_is(void)
{
    g_autoptr(JsonObject) document = description();
    JsonObject *paths = member(document, "paths");
    g_autoptr(GList) names = json_object_get_members(paths);

    for (GList *path = names; path; path = path->next) {
        g_autoptr(GList) methods = json_object_get_members(member(paths, path->data));

        for (GList *method = methods; method; method = method->next) {
            g_test_message("%s %s", (char *)method->data, (char *)path->data);
            g_assert_true(is_route(method->data, path->data));
        }
    }
}

/* The operations of jobs are those that there are. */
static void
test_operations(void)
{
    g_autoptr(JsonObject) document = description();
    JsonObject *schemas = member(member(document, "components"), "schemas");
    JsonObject *properties = member(member(schemas, "JobRequest"), "properties");
    JsonArray *words =
        json_object_get_array_member(member(properties, "operation"), "enum");
    size_t n;

    (void)fsn_api_job_kinds(&n);
    g_assert_cmpuint(json_array_get_length(words), ==, n);
    for (guint i = 0; i < n; i++) {
        g_assert_nonnull(fsn_api_job_kind(json_array_get_string_element(words, i)));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/openapi/routes", test_routes_are_described);
    g_test_add_func("/openapi/nothing-else", test_nothing_else_is);
    g_test_add_func("/openapi/operations", test_operations);
    return g_test_run();
}
