/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-link.h"
#include "memory/pager-plan.h"
#include "memory/pager-requests.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* One conversation with QEMU as the source of a migration: what is said when. */
typedef struct FsnPagerProtocol FsnPagerProtocol;

/* How a conversation begins. */
typedef enum {
    FSN_OPEN_FRESH,     /* with its first byte */
    FSN_OPEN_RECOVER,   /* QEMU is in a paused postcopy: it is asked what it has */
    FSN_OPEN_TAKE_OVER, /* where a dead predecessor has stopped, on its connection; only if
                           the arena says that it was opened */
} FsnPagerOpening;

/* Takes @fd, on failure too; all else is borrowed. */
FsnPagerProtocol *fsn_pager_protocol_new(FsnArena *arena,
                                         const FsnRamLayout *layout,
                                         FsnPagerMode mode,
                                         FsnPagerOpening opening,
                                         FsnRequestBook *requests,
                                         int fd,
                                         GError **error);
void fsn_pager_protocol_free(FsnPagerProtocol *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPagerProtocol, fsn_pager_protocol_free)

int fsn_pager_protocol_fd(const FsnPagerProtocol *p);

/* Takes what QEMU has answered, without waiting. */
bool fsn_pager_protocol_read(FsnPagerProtocol *p, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Writes one portion (pager-link.h), without waiting. */
bool fsn_pager_protocol_write(FsnPagerProtocol *p,
                              FsnLinkProgress *out_progress,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* QEMU has loaded the device state (eager: everything); or acknowledged the recovery. */
bool fsn_pager_protocol_is_started(const FsnPagerProtocol *p);
/* Everything is in the socket. */
bool fsn_pager_protocol_is_sent(const FsnPagerProtocol *p);
/* QEMU has confirmed everything. */
bool fsn_pager_protocol_is_done(const FsnPagerProtocol *p);

G_END_DECLS
