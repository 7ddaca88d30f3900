/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which steps bring a domain to a size. Whether the size is wise is decided in sizing.c. */
#include "config.h"

#include "scale/resize-plan.h"

#include "base/error.h"

#define MIB (UINT64_C(1) << 20)

static void
add(FsnResizePlan *plan, FsnResizeKind kind, uint64_t value, guint device)
{
    FsnResizeStep step = { .kind = kind, .value = value, .device = device };

    g_array_append_val(plan->steps, step);
}

static void
note(FsnResizePlan *plan, const char *text)
{
    g_ptr_array_add(plan->notes, g_strdup(text));
}

unsigned
fsn_resize_vcpus_now(const FsnSizeFacts *facts, const FsnResizeState *state)
{
    return state->running && state->vcpus_online > 0 ? state->vcpus_online : facts->vcpus;
}

uint64_t
fsn_resize_memory_max(const FsnSizeFacts *facts)
{
    uint64_t most = facts->memory_max;

    for (guint i = 0; i < facts->virtio_mem->len; i++) {
        most += ((const FsnVirtioMem *)facts->virtio_mem->pdata[i])->size;
    }
    return most;
}

static void
plan_vcpus(const FsnSizeFacts *facts,
           const FsnResizeState *state,
           unsigned vcpus,
           FsnResizePlan *plan)
{
    if (!state->running) {
        if (vcpus != facts->vcpus) {
            add(plan, FSN_RESIZE_CONFIG_VCPUS, vcpus, 0);
        }
        return;
    }
    if (vcpus > facts->vcpus) {
        add(plan, FSN_RESIZE_PLUG_VCPUS, vcpus, 0);
    }
    if (state->vcpus_online > 0 && vcpus != state->vcpus_online) {
        add(plan, FSN_RESIZE_ONLINE_VCPUS, vcpus, 0);
    } else if (state->vcpus_online == 0 && vcpus < facts->vcpus) {
        note(plan, "the guest's agent does not answer: vCPUs cannot be taken offline");
    }
}

/* What is above the base goes into virtio-mem, device by device, in whole blocks. */
static uint64_t
plan_virtio_mem(const FsnSizeFacts *facts, uint64_t memory, FsnResizePlan *plan)
{
    uint64_t left = memory > facts->memory_max ? memory - facts->memory_max : 0;
    uint64_t given = 0;

    for (guint i = 0; i < facts->virtio_mem->len; i++) {
        const FsnVirtioMem *device = facts->virtio_mem->pdata[i];
        uint64_t blocks = (left + device->block - 1) / device->block;
        uint64_t wanted = MIN(blocks * device->block, device->size);

        if (wanted != device->requested) {
            add(plan, FSN_RESIZE_VIRTIO_MEM, wanted, i);
        }
        left -= MIN(left, wanted);
        given += wanted;
    }
    return given;
}

static void
plan_memory(const FsnSizeFacts *facts,
            const FsnResizeState *state,
            uint64_t memory,
            FsnResizePlan *plan)
{
    uint64_t plugged;

    if (!state->running) {
        uint64_t most = MIN(memory, facts->memory_max);

        if (most != facts->memory) {
            add(plan, FSN_RESIZE_CONFIG_MEMORY, most, 0);
        }
        return;
    }
    plugged = plan_virtio_mem(facts, memory, plan);
    memory = MIN(memory, facts->memory_max + plugged);
    if (memory == facts->memory) {
        return;
    }
    if (facts->balloon) {
        add(plan, FSN_RESIZE_BALLOON, memory, 0);
    } else if (plugged == 0) {
        note(plan, "it has no memory balloon: its memory stays");
    }
}

void
fsn_resize_plan(const FsnSizeFacts *facts,
                const FsnResizeState *state,
                unsigned vcpus,
                uint64_t memory,
                FsnResizePlan *out_plan)
{
    FsnResizePlan plan = {
        .steps = g_array_new(FALSE, TRUE, sizeof(FsnResizeStep)),
        .notes = g_ptr_array_new_with_free_func(g_free),
    };

    plan_vcpus(facts, state, CLAMP(vcpus, 1, facts->vcpus_max), &plan);
    plan_memory(facts, state, MIN(memory, fsn_resize_memory_max(facts)), &plan);
    *out_plan = plan;
}

void
fsn_resize_plan_clear(FsnResizePlan *plan)
{
    g_clear_pointer(&plan->steps, g_array_unref);
    g_clear_pointer(&plan->notes, g_ptr_array_unref);
}

char *
fsn_resize_step_text(const FsnResizeStep *step)
{
    switch (step->kind) {
    case FSN_RESIZE_CONFIG_VCPUS:
        return g_strdup_printf("vCPUs at the next start: %u", (unsigned)step->value);
    case FSN_RESIZE_CONFIG_MEMORY:
        return g_strdup_printf("memory at the next start: %" G_GUINT64_FORMAT " MiB",
                               step->value / MIB);
    case FSN_RESIZE_PLUG_VCPUS:
        return g_strdup_printf("plug vCPUs: %u", (unsigned)step->value);
    case FSN_RESIZE_ONLINE_VCPUS:
        return g_strdup_printf("online vCPUs in the guest: %u", (unsigned)step->value);
    case FSN_RESIZE_BALLOON:
        return g_strdup_printf("balloon: %" G_GUINT64_FORMAT " MiB", step->value / MIB);
    case FSN_RESIZE_VIRTIO_MEM:
        return g_strdup_printf("virtio-mem %u: %" G_GUINT64_FORMAT " MiB", step->device,
                               step->value / MIB);
    }
    g_assert_not_reached();
}
