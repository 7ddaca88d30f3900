/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-file.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* All profiles that there are, and what each of them comes to with what it inherits. Pure: who
 * looks into folders hands over what was found. */
typedef struct FsnProfileSet FsnProfileSet;

FsnProfileSet *fsn_profile_set_new(void);
void fsn_profile_set_free(FsnProfileSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnProfileSet, fsn_profile_set_free)

/* Takes over @file, which has a name. Two files of one name and origin are a problem of both,
 * since nobody can know which is meant. */
void fsn_profile_set_add(FsnProfileSet *set, FsnProfileFile *file);

/* Takes those called @name of @origin out again. */
void fsn_profile_set_remove(FsnProfileSet *set,
                            const char *name,
                            FsnProfileOrigin origin);

/* The one that counts of those called @name; NULL if there is none. Belongs to @set. */
const FsnProfileFile *fsn_profile_set_lookup(const FsnProfileSet *set, const char *name);
/* The one that @name inherits of its own name: of an earlier origin than @before. */
const FsnProfileFile *fsn_profile_set_lookup_before(const FsnProfileSet *set,
                                                    const char *name,
                                                    FsnProfileOrigin before);

/* Those that count (const FsnProfileFile *), by name; the caller unrefs. */
GPtrArray *fsn_profile_set_list(const FsnProfileSet *set);
/* Every file, also those that another one takes the place of. */
GPtrArray *fsn_profile_set_all(const FsnProfileSet *set);

/* A profile with all its values. */
typedef struct {
    const char *text;
    FsnValue value;
    char *source;  /* "path:line", "domain 'web'" or "default" */
    char *profile; /* the name of the profile with the value; NULL = none has */
} FsnProfileSetting;

typedef struct {
    char *name;
    FsnProfileSetting settings[FSN_N_PROFILE_KEYS];
    GPtrArray *texts; /* owns the texts */
} FsnProfile;

void fsn_profile_free(FsnProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnProfile, fsn_profile_free)

/* The profile called @name with all that it inherits. NOT_FOUND names those that there are;
 * FSN_ERROR_FORMAT if something is wrong with it or what it inherits. */
FsnProfile *fsn_profile_set_resolve(const FsnProfileSet *set,
                                    const char *name,
                                    GError **error);

/* The same of @file, which need not be in @set: a domain's, or one that is being edited. */
FsnProfile *fsn_profile_set_resolve_file(const FsnProfileSet *set,
                                         const FsnProfileFile *file,
                                         GError **error);

/* All that is wrong with @file and with what it comes to; empty if it is sound. The caller
 * unrefs the array of FsnProfileProblem. */
GPtrArray *fsn_profile_set_check(const FsnProfileSet *set, const FsnProfileFile *file);

/* The value of a key that has a number, and of one of a resource. */
uint64_t fsn_profile_number(const FsnProfile *profile, unsigned id);
FsnLevel fsn_profile_level(const FsnProfile *profile,
                           FsnResourceKind kind,
                           FsnResourceKey key);
const char *fsn_profile_text(const FsnProfile *profile, unsigned id);

G_END_DECLS
