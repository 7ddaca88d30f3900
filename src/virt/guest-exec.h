/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

G_BEGIN_DECLS

/*
 * Programs in a guest, run by its agent (guest-exec). What they print goes nowhere: the guest
 * chooses how much that is, and an answer that is too long costs libvirt its connection to the
 * agent. No shell is in between. Errors as in virt/agent.h; FSN_ERROR_FAILED also if the agent
 * refuses, as agents do that are told to.
 */
typedef struct {
    bool ended;
    int code;   /* its exit status */
    int signal; /* > 0: it was ended by that one */
} FsnGuestExit;

/* Starts @argv; *@out_pid is the guest's number for it. */
bool fsn_guest_exec_start(FsnVirtDomain *domain,
                          char *const *argv,
                          int64_t *out_pid,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits for its end, at most until monotonic @deadline_us: FSN_ERROR_TIMEOUT, and it runs on.
 * The agent tells an end once only. */
bool fsn_guest_exec_wait(FsnVirtDomain *domain,
                         int64_t pid,
                         int64_t deadline_us,
                         FsnGuestExit *out_exit,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends it, by kill -KILL, and waits for that; true as well if the agent knows nothing of it any
 * more. */
bool fsn_guest_exec_end(FsnVirtDomain *domain, int64_t pid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The question, and what is in answers. Pure and total; the caller frees. */
char *fsn_guest_exec_command(char *const *argv);
bool fsn_guest_exec_parse_pid(const char *answer, int64_t *out_pid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_guest_exec_parse_status(const char *answer,
                                 FsnGuestExit *out_exit,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
