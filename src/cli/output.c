/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where results go. Commands say what they did in words and put the same facts into the
 * document; which of the two is printed is decided here alone. A control character in a
 * name that came from elsewhere never reaches the terminal.
 */
#include "config.h"

#include "cli/output.h"

#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_WIDTH 80

/* Replaces control characters other than newline: names come from domains and files. */
static char *
printable(char *text)
{
    for (char *p = text; *p; p++) {
        if (g_ascii_iscntrl(*p) && *p != '\n') {
            *p = '?';
        }
    }
    return text;
}

void
fsn_cli_print(FsnCliContext *context, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    if (context->json) {
        return;
    }
    va_start(ap, format);
    text = printable(g_strdup_vprintf(format, ap));
    va_end(ap);
    fputs(text, stdout);
}

void
fsn_cli_print_wrapped(FsnCliContext *context, int indent, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_autoptr(GString) lines = g_string_new(NULL);
    glong column = 0;

    for (char **word = words; *word; word++) {
        glong width = g_utf8_strlen(*word, -1);

        if (column > 0 && column + 1 + width <= LINE_WIDTH) {
            g_string_append_printf(lines, " %s", *word);
            column += 1 + width;
        } else {
            g_string_append_printf(lines, "%s%*s%s", column > 0 ? "\n" : "", indent, "",
                                   *word);
            column = indent + width;
        }
    }
    fsn_cli_print(context, "%s\n", lines->str);
}

void
fsn_cli_say(FsnCliContext *context, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    if (context->json || context->quiet) {
        return;
    }
    va_start(ap, format);
    text = printable(g_strdup_vprintf(format, ap));
    va_end(ap);
    puts(text);
    /* Long work follows some lines: who reads a pipe wants them now. */
    fflush(stdout);
}

void
fsn_cli_warn(FsnCliContext *context, const char *format, ...)
{
    g_autofree char *text = NULL;
    JsonNode *node = json_object_get_member(context->document, "warnings");
    JsonArray *warnings = node ? json_node_get_array(node) : NULL;
    va_list ap;

    va_start(ap, format);
    text = printable(g_strdup_vprintf(format, ap));
    va_end(ap);
    fprintf(stderr, "foresnap: warning: %s\n", text);
    if (!warnings) {
        warnings = json_array_new();
        json_object_set_array_member(context->document, "warnings", warnings);
    }
    json_array_add_string_element(warnings, text);
}

void
fsn_cli_add_result(FsnCliContext *context, JsonObject *result)
{
    g_autoptr(GList) names = json_object_get_members(result);

    for (GList *name = names; name; name = name->next) {
        json_object_set_member(context->document, name->data,
                               json_object_dup_member(result, name->data));
    }
}

bool
fsn_cli_finish_output(FsnCliContext *context)
{
    if (context->json) {
        g_autofree char *text = fsn_json_to_text(context->document, true);

        puts(text);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "foresnap: cannot write the output: %s\n", g_strerror(errno));
        return false;
    }
    return true;
}

struct FsnCliTable {
    char *align;
    size_t columns;
    GPtrArray *cells; /* row by row */
};

FsnCliTable *
fsn_cli_table_new(const char *align)
{
    FsnCliTable *table = g_new0(FsnCliTable, 1);

    table->align = g_strdup(align);
    table->columns = strlen(align);
    table->cells = g_ptr_array_new_with_free_func(g_free);
    return table;
}

void
fsn_cli_table_free(FsnCliTable *table)
{
    if (!table) {
        return;
    }
    g_free(table->align);
    g_ptr_array_unref(table->cells);
    g_free(table);
}

void
fsn_cli_table_add(FsnCliTable *table, const char *first, ...)
{
    const char *cell = first;
    va_list ap;

    va_start(ap, first);
    for (size_t i = 0; i < table->columns; i++) {
        g_ptr_array_add(table->cells, g_utf8_make_valid(cell, -1));
        if (i + 1 < table->columns) {
            cell = va_arg(ap, const char *);
        }
    }
    va_end(ap);
}

static size_t
column_width(FsnCliTable *table, size_t column)
{
    size_t width = 0;

    for (size_t i = column; i < table->cells->len; i += table->columns) {
        width = MAX(width, (size_t)g_utf8_strlen(table->cells->pdata[i], -1));
    }
    return width;
}

char *
fsn_cli_table_text(FsnCliTable *table)
{
    GString *text = g_string_new(NULL);
    g_autofree size_t *widths = g_new(size_t, table->columns);

    for (size_t i = 0; i < table->columns; i++) {
        widths[i] = column_width(table, i);
    }
    for (size_t i = 0; i < table->cells->len; i++) {
        size_t column = i % table->columns;
        bool last = column + 1 == table->columns;
        const char *cell = table->cells->pdata[i];
        int blanks = (int)(widths[column] - (size_t)g_utf8_strlen(cell, -1));

        if (table->align[column] == 'r') {
            g_string_append_printf(text, "%*s%s", blanks, "", cell);
        } else {
            g_string_append_printf(text, "%s%*s", cell, last ? 0 : blanks, "");
        }
        g_string_append(text, last ? "\n" : "  ");
    }
    return g_string_free(text, FALSE);
}
