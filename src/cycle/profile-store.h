/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-set.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What a domain has that names no profile. */
#define FSN_PROFILE_DEFAULT "detailed"

/* The folder of an origin; NULL if there is none for this user. The caller frees. */
char *fsn_profile_folder(FsnProfileOrigin origin);
/* Where this user's own profiles are: the system's for root. */
FsnProfileOrigin fsn_profile_own_origin(void);

/* All profiles in all folders. A file that cannot be read is there, with that as its problem;
 * a folder that cannot be read is an error, since nobody knows what it would override. There is
 * always a profile FSN_PROFILE_DEFAULT, of nothing but defaults if no file has it. */
FsnProfileSet *fsn_profiles_load(GError **error);

/* The text of @file as it is on disk; the caller frees. */
bool fsn_profile_read(const FsnProfileFile *file, char **out_text, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Puts @text, in one step, into this user's own profile @name. If it then is not sound, or
 * another one that was sound is not any more, that is FSN_ERROR_FORMAT and nothing has
 * changed. *@out_path, to be freed, is the file. */
bool fsn_profile_write(const char *name,
                       const char *text,
                       char **out_path,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What would be wrong with this user's own @name if it had @text, and with those that inherit
 * it: an array of FsnProfileProblem, empty if nothing; NULL with @error if that cannot be
 * found out. */
GPtrArray *fsn_profile_try(const char *name, const char *text, GError **error);

/* Removes this user's own profile @name, unless one that inherits it would not be sound. */
bool fsn_profile_remove(const char *name, char **out_path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
