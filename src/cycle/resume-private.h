/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/manifest.h"
#include "cycle/pager-reports.h"
#include "cycle/resume.h"
#include "domxml/domain-facts.h"
#include "repo/repo.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/* A guest whose memory is being loaded: of a suspend (resume.c), or of a snapshot
 * (restore-memory.c). */
typedef struct {
    FsnCycle *cycle;
    FsnVirt *virt;
    FsnRepo *repo;
    FsnResumeOptions options;
    FsnVirtDomain *domain;
    JsonObject *manifest;
    FsnManifestMemory memory;
    FsnDomainFacts *facts; /* of the saved live XML */
    char *xml_live;
    char *cpu_xml;
    FsnLock *lock;
    FsnJournal *journal;
    GPtrArray *warnings; /* of char *; there after fsn_resume_choose() */
    char *no_incoming;   /* why it goes through the monitor; NULL: it does not */
    int64_t started_us;
    const char *marks; /* id whose marks say whether the guest has run; borrowed */
} FsnResumeRun;

void fsn_resume_run_clear(FsnResumeRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnResumeRun, fsn_resume_run_clear)

/* resume-load.c: how it is to be done, from options and facts. */
void fsn_resume_choose(FsnResumeRun *run);

/* Starts the pager; returns when the guest runs, or with the option "wait" when all is loaded.
 * The lock is held and the journal begun; what is left on error is for recovery. */
bool fsn_resume_load(FsnResumeRun *run, FsnPagerReports *reports, GError **error);

void fsn_resume_fill_result(FsnResumeRun *run,
                            const FsnPagerReports *reports,
                            FsnResumeResult *out);

G_END_DECLS
