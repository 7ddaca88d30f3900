/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/api: which route a path is, and what becomes an argument of a command. */
#include "config.h"

#include "api/job-arguments.h"
#include "api/private.h"
#include "base/error.h"
#include "base/json.h"

#include <string.h>

static FsnRouteResult
find(const char *method, const char *path, const FsnApiRoute **route, char **parameter)
{
    size_t n;
    const FsnApiRoute *routes = fsn_api_routes(&n);
    char *parameters[FSN_API_PARAMETERS] = { NULL };
    FsnRouteResult result =
        fsn_api_route_find(routes, n, method, path, route, parameters);

    *parameter = parameters[0];
    g_free(parameters[1]);
    return result;
}

static void
test_paths(void)
{
    static const struct {
        const char *method, *path;
        FsnRouteResult result;
        const char *template, *parameter;
    } cases[] = {
        { "GET", "/v1/domains", FSN_ROUTE_FOUND, "/v1/domains", NULL },
        { "GET", "/v1/domains/web", FSN_ROUTE_FOUND, "/v1/domains/{domain}", "web" },
        { "GET", "/v1/domains/a%20b/idle", FSN_ROUTE_FOUND, "/v1/domains/{domain}/idle",
          "a b" },
        { "GET", "/v1/domains/", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/v1/domains//idle", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "//v1/domains", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/v1/domains/web/idle/", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/v1/domains/web/../../etc", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/v1/domains/..%2f..%2fetc", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/v1/domains/a%00b", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/v1/domains/a%0ab", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/v1/domains/%ff", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/v1/domains/%zz", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "/V1/domains", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "GET", "", FSN_ROUTE_NO_PATH, NULL, NULL },
        { "DELETE", "/v1/domains", FSN_ROUTE_NO_METHOD, NULL, NULL },
        { "get", "/v1/domains", FSN_ROUTE_NO_METHOD, NULL, NULL },
        { "DELETE", "/v1/jobs/abcd", FSN_ROUTE_FOUND, "/v1/jobs/{job}", "abcd" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const FsnApiRoute *route = NULL;
        g_autofree char *parameter = NULL;

        g_test_message("%s %s", cases[i].method, cases[i].path);
        g_assert_cmpint(find(cases[i].method, cases[i].path, &route, &parameter), ==,
                        cases[i].result);
        g_assert_cmpstr(route ? route->path : NULL, ==, cases[i].template);
        g_assert_cmpstr(parameter, ==, cases[i].parameter);
    }
}

static void
test_methods(void)
{
    size_t n;
    const FsnApiRoute *routes = fsn_api_routes(&n);
    g_autofree char *jobs = fsn_api_route_methods(routes, n, "/v1/jobs");
    g_autofree char *none = fsn_api_route_methods(routes, n, "/v1/nothing");

    g_assert_cmpstr(jobs, ==, "GET, POST");
    g_assert_cmpstr(none, ==, "");
}

/* What changes something needs more than to look, and what has a body is a change. */
static void
test_scopes(void)
{
    size_t n;
    const FsnApiRoute *routes = fsn_api_routes(&n);

    for (size_t i = 0; i < n; i++) {
        const FsnApiRoute *route = &routes[i];
        bool looks = strcmp(route->method, "GET") == 0 ||
                     g_str_has_suffix(route->path, "/check") ||
                     g_str_has_suffix(route->path, "/preview");

        g_test_message("%s %s", route->method, route->path);
        g_assert_true(looks || route->scope >= FSN_SCOPE_OPERATE);
        g_assert_true(route->scope > FSN_SCOPE_NONE || route->flags & FSN_ROUTE_OPEN);
        g_assert_true(!(route->flags & FSN_ROUTE_BODY) ||
                      strcmp(route->method, "GET") != 0);
    }
}

static char *
arguments(const char *body, const char *object, GError **error)
{
    g_autoptr(JsonObject) json = NULL;
    const FsnJobKind *kind;
    g_auto(GStrv) list = NULL;

    g_assert_true(fsn_json_parse_object(body, strlen(body), 65536, "body", &json, NULL));
    kind = fsn_api_job_kind(fsn_json_peek_string(json, "operation", ""));
    g_assert_nonnull(kind);
    list = fsn_api_job_arguments(kind, object, json, error);
    return list ? g_strjoinv("|", list) : NULL;
}

static void
test_arguments(void)
{
    static const struct {
        const char *body, *object, *result; /* NULL: refused */
    } cases[] = {
        { "{\"operation\": \"suspend\"}", "u", "suspend|--|u" },
        { "{\"operation\": \"suspend\", \"domain\": \"--help\"}", "u", "suspend|--|u" },
        { "{\"operation\": \"suspend\", \"ahead_s\": 5}", "u", "suspend|--ahead=5|--|u" },
        { "{\"operation\": \"suspend\", \"ahead_s\": -5}", "u", NULL },
        { "{\"operation\": \"suspend\", \"ahead_s\": \"5\"}", "u", NULL },
        { "{\"operation\": \"suspend\", \"paused\": false}", "u", "suspend|--|u" },
        { "{\"operation\": \"suspend\", \"paused\": 1}", "u", NULL },
        { "{\"operation\": \"suspend\", \"repo\": \"/etc\"}", "u", NULL },
        { "{\"operation\": \"resume\", \"mode\": \"--help\"}", "u",
          "resume|--mode=--help|--|u" },
        { "{\"operation\": \"snapshot\", \"name\": \"\"}", "u", NULL },
        { "{\"operation\": \"snapshot\", \"name\": \"a\\nb\"}", "u", NULL },
        { "{\"operation\": \"snapshot\", \"name\": null}", "u", NULL },
        { "{\"operation\": \"snapshot\", \"name\": [\"a\"]}", "u", NULL },
        { "{\"operation\": \"restore\", \"as\": \"-x\", \"start\": true}", "s",
          "restore|--as=-x|--start|--|s" },
        { "{\"operation\": \"restore\", \"dir\": \"/etc\"}", "s", NULL },
        { "{\"operation\": \"gc\"}", NULL, "gc" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *result = arguments(cases[i].body, cases[i].object, &error);

        g_test_message("%s", cases[i].body);
        g_assert_cmpstr(result, ==, cases[i].result);
        if (!result) {
            g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        }
    }
    g_assert_null(fsn_api_job_kind("rm"));
    g_assert_null(fsn_api_job_kind(""));
}

static void
test_static(void)
{
    static const char *const bad[] = {
        "/../config.h", "/.hidden", "/web.gresource.xml", "/a/b",   "/index.html/",
        "index.html",   "",         "/nothing.js",        "/%2e%2e"
    };
    g_autoptr(GBytes) bytes = NULL;
    const char *type;

    g_assert_true(fsn_api_static("/", &bytes, &type));
    g_assert_cmpstr(type, ==, "text/html; charset=utf-8");
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GBytes) none = NULL;

        g_assert_false(fsn_api_static(bad[i], &none, &type));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/api/paths", test_paths);
    g_test_add_func("/api/methods", test_methods);
    g_test_add_func("/api/scopes", test_scopes);
    g_test_add_func("/api/arguments", test_arguments);
    g_test_add_func("/api/static", test_static);
    return g_test_run();
}
