/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * libvirt's managed save of one domain, as libvirt writes it: an image marked unfinished from
 * its beginning to its end, then its header once more, marked finished. That last write makes
 * it a suspend state, durable and guarded before the call returns.
 *
 * libvirt holds the domain while it writes, so nothing here asks libvirt. Whether the save has
 * succeeded in the end is seen afterwards, from the journal that is left (FSN_OP_SAVE), by
 * fsn_cycle_recover_domain() once libvirt's job is over.
 */
typedef struct FsnManagedSave FsnManagedSave;

/* Of the domain called @name; @save_folder is libvirt's. The repository of @cycle must be open;
 * its storing one is what is written to. */
FsnManagedSave *fsn_managed_save_new(FsnCycle *cycle,
                                     const char *save_folder,
                                     const char *name);
/* What has not become a state is given up, with its journal. */
void fsn_managed_save_free(FsnManagedSave *save);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnManagedSave, fsn_managed_save_free)

/* The next bytes: @offset is how many came before. Refused, and with it all that follows: what
 * libvirt does not write (FSN_ERROR_FORMAT, UNSUPPORTED), a domain of another name, one that
 * is suspended or that another operation works on (BUSY). */
bool fsn_managed_save_write(FsnManagedSave *save,
                            const void *data,
                            size_t len,
                            uint64_t offset,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
uint64_t fsn_managed_save_length(const FsnManagedSave *save);
/* True once the stream has begun: something that may be finished. */
bool fsn_managed_save_has_begun(const FsnManagedSave *save);

/* All memory that has come is durable. */
bool fsn_managed_save_settle(FsnManagedSave *save, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The header once more. On error nothing has become a state. */
bool fsn_managed_save_finish(FsnManagedSave *save,
                             const void *header,
                             size_t len,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After a finish. The descriptor holds the domain's lock, which the caller passes to whoever
 * waits for the end of libvirt's job. */
const char *fsn_managed_save_uuid(const FsnManagedSave *save);
int fsn_managed_save_lock_fd(const FsnManagedSave *save);

G_END_DECLS
