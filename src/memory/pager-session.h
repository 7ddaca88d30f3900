/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-arena.h"
#include "memory/pager-control.h"
#include "memory/pager-protocol.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* The first file descriptors of the pager's processes: for the supervisor the control
 * socket, for the worker the lifeline; then the arena's. */
#define FSN_SESSION_FIRST_FD 3
#define FSN_SESSION_MAX_KEEP 4

/* Starts this program again with arguments @args (NULL-terminated, without the program) and
 * @fds as descriptors 3, 4, …; it is a child of the caller. */
bool fsn_pager_spawn(const char *const *args,
                     const int *fds,
                     unsigned n_fds,
                     pid_t *out_pid,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Starts this program as a worker: "--worker --fds N --parent PID". */
bool fsn_pager_spawn_worker(FsnArena *arena,
                            pid_t *out_pid,
                            int *out_lifeline,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the peer holds of one load: all that it takes to go on without the supervisor. */
typedef struct {
    FsnArena *arena;
    int control;
    int socket; /* to QEMU, which must not see an end if the supervisor dies; -1: none */
    pid_t supervisor;
} FsnPagerSession;

/* Starts this program as a supervisor: "--supervisor --fds N [--recover|--take-over]";
 * @status_fd (or -1) is inherited behind the arena's, and so are @keep_fds, which it only
 * keeps open for whoever watches them. Takes @arena. */
FsnPagerSession *fsn_pager_session_new(FsnArena *arena,
                                       FsnPagerOpening opening,
                                       int status_fd,
                                       const int *keep_fds,
                                       unsigned n_keep_fds,
                                       GError **error);
/* Lets go of the supervisor, which lives on if it has a connection, and reaps it if it has
 * ended. */
void fsn_pager_session_free(FsnPagerSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPagerSession, fsn_pager_session_free)

/* Hands over @fd, the connection to QEMU, and keeps a copy. Takes @fd. */
void fsn_pager_session_connect(FsnPagerSession *session, int fd);
/* Closes the copy, so that QEMU sees the end if the supervisor is gone. */
void fsn_pager_session_disconnect(FsnPagerSession *session);

/* The supervisor has died: can another one go on with the connection? It is started when
 * the dead one's worker is gone for certain, which takes that the caller is the subreaper
 * of its descendants and has no other children. */
bool fsn_pager_session_may_replace(FsnPagerSession *session);
bool fsn_pager_session_replace(FsnPagerSession *session,
                               int status_fd,
                               const int *keep_fds,
                               unsigned n_keep_fds,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Connects to a unix socket, waiting for it to appear, at most @timeout_us. */
bool fsn_pager_connect(const char *path, int64_t timeout_us, int *out_fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* For the processes started above: the pager must outlive what it serves. The supervisor
 * asks the kernel to be killed last; the worker to be killed with its @parent, and first. */
void fsn_pager_protect_supervisor(void);
/* For the peer: a worker that loses its supervisor becomes its child. */
void fsn_pager_adopt(void);
bool fsn_pager_bind_worker(pid_t parent);

G_END_DECLS
