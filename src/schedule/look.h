/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "policies/plan.h"
#include "schedule/record.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The plans of domains, with all that they were made from. */

typedef struct {
    char *name;
    char *uuid;
    char *profile;
    bool running; /* or paused */
    FsnSchedule schedule;
    FsnScheduleRecord record; /* as it is to be kept: its calendar is that of @schedule */
    bool adopted; /* … and is to be saved for that, also if nothing is done */
    FsnPlanInput input;
    FsnPlanBusy busy; /* what @input refers to */
    char *busy_reason;
    GArray *items;    /* FsnPlanItem; empty if there is no schedule */
    GPtrArray *notes; /* char*: what could not be found out, and what follows from that */
} FsnScheduleDomain;

void fsn_schedule_domain_free(FsnScheduleDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnScheduleDomain, fsn_schedule_domain_free)

typedef struct {
    const char *const *domains; /* names or UUIDs; NULL: all that have a schedule */
    int64_t now_us;
    int64_t until_us;
    bool only_due;       /* nobody looks at what comes: less is found out about that */
    const char *history; /* file; NULL: the usual one */
} FsnScheduleRequest;

/* Plans for the domains of @request (FsnScheduleDomain), by name; *@out_without counts those that
 * were left out since they have no schedule. Domains named in the request are there with and
 * without one. Changes nothing. The caller unrefs. */
bool fsn_schedule_look(FsnCycle *cycle,
                       const FsnScheduleRequest *request,
                       GPtrArray **out_domains,
                       guint *out_without,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
