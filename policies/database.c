/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declarations of databases: text in, a bounded list out. They may come from whoever may edit a
 * domain's metadata, so everything is checked and nothing passed over. What runs the commands is
 * elsewhere, and no shell has a part in it.
 */
#include "config.h"

#include "policies/database.h"

#include "base/error.h"
#include "policies/profile-value.h"
#include "policies/suggest.h"

#include <string.h>

#define MAX_DATABASES 16
#define MAX_PLACES    8
#define MAX_WORDS     64
#define MAX_COMMAND   2048
#define MAX_NAME      64
#define MAX_TARGET    32
#define MAX_PARTITION 256
#define DEFAULT_LIMIT (30 * (int64_t)1000000)

static void
place_free(gpointer data)
{
    FsnDatabasePlace *place = data;

    g_free(place->target);
    g_free(place);
}

void
fsn_database_free(FsnDatabase *database)
{
    if (database) {
        g_free(database->name);
        g_ptr_array_unref(database->places);
        g_strfreev(database->quiesce);
        g_strfreev(database->release);
        g_free(database);
    }
}

static FsnDatabase *
database_new(void)
{
    FsnDatabase *database = g_new0(FsnDatabase, 1);

    database->places = g_ptr_array_new_with_free_func(place_free);
    database->limit_us = database->release_limit_us = DEFAULT_LIMIT;
    return database;
}

static bool G_GNUC_PRINTF(2, 3) refuse(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *valid = NULL; /* what is quoted may be cut inside a character */
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    valid = g_utf8_make_valid(text, -1);
    g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT, valid);
    return false;
}

static bool
is_word(const char *text, size_t max, const char *more)
{
    size_t n = strlen(text);

    for (const char *p = text; *p; p++) {
        if (!g_ascii_isalnum(*p) && !strchr(more, *p)) {
            return false;
        }
    }
    return n > 0 && n <= max && g_ascii_isalnum(*text);
}

/* Splits @text as a shell would. A '#' would begin a comment, which nobody means here. */
static bool
split_words(const char *text, char ***out_words, GError **error)
{
    g_autoptr(GError) local = NULL;
    int n;

    if (!g_shell_parse_argv(text, &n, out_words, &local)) {
        return refuse(error, "'%.60s' cannot be split into words: %s", text,
                      local->message);
    }
    return true;
}

static bool
parse_command(const char *text, char ***out_words, GError **error)
{
    g_auto(GStrv) words = NULL;

    if (strlen(text) > MAX_COMMAND) {
        return refuse(error, "a command has at most %d bytes", MAX_COMMAND);
    }
    if (!split_words(text, &words, error)) {
        return false;
    }
    if (g_strv_length(words) > MAX_WORDS || !*words[0]) {
        return refuse(error, "a command is a program and at most %d words",
                      MAX_WORDS - 1);
    }
    *out_words = g_steal_pointer(&words);
    return true;
}

static bool
parse_place(FsnDatabase *database, const char *text, GError **error)
{
    const char *colon = strchr(text, ':');
    g_autofree char *target =
        colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    guint64 number = 0;
    FsnDatabasePlace *place;

    if (!is_word(target, MAX_TARGET, "") ||
        (colon &&
         !g_ascii_string_to_unsigned(colon + 1, 10, 1, MAX_PARTITION, &number, NULL))) {
        return refuse(error, "on=%.60s: write DISK or DISK:PARTITION, such as vda:1",
                      text);
    }
    if (database->places->len >= MAX_PLACES) {
        return refuse(error, "it is on more than %d disks and partitions", MAX_PLACES);
    }
    place = g_new0(FsnDatabasePlace, 1);
    place->target = g_steal_pointer(&target);
    place->partition = (unsigned)number;
    g_ptr_array_add(database->places, place);
    return true;
}

static bool
parse_places(FsnDatabase *database, const char *text, GError **error)
{
    g_auto(GStrv) places = g_strsplit(text, ",", -1);

    for (char **place = places; *place; place++) {
        if (!parse_place(database, *place, error)) {
            return false;
        }
    }
    return true;
}

static bool
parse_limit(const char *key, const char *text, int64_t *out_us, GError **error)
{
    static const FsnValueRule rule = { .type = FSN_VALUE_DURATION,
                                       .min = 1000000,
                                       .max = UINT64_C(600) * 1000000 };
    FsnValue value;

    if (!fsn_value_parse(&rule, text, &value, error)) {
        g_prefix_error(error, "%s: ", key);
        return false;
    }
    *out_us = (int64_t)value.number;
    return true;
}

static bool
parse_failure(const char *text, FsnDatabaseOnFailure *out_failure, GError **error)
{
    if (strcmp(text, "continue") == 0) {
        *out_failure = FSN_DATABASE_CONTINUE;
    } else if (strcmp(text, "fail") == 0) {
        *out_failure = FSN_DATABASE_FAIL;
    } else {
        return refuse(error, "on-failure is continue or fail, not '%.60s'", text);
    }
    return true;
}

static const char *const keys[] = { "on",    "quiesce",       "release",
                                    "limit", "release-limit", "on-failure",
                                    NULL };

static bool
set_key(FsnDatabase *database, unsigned key, const char *value, GError **error)
{
    switch (key) {
    case 0:
        return parse_places(database, value, error);
    case 1:
        return parse_command(value, &database->quiesce, error);
    case 2:
        return parse_command(value, &database->release, error);
    case 3:
        return parse_limit(keys[key], value, &database->limit_us, error);
    case 4:
        return parse_limit(keys[key], value, &database->release_limit_us, error);
    case 5:
        return parse_failure(value, &database->on_failure, error);
    }
    g_assert_not_reached();
}

static bool
parse_word(FsnDatabase *database, const char *word, unsigned *seen, GError **error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *key = equals ? g_strndup(word, (gsize)(equals - word)) : NULL;
    const char *nearest;

    for (unsigned i = 0; key && keys[i]; i++) {
        if (strcmp(key, keys[i]) != 0) {
            continue;
        }
        if (*seen & 1u << i) {
            return refuse(error, "%s is there twice", key);
        }
        *seen |= 1u << i;
        return set_key(database, i, equals + 1, error);
    }
    nearest = key ? fsn_suggest(key, keys) : NULL;
    return refuse(error,
                  "'%.60s' is not known%s%s%s; allowed: on, quiesce, release, limit, "
                  "release-limit, on-failure, each with '=' and a value",
                  word, nearest ? ", did you mean '" : "", nearest ? nearest : "",
                  nearest ? "'" : "");
}

static bool
parse_words(FsnDatabase *database, char **words, GError **error)
{
    unsigned seen = 0;

    for (char **word = words; *word; word++) {
        if (!parse_word(database, *word, &seen, error)) {
            return false;
        }
    }
    if (database->places->len == 0 || !database->quiesce) {
        return refuse(error, "%s= is missing",
                      database->places->len == 0 ? "on" : "quiesce");
    }
    return true;
}

static bool
parse_database(GPtrArray *databases, const char *text, GError **error)
{
    g_autoptr(FsnDatabase) database = database_new();
    g_auto(GStrv) words = NULL;

    if (!split_words(text, &words, error)) {
        return false;
    }
    if (!is_word(words[0], MAX_NAME, "-_.")) {
        return refuse(error,
                      "'%.60s' is no name of a database: letters, digits, '-', '_' and "
                      "'.', at most %d",
                      words[0], MAX_NAME);
    }
    for (guint i = 0; i < databases->len; i++) {
        if (strcmp(((FsnDatabase *)databases->pdata[i])->name, words[0]) == 0) {
            return refuse(error, "database '%s' is there twice", words[0]);
        }
    }
    if (databases->len >= MAX_DATABASES) {
        return refuse(error, "there are more than %d databases", MAX_DATABASES);
    }
    database->name = g_strdup(words[0]);
    if (!parse_words(database, words + 1, error)) {
        g_prefix_error(error, "database '%s': ", database->name);
        return false;
    }
    g_ptr_array_add(databases, g_steal_pointer(&database));
    return true;
}

/* The end of the declaration that begins at @text: a ';' that is not quoted, or the end. NULL
 * if there is a '#' that is not. */
static const char *
find_end(const char *text)
{
    char quote = 0;

    for (; *text; text++) {
        if (*text == '\\' && quote != '\'' && text[1]) {
            text++;
        } else if (quote) {
            quote = *text == quote ? 0 : quote;
        } else if (*text == '"' || *text == '\'') {
            quote = *text;
        } else if (*text == ';') {
            break;
        } else if (*text == '#') {
            return NULL;
        }
    }
    return text;
}

bool
fsn_databases_parse(const char *text, GPtrArray **out_databases, GError **error)
{
    g_autoptr(GPtrArray) databases =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_database_free);

    while (*text) {
        const char *end = find_end(text);
        g_autofree char *one = end ? g_strndup(text, (gsize)(end - text)) : NULL;

        if (!end) {
            return refuse(error, "a '#' has to be quoted");
        }
        if (*g_strstrip(one) && !parse_database(databases, one, error)) {
            return false;
        }
        text = *end ? end + 1 : end;
    }
    *out_databases = g_steal_pointer(&databases);
    return true;
}

char *
fsn_database_place_text(const FsnDatabasePlace *place)
{
    return place->partition > 0
               ? g_strdup_printf("%s:%u", place->target, place->partition)
               : g_strdup(place->target);
}

FsnDatabaseAction
fsn_database_plan(const FsnDatabaseFound *f, char **out_reason)
{
    const char *pass = f->level == FSN_LEVEL_MINIMAL
                           ? "level minimal keeps nothing of databases"
                       : f->unwanted ? "nothing was to be brought to rest"
                       : f->off      ? "the domain is off"
                       : f->parts    ? "only parts of disks were asked for"
                                     : NULL;

    if (pass) {
        *out_reason = g_strdup(pass);
        return FSN_DATABASE_PASS;
    }
    if (f->absent) {
        *out_reason = g_strdup_printf("the domain has no disk '%s'", f->absent);
        return FSN_DATABASE_CANNOT;
    }
    if (!f->some_taken) {
        *out_reason = g_strdup_printf("disk '%s' is not taken", f->untaken);
        return FSN_DATABASE_PASS;
    }
    if (f->memory && !f->insisted) {
        *out_reason = g_strdup("the memory of the same instant has what its disks lack");
        return FSN_DATABASE_PASS;
    }
    if (f->untaken) {
        *out_reason = g_strdup_printf("disk '%s' is not taken", f->untaken);
        return FSN_DATABASE_CANNOT;
    }
    if (!f->running || !f->connected) {
        *out_reason = g_strdup(!f->running ? "the guest stands still"
                               : f->agent  ? "the guest's agent is not connected"
                                           : "the domain has no channel for an agent");
        return FSN_DATABASE_CANNOT;
    }
    *out_reason = g_strdup("brought to rest by the guest's agent");
    return FSN_DATABASE_QUIESCE;
}

bool
fsn_database_goes_on(const FsnDatabase *database, bool profile_fails)
{
    switch (database->on_failure) {
    case FSN_DATABASE_AS_PROFILE:
        return !profile_fails;
    case FSN_DATABASE_CONTINUE:
        return true;
    case FSN_DATABASE_FAIL:
        return false;
    }
    g_assert_not_reached();
}
