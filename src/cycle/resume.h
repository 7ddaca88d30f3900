/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef enum {
    FSN_RESUME_PREDICTED, /* device state, the working set in its order, then the rest */
    FSN_RESUME_LAZY,      /* the same without a list */
    FSN_RESUME_EAGER,     /* all memory before the guest runs */
} FsnResumeMode;

const char *fsn_resume_mode_name(FsnResumeMode mode);

typedef struct {
    FsnResumeMode mode;
    bool paused;    /* leave the guest stopped */
    bool sync_time; /* set its clock through the agent, where there is one */
    bool wait;      /* return only when all memory is loaded */
    bool take_over; /* break the claim of a host that has gone */
} FsnResumeOptions;

typedef struct {
    char *domain;
    char snapshot[33];
    FsnResumeMode mode; /* the one used: eager where userfaultfd is not permitted */
    char **warnings;    /* why it is not the one asked for, and what else the user should
                         * know; never NULL */
    int64_t domain_created_us; /* from the call until libvirt had made the domain */
    int64_t running_us;        /* from the call until the guest ran */
    int64_t loaded_us;         /* with wait: until all memory was loaded; else 0 */
    uint64_t working_set_pages;
    uint64_t faults; /* page requests; with wait all of them, else those so far */
} FsnResumeResult;

void fsn_resume_result_clear(FsnResumeResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnResumeResult, fsn_resume_result_clear)

/* Resumes the newest suspend state of a domain, or the one named by its snapshot id. If a
 * resume was interrupted it is continued. Refused (FSN_ERROR_STATE) if the state has been
 * used or a disk differs. The caller clears @out_result. */
bool fsn_cycle_resume(FsnCycle *cycle,
                      const char *domain_or_snapshot,
                      const FsnResumeOptions *options,
                      FsnResumeResult *out_result,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
