/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-arena.h"
#include "memory/pager-plan.h"
#include "memory/pager-protocol.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

G_BEGIN_DECLS

typedef struct {
    FsnPagerMode mode;
    const FsnRamLayout *layout;
    FsnPagerOpening opening;
    int control; /* to the peer, pager-control.h */
    /* Starts a worker on the arena; *@out_lifeline becomes readable (end of file) when it is
     * gone, *@out_pid is a child of the caller. */
    bool (*spawn_worker)(gpointer user,
                         pid_t *out_pid,
                         int *out_lifeline,
                         GError **error);
    /* The peer is gone: called a few times a second, and at the end, in its place. */
    void (*report)(gpointer user, const char *phase, const char *error_text);
    gpointer user;
} FsnSupervisorOptions;

/* Holds one connection to QEMU from its first byte to its confirmation. Waits for the
 * socket from the peer, writes the stream, answers page requests, replaces workers. True
 * when QEMU has confirmed all; else the error that ended it, which the peer was told too.
 * Runs no code of libvirt or of the repository. */
bool fsn_supervisor_run(FsnArena *arena,
                        const FsnSupervisorOptions *options,
                        GError **error);

G_END_DECLS
