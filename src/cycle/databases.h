/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/journal.h"
#include "policies/database.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/*
 * Databases in a guest: brought to rest, and let go again whatever happens. What has to be
 * released is in the journal, durably, before anything is asked of the guest, so that whoever
 * recovers releases it; a release may therefore be run twice.
 */

/* What is kept of @database to release it: "name", "release" (words), "limit_us". NULL if nothing has
 * to be released. */
JsonObject *fsn_database_note(const FsnDatabase *database);

/* Runs the command that brings @database to rest, within its limit. After a failure too it has to
 * be released: by the next function. */
bool fsn_database_quiesce(FsnCycle *cycle,
                          FsnJournal *journal,
                          FsnVirtDomain *domain,
                          const FsnDatabase *database,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Told of each database that could not be released. */
typedef void (*FsnDatabaseTell)(gpointer user, const char *name, const char *why);

/* Releases all that the journal has, the last one first. What succeeded is taken out of it, in
 * memory: the caller writes it. Commands that still bring something to rest are ended before. */
void fsn_databases_release(FsnJournal *journal,
                           FsnVirtDomain *domain,
                           FsnDatabaseTell tell,
                           gpointer user);

G_END_DECLS
