/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "domxml/size-facts.h"
#include "scale/resize-plan.h"
#include "virt/domain.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The size of a domain as it is: what its XML says, and its guest. */
typedef struct {
    FsnSizeFacts facts;
    FsnResizeState state;
} FsnSizeNow;

/* Waits at most @agent_s seconds for the guest's agent; 0: does not ask it. The caller
 * clears. */
bool fsn_size_now(FsnVirtDomain *domain, int agent_s, FsnSizeNow *out_now, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void fsn_size_now_clear(FsnSizeNow *now);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnSizeNow, fsn_size_now_clear)

/* Carries out @plan. Of steps that fail the first error is returned, and the others are
 * done nevertheless: they do not depend on each other. */
bool fsn_resize_carry_out(FsnVirtDomain *domain,
                          const FsnSizeFacts *facts,
                          const FsnResizePlan *plan,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Brings a running guest, or the next start of a domain that is off, to a size. Notes of the
 * plan are added to @notes (char*), which may be NULL. */
bool fsn_resize_to(FsnVirtDomain *domain,
                   unsigned vcpus,
                   uint64_t memory,
                   GPtrArray *notes,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
