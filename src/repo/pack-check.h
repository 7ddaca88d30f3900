/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"
#include "repofmt/granule.h"

G_BEGIN_DECLS

/* A pack that has been read from one end to the other: what is wrong with it, and the hash of
 * each of its granules, by which any index can be checked without reading it again. Costs 8
 * bytes of memory per granule. */
typedef struct FsnPackCheck FsnPackCheck;

/* Called with the bytes of each frame that was read. */
typedef void (*FsnPackCheckProgress)(gpointer user, uint64_t bytes);

/* Never fails: what is wrong is part of the result. */
FsnPackCheck *fsn_pack_check_new(FsnRepo *repo,
                                 const char *key,
                                 FsnPackCheckProgress progress,
                                 gpointer user);
void fsn_pack_check_free(FsnPackCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPackCheck, fsn_pack_check_free)

/* Why the pack as a whole cannot be relied on; null if it can. */
const char *fsn_pack_check_problem(FsnPackCheck *check);
/* One message per damaged frame (char*). */
GPtrArray *fsn_pack_check_frames(FsnPackCheck *check);

/* Whether the granule that @entry (of kind DATA) describes is there and whole. False with the
 * reason also where the pack as a whole has a problem. */
bool fsn_pack_check_entry(FsnPackCheck *check, const FsnEntry *entry, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
