/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

G_BEGIN_DECLS

/* What a guest says about itself; below 0: it does not say. */
typedef struct {
    double users; /* that are logged in */
    double load;  /* average of a minute */
} FsnGuestLoad;

/* Asks the agent, within @timeout_s seconds (≥ 1) for each question. Errors as in virt/agent.h. */
bool fsn_virt_guest_load(FsnVirtDomain *domain,
                         int timeout_s,
                         FsnGuestLoad *out_load,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What an agent answered to guest-get-users and guest-get-load; below 0 if that is none of its
 * answers. Pure and total: the guest chooses the bytes. */
double fsn_guest_users_parse(const char *answer);
double fsn_guest_load_parse(const char *answer);

G_END_DECLS
