/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* Files in the syntax of GKeyFile, with the number of each line, which GKeyFile does not tell:
 * groups "[name]", "key=value", lines that begin with '#'. Whatever is read here without a
 * problem GKeyFile reads as well, and alike. Limits: 256 KiB, 4096 lines. Pure. */
#define FSN_KEYFILE_MAX ((size_t)256 << 10)

typedef struct {
    char *group;
    char *key; /* NULL: this line begins the group */
    char *value;
    unsigned line; /* from 1 */
} FsnKeyfileItem;

typedef struct {
    unsigned line; /* 0 = the whole file */
    char *message;
} FsnKeyfileProblem;

typedef struct {
    GPtrArray *items;    /* of FsnKeyfileItem, in their order */
    GPtrArray *problems; /* of FsnKeyfileProblem */
} FsnKeyfile;

/* Any bytes lead to a result; what cannot be read is among its problems. */
FsnKeyfile *fsn_keyfile_parse(const char *text, size_t len);
void fsn_keyfile_free(FsnKeyfile *keyfile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnKeyfile, fsn_keyfile_free)

/* @text with @group's @key set to @value, or without it if @value is NULL: every other line
 * stays as it is. @value is one line. The caller frees. */
char *fsn_keyfile_edit(const char *text,
                       const char *group,
                       const char *key,
                       const char *value);

G_END_DECLS
