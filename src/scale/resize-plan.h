/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "domxml/size-facts.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* How a domain gets to another size: steps in order. Pure. */

typedef enum {
    FSN_RESIZE_CONFIG_VCPUS, /* at its next start */
    FSN_RESIZE_CONFIG_MEMORY,
    FSN_RESIZE_PLUG_VCPUS,   /* of the running guest */
    FSN_RESIZE_ONLINE_VCPUS, /* by its agent */
    FSN_RESIZE_BALLOON,
    FSN_RESIZE_VIRTIO_MEM,
} FsnResizeKind;

typedef struct {
    FsnResizeKind kind;
    uint64_t value; /* vCPUs or bytes */
    guint device;   /* which of the virtio-mem devices */
} FsnResizeStep;

/* What is known of the domain beyond its XML. */
typedef struct {
    bool running;
    unsigned vcpus_online; /* in the guest, as its agent says; 0: it does not answer */
} FsnResizeState;

typedef struct {
    GArray *steps;    /* FsnResizeStep */
    GPtrArray *notes; /* char*: what cannot be done, and why */
} FsnResizePlan;

/* The vCPUs and memory that the guest has now, and can have. */
unsigned fsn_resize_vcpus_now(const FsnSizeFacts *facts, const FsnResizeState *state);
uint64_t fsn_resize_memory_max(const FsnSizeFacts *facts);

/* vCPUs are plugged but never unplugged: QEMU may wait for the guest for ever, and under
 * software emulation it crashes later. Fewer are reached by the guest's agent, which takes
 * them offline. The caller clears. */
void fsn_resize_plan(const FsnSizeFacts *facts,
                     const FsnResizeState *state,
                     unsigned vcpus,
                     uint64_t memory,
                     FsnResizePlan *out_plan);
void fsn_resize_plan_clear(FsnResizePlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnResizePlan, fsn_resize_plan_clear)

/* "plug vCPUs: 4", for people; the caller frees. */
char *fsn_resize_step_text(const FsnResizeStep *step);

G_END_DECLS
