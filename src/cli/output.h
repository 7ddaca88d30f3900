/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"

G_BEGIN_DECLS

/* Result of a query: printed on stdout as given, unless --json. */
void fsn_cli_print(FsnCliContext *context, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same for a long text: broken at blanks into lines of at most 80 columns, each with
 * @indent blanks before it. */
void fsn_cli_print_wrapped(FsnCliContext *context, int indent, const char *text);

/* One line about a thing done (the newline is added): on stdout unless --json or --quiet. */
void fsn_cli_say(FsnCliContext *context, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Something to know that is no failure: "foresnap: warning: …" on stderr, and an element of
 * the document's array "warnings". */
void fsn_cli_warn(FsnCliContext *context, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Copies the members of @result into the document. */
void fsn_cli_add_result(FsnCliContext *context, JsonObject *result);

/* Prints the document if --json, and flushes stdout. False if stdout could not be written,
 * which is then reported on stderr. */
bool fsn_cli_finish_output(FsnCliContext *context);

/* A table of text for people: columns as wide as their widest cell, two blanks between, the
 * first row is the heading. Columns of @align ('l' or 'r' each) are aligned accordingly. */
typedef struct FsnCliTable FsnCliTable;
FsnCliTable *fsn_cli_table_new(const char *align);
void fsn_cli_table_free(FsnCliTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnCliTable, fsn_cli_table_free)
/* As many strings as there are columns; copied. */
void fsn_cli_table_add(FsnCliTable *table, const char *first, ...);
/* The caller frees. */
char *fsn_cli_table_text(FsnCliTable *table);

G_END_DECLS
