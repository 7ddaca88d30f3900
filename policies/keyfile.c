/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and editing key files line by line. Stricter than GKeyFile, so that a mistake is
 * told instead of read as something else: a key that is there twice, a key of a language, a
 * value whose backslash means nothing.
 */
#include "config.h"

#include "policies/keyfile.h"

#include <string.h>

#define MAX_LINES    4096
#define MAX_PROBLEMS 100

static void
item_free(gpointer data)
{
    FsnKeyfileItem *item = data;

    g_free(item->group);
    g_free(item->key);
    g_free(item->value);
    g_free(item);
}

static void
problem_free(gpointer data)
{
    g_free(((FsnKeyfileProblem *)data)->message);
    g_free(data);
}

void
fsn_keyfile_free(FsnKeyfile *keyfile)
{
    if (keyfile) {
        g_ptr_array_unref(keyfile->items);
        g_ptr_array_unref(keyfile->problems);
        g_free(keyfile);
    }
}

static void G_GNUC_PRINTF(3, 4)
    complain(FsnKeyfile *keyfile, unsigned line, const char *format, ...)
{
    FsnKeyfileProblem *problem;
    va_list args;

    if (keyfile->problems->len >= MAX_PROBLEMS) {
        return;
    }
    problem = g_new0(FsnKeyfileProblem, 1);
    va_start(args, format);
    problem->message = g_strdup_vprintf(format, args);
    va_end(args);
    problem->line = line;
    g_ptr_array_add(keyfile->problems, problem);
}

static void
add_item(FsnKeyfile *keyfile, const char *group, char *key, char *value, unsigned line)
{
    FsnKeyfileItem *item = g_new0(FsnKeyfileItem, 1);

    item->group = g_strdup(group);
    item->key = key;
    item->value = value;
    item->line = line;
    g_ptr_array_add(keyfile->items, item);
}

/* The name of the group in "[name]"; NULL if there is none. The caller frees. */
static char *
group_name(const char *line)
{
    size_t len = strlen(line);

    if (len < 3 || line[len - 1] != ']') {
        return NULL;
    }
    for (size_t i = 1; i < len - 1; i++) {
        if (line[i] == '[' || line[i] == ']' || g_ascii_iscntrl(line[i])) {
            return NULL;
        }
    }
    return g_strndup(line + 1, len - 2);
}

/* The escapes of GKeyFile; NULL for any other. The caller frees. */
static char *
unescape(const char *raw)
{
    static const char letters[] = "sntr\\";
    static const char meanings[] = " \n\t\r\\";
    GString *text = g_string_new(NULL);

    for (; *raw; raw++) {
        const char *found;

        if (*raw != '\\') {
            g_string_append_c(text, *raw);
            continue;
        }
        raw++;
        found = *raw ? strchr(letters, *raw) : NULL;
        if (!found) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_string_append_c(text, meanings[found - letters]);
    }
    return g_string_free(text, FALSE);
}

static char *
escape(const char *value)
{
    GString *text = g_string_new(NULL);

    for (const char *p = value; *p; p++) {
        if (*p == '\\') {
            g_string_append(text, "\\\\");
        } else if (*p == '\t') {
            g_string_append(text, "\\t");
        } else if (*p == ' ' && (p == value || !p[1])) {
            g_string_append(text, "\\s"); /* else nobody would see it */
        } else {
            g_string_append_c(text, *p);
        }
    }
    return g_string_free(text, FALSE);
}

static bool
is_key(const char *key)
{
    return *key && !key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_.")];
}

static void
parse_pair(FsnKeyfile *keyfile, const char *group, char *line, unsigned number)
{
    char *equals = strchr(line, '=');
    g_autofree char *key = NULL;
    char *value;

    if (!equals) {
        complain(keyfile, number,
                 "this is neither [GROUP] nor KEY=VALUE nor a comment (#)");
        return;
    }
    if (!group) {
        complain(keyfile, number, "a key before the first [GROUP]");
        return;
    }
    key = g_strndup(line, (gsize)(equals - line));
    g_strchomp(key);
    if (!is_key(key)) {
        complain(keyfile, number,
                 "'%s' is no key: letters, digits, '-', '_' and '.' only", key);
        return;
    }
    value = unescape(g_strchug(equals + 1));
    if (!value) {
        complain(keyfile, number,
                 "%s: after a backslash only s, n, t, r and a backslash mean something",
                 key);
        return;
    }
    add_item(keyfile, group, g_steal_pointer(&key), value, number);
}

static bool
has_control(const char *line)
{
    for (; *line; line++) {
        if (g_ascii_iscntrl(*line) && *line != '\t') {
            return true;
        }
    }
    return false;
}

static void
parse_line(FsnKeyfile *keyfile, char **group, char *line, unsigned number)
{
    if (g_str_has_suffix(line, "\r")) {
        line[strlen(line) - 1] = '\0';
    }
    if (has_control(line)) {
        complain(keyfile, number, "there is a control character in this line");
        return;
    }
    g_strstrip(line);
    if (!*line || *line == '#') {
        return;
    }
    if (*line != '[') {
        parse_pair(keyfile, *group, line, number);
        return;
    }
    g_free(*group);
    *group = group_name(line);
    if (*group) {
        add_item(keyfile, *group, NULL, NULL, number);
    } else {
        complain(keyfile, number, "'%s' is no group: write [NAME]", line);
        *group = g_strdup("?"); /* what follows is not also complained about */
    }
}

static void
find_duplicates(FsnKeyfile *keyfile)
{
    g_autoptr(GHashTable) lines =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < keyfile->items->len; i++) {
        const FsnKeyfileItem *item = keyfile->items->pdata[i];
        char *name;
        unsigned first;

        if (!item->key) {
            continue;
        }
        name = g_strdup_printf("%s\n%s", item->group, item->key);
        first = GPOINTER_TO_UINT(g_hash_table_lookup(lines, name));
        if (first) {
            complain(keyfile, item->line, "'%s' is given twice, first in line %u",
                     item->key, first);
            g_free(name);
        } else {
            g_hash_table_insert(lines, name, GUINT_TO_POINTER(item->line));
        }
    }
}

static bool
check_text(FsnKeyfile *keyfile, const char *text, size_t len)
{
    const char *end;

    if (len > FSN_KEYFILE_MAX) {
        complain(keyfile, 0, "the file is longer than 256 KiB");
        return false;
    }
    if (!g_utf8_validate(text, (gssize)len, &end)) {
        unsigned line = 1;

        for (const char *p = text; p < end; p++) {
            line += *p == '\n';
        }
        complain(keyfile, line, "this line is not UTF-8 text");
        return false;
    }
    return true;
}

FsnKeyfile *
fsn_keyfile_parse(const char *text, size_t len)
{
    FsnKeyfile *keyfile = g_new0(FsnKeyfile, 1);
    g_autofree char *copy = NULL;
    g_auto(GStrv) lines = NULL;
    g_autofree char *group = NULL;

    keyfile->items = g_ptr_array_new_with_free_func(item_free);
    keyfile->problems = g_ptr_array_new_with_free_func(problem_free);
    if (!check_text(keyfile, text, len)) {
        return keyfile;
    }
    copy = g_strndup(text, len);
    lines = g_strsplit(copy, "\n", MAX_LINES + 1);
    for (unsigned i = 0; lines[i]; i++) {
        if (i == MAX_LINES) {
            complain(keyfile, i + 1, "the file has more than 4096 lines");
            break;
        }
        parse_line(keyfile, &group, lines[i], i + 1);
    }
    find_duplicates(keyfile);
    return keyfile;
}

/* Where in the lines of the text @group's @key is, and where the group has its last item or
 * heading; 0 where there is none. */
static void
find_lines(const FsnKeyfile *keyfile,
           const char *group,
           const char *key,
           unsigned *out_key,
           unsigned *out_last)
{
    *out_key = *out_last = 0;
    for (guint i = 0; i < keyfile->items->len; i++) {
        const FsnKeyfileItem *item = keyfile->items->pdata[i];

        if (strcmp(item->group, group) != 0) {
            continue;
        }
        *out_last = item->line;
        if (g_strcmp0(item->key, key) == 0) {
            *out_key = item->line;
        }
    }
}

char *
fsn_keyfile_edit(const char *text, const char *group, const char *key, const char *value)
{
    g_autoptr(FsnKeyfile) keyfile = fsn_keyfile_parse(text, strlen(text));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *escaped = value ? escape(value) : NULL;
    GString *out = g_string_new(NULL);
    unsigned at;
    unsigned last;

    find_lines(keyfile, group, key, &at, &last);
    for (unsigned i = 1; lines[i - 1]; i++) {
        bool final = !lines[i];

        if (i == at) {
            if (value) {
                g_string_append_printf(out, "%s=%s\n", key, escaped);
            }
        } else if (!final || *lines[i - 1]) {
            g_string_append_printf(out, "%s\n", lines[i - 1]);
        }
        if (value && !at && i == last) {
            g_string_append_printf(out, "%s=%s\n", key, escaped);
        }
    }
    if (value && !at && !last) {
        g_string_append_printf(out, "%s[%s]\n%s=%s\n", out->len > 0 ? "\n" : "", group,
                               key, escaped);
    }
    return g_string_free(out, FALSE);
}
