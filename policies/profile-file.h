/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-keys.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* Where a profile comes from. Of two with one name the later in this order counts. */
typedef enum {
    FSN_PROFILE_SHIPPED,
    FSN_PROFILE_SYSTEM, /* the administrator's */
    FSN_PROFILE_USER,
    FSN_PROFILE_DOMAIN, /* what a domain has of its own; has no name */
    FSN_N_PROFILE_ORIGINS,
} FsnProfileOrigin;

/* "shipped", "system", "user", "domain"; static. */
const char *fsn_profile_origin_name(FsnProfileOrigin origin);

/* The ending of files with profiles. */
#define FSN_PROFILE_SUFFIX ".profile"

typedef struct {
    char *text;    /* NULL = not given here */
    unsigned line; /* 0 = not in a file */
    FsnValue value;
} FsnProfileEntry;

typedef struct {
    char *path;
    unsigned line; /* 0 = all of it */
    char *message; /* names the key */
} FsnProfileProblem;

/* One profile as it was written, without what it inherits. */
typedef struct {
    char *name; /* NULL of a domain's */
    char *path; /* for messages: a file, or "domain 'web'" */
    FsnProfileOrigin origin;
    FsnProfileEntry entries[FSN_N_PROFILE_KEYS]; /* only what is sound */
    GPtrArray *problems;                         /* of FsnProfileProblem */
} FsnProfileFile;

/* Reads the @len bytes of a file. What is wrong is among its problems. */
FsnProfileFile *fsn_profile_file_parse(const char *name,
                                       const char *path,
                                       FsnProfileOrigin origin,
                                       const char *text,
                                       size_t len);

/* One with nothing in it, and the way to put something into it: "GROUP.KEY" or an unambiguous
 * "KEY". What is wrong becomes a problem, with @line. */
FsnProfileFile *fsn_profile_file_new(const char *name,
                                     const char *path,
                                     FsnProfileOrigin origin);
void fsn_profile_file_set(FsnProfileFile *file,
                          unsigned line,
                          const char *key,
                          const char *value);

void fsn_profile_file_free(FsnProfileFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnProfileFile, fsn_profile_file_free)

/* Adds to @problems, an array as above; @path may be NULL. */
GPtrArray *fsn_profile_problems_new(void);
void fsn_profile_problem_add(GPtrArray *problems,
                             const char *path,
                             unsigned line,
                             const char *format,
                             ...) G_GNUC_PRINTF(4, 5);
/* "PATH:LINE: MESSAGE"; the caller frees. */
char *fsn_profile_problem_text(const FsnProfileProblem *problem);
/* FSN_ERROR_FORMAT with the first problem and the number of the others; @problems is not
 * empty. Always returns false. */
bool fsn_profile_problems_fail(const GPtrArray *problems, GError **error);

G_END_DECLS
