/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap token: who may use the API by TCP. What is given out is printed once and kept nowhere.
 */
#include "config.h"

#include "access/token.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"

#include <string.h>

#define DAY_US ((int64_t)86400 * G_USEC_PER_SEC)

static char *opt_file;
static char *opt_scope;
static char *opt_prefix;
static char *opt_tag;
static int opt_days;

static GOptionEntry options[] = {
    { "days", 0, 0, G_OPTION_ARG_INT, &opt_days,
      "add: it is good for so many days (for ever)", "N" },
    { "file", 0, 0, G_OPTION_ARG_FILENAME, &opt_file, "file of the tokens", "FILE" },
    { "prefix", 0, 0, G_OPTION_ARG_STRING, &opt_prefix,
      "add: for domains whose names begin with TEXT only", "TEXT" },
    { "scope", 0, 0, G_OPTION_ARG_STRING, &opt_scope,
      "add: read (default), operate or admin", "SCOPE" },
    { "tag", 0, 0, G_OPTION_ARG_STRING, &opt_tag, "add: for domains with this tag only",
      "TAG" },
    G_OPTION_ENTRY_NULL,
};

static JsonObject *
token_json(const FsnToken *token)
{
    JsonObject *object = json_object_new();
    g_autofree char *created = fsn_rfc3339(token->created_us);
    g_autofree char *expires =
        token->expires_us > 0 ? fsn_rfc3339(token->expires_us) : NULL;

    json_object_set_string_member(object, "name", token->name);
    json_object_set_string_member(object, "id", token->id);
    json_object_set_string_member(object, "scope", fsn_scope_name(token->scope));
    json_object_set_string_member(object, "created", created);
    json_object_set_member(object, "expires",
                           expires ? json_node_init_string(json_node_alloc(), expires)
                                   : json_node_init_null(json_node_alloc()));
    if (token->tenant.prefix) {
        json_object_set_string_member(object, "prefix", token->tenant.prefix);
    }
    if (token->tenant.tag) {
        json_object_set_string_member(object, "tag", token->tenant.tag);
    }
    return object;
}

static bool
run_list(FsnCliContext *context, const GPtrArray *tokens)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lllll");
    g_autofree char *text = NULL;
    JsonArray *array = json_array_new();
    int64_t now_us = fsn_realtime_us();

    fsn_cli_table_add(table, "NAME", "SCOPE", "PREFIX", "TAG", "EXPIRES");
    for (guint i = 0; i < tokens->len; i++) {
        const FsnToken *token = tokens->pdata[i];
        g_autofree char *expires = fsn_rfc3339(token->expires_us);
        bool over = token->expires_us > 0 && token->expires_us <= now_us;

        json_array_add_object_element(array, token_json(token));
        fsn_cli_table_add(table, token->name, fsn_scope_name(token->scope),
                          token->tenant.prefix ? token->tenant.prefix : "-",
                          token->tenant.tag ? token->tenant.tag : "-",
                          token->expires_us == 0 ? "never"
                          : over                 ? "is over"
                                                 : expires);
    }
    json_object_set_array_member(context->document, "tokens", array);
    text = fsn_cli_table_text(table);
    fsn_cli_print(context, "%s", text);
    return true;
}

static guint
find(const GPtrArray *tokens, const char *name)
{
    guint i = 0;

    while (i < tokens->len && strcmp(((FsnToken *)tokens->pdata[i])->name, name) != 0) {
        i++;
    }
    return i;
}

static bool
run_add(FsnCliContext *context,
        GPtrArray *tokens,
        const char *path,
        const char *name,
        GError **error)
{
    FsnScope scope = FSN_SCOPE_READ;
    g_autofree char *secret = NULL;
    int64_t now_us = fsn_realtime_us();
    FsnToken *token;

    if (opt_scope && !fsn_scope_parse(opt_scope, &scope, error)) {
        return false;
    }
    if (opt_days < 0 || opt_days > 36500) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--days must be from 1 to 36500");
        return false;
    }
    if (find(tokens, name) < tokens->len) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "there is a token '%s' already",
                    name);
        return false;
    }
    token = fsn_token_new(name, scope, opt_prefix, opt_tag, now_us,
                          opt_days > 0 ? now_us + opt_days * DAY_US : 0, &secret, error);
    if (!token) {
        return false;
    }
    g_ptr_array_add(tokens, token);
    if (!fsn_tokens_save(path, tokens, error)) {
        return false;
    }
    g_autoptr(JsonObject) object = token_json(token);

    fsn_cli_add_result(context, object);
    json_object_set_string_member(context->document, "token", secret);
    fsn_cli_print(context, "%s\n", secret);
    return true;
}

static bool
run_remove(FsnCliContext *context,
           GPtrArray *tokens,
           const char *path,
           const char *name,
           GError **error)
{
    guint i = find(tokens, name);

    if (i == tokens->len) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no token '%s'",
                    name);
        return false;
    }
    g_ptr_array_remove_index(tokens, i);
    if (!fsn_tokens_save(path, tokens, error)) {
        return false;
    }
    json_object_set_string_member(context->document, "removed", name);
    fsn_cli_say(context, "removed token '%s'", name);
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *path = opt_file ? g_strdup(opt_file) : fsn_tokens_default_path();
    g_autoptr(GPtrArray) tokens = fsn_tokens_load(path, error);

    if (!tokens) {
        return false;
    }
    if (strcmp(args[0], "list") == 0 && !args[1]) {
        return run_list(context, tokens);
    }
    if (strcmp(args[0], "add") == 0 && args[1]) {
        return run_add(context, tokens, path, args[1], error);
    }
    if (strcmp(args[0], "remove") == 0 && args[1]) {
        return run_remove(context, tokens, path, args[1], error);
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                "say 'list', 'add NAME' or 'remove NAME'");
    return false;
}

const FsnCliCommand fsn_cmd_token = {
    .name = "token",
    .arguments = "list|add NAME|remove NAME",
    .summary = "say who may use the API by TCP",
    .options = options,
    .min_args = 1,
    .max_args = 2,
    .run = run,
};
