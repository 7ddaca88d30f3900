/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-plan.h"
#include "memory/pager-protocol.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* The three parts that this program plays; each returns the exit code of its process. */

typedef struct {
    FsnPagerPlan *plan;  /* borrowed */
    GBytes *plan_text;   /* borrowed */
    bool recover;        /* QEMU already waits in a broken postcopy */
    int status_fd;       /* lines of status go there; -1: nowhere */
    int socket_fd;       /* transport "fd"; else -1 */
    const int *keep_fds; /* held by peer and supervisor for whoever watches them */
    unsigned n_keep_fds;
} FsnPeerOptions;

int fsn_role_peer(const FsnPeerOptions *options);

/* With the descriptors that pager-session.h describes. */
int fsn_role_supervisor(unsigned n_arena_fds, bool report, FsnPagerOpening opening);
int fsn_role_worker(unsigned n_arena_fds, pid_t parent);
