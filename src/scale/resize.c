/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out what resize-plan.c says. Decides nothing. */
#include "config.h"

#include "scale/resize.h"

#include "virt/resize.h"

#define AGENT_S 5

bool
fsn_size_now(FsnVirtDomain *domain, int agent_s, FsnSizeNow *out_now, GError **error)
{
    g_autofree char *xml = NULL;
    FsnSizeNow now = { 0 };
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(domain, &status, error)) {
        return false;
    }
    now.state.running = status.state != FSN_VIRT_OFF && status.state != FSN_VIRT_CRASHED;
    if (!fsn_virt_domain_xml(
            domain, now.state.running ? FSN_VIRT_XML_RUNNING : FSN_VIRT_XML_INACTIVE,
            &xml, error) ||
        !fsn_size_facts_parse(xml, &now.facts, error)) {
        return false;
    }
    if (status.state == FSN_VIRT_RUNNING && agent_s > 0) {
        now.state.vcpus_online = fsn_virt_domain_online_vcpus(domain, agent_s);
    }
    *out_now = now;
    return true;
}

void
fsn_size_now_clear(FsnSizeNow *now)
{
    fsn_size_facts_clear(&now->facts);
}

static bool
request_virtio_mem(FsnVirtDomain *domain,
                   const FsnSizeFacts *facts,
                   const FsnResizeStep *step,
                   GError **error)
{
    const FsnVirtioMem *device = facts->virtio_mem->pdata[step->device];
    g_autofree char *xml = NULL;

    return fsn_virtio_mem_xml_request(device->xml, step->value, &xml, error) &&
           fsn_virt_domain_update_device(domain, xml, error);
}

static bool
do_step(FsnVirtDomain *domain,
        const FsnSizeFacts *facts,
        const FsnResizeStep *step,
        GError **error)
{
    unsigned vcpus = (unsigned)step->value;

    switch (step->kind) {
    case FSN_RESIZE_CONFIG_VCPUS:
        return fsn_virt_domain_set_vcpus(domain, vcpus, true, error);
    case FSN_RESIZE_CONFIG_MEMORY:
        return fsn_virt_domain_set_memory(domain, step->value, true, error);
    case FSN_RESIZE_PLUG_VCPUS:
        return fsn_virt_domain_set_vcpus(domain, vcpus, false, error);
    case FSN_RESIZE_ONLINE_VCPUS:
        return fsn_virt_domain_set_online_vcpus(domain, vcpus, AGENT_S, error);
    case FSN_RESIZE_BALLOON:
        return fsn_virt_domain_set_memory(domain, step->value, false, error);
    case FSN_RESIZE_VIRTIO_MEM:
        return request_virtio_mem(domain, facts, step, error);
    }
    g_assert_not_reached();
}

bool
fsn_resize_carry_out(FsnVirtDomain *domain,
                     const FsnSizeFacts *facts,
                     const FsnResizePlan *plan,
                     GError **error)
{
    g_autoptr(GError) first = NULL;

    for (guint i = 0; i < plan->steps->len; i++) {
        const FsnResizeStep *step = &g_array_index(plan->steps, FsnResizeStep, i);

        (void)!do_step(domain, facts, step, first ? NULL : &first);
    }
    if (first) {
        g_propagate_error(error, g_steal_pointer(&first));
        return false;
    }
    return true;
}

bool
fsn_resize_to(FsnVirtDomain *domain,
              unsigned vcpus,
              uint64_t memory,
              GPtrArray *notes,
              GError **error)
{
    g_auto(FsnSizeNow) now = { 0 };
    g_auto(FsnResizePlan) plan = { 0 };

    if (!fsn_size_now(domain, AGENT_S, &now, error)) {
        return false;
    }
    fsn_resize_plan(&now.facts, &now.state, vcpus, memory, &plan);
    for (guint i = 0; notes && i < plan.notes->len; i++) {
        g_ptr_array_add(notes, g_strdup(plan.notes->pdata[i]));
    }
    return fsn_resize_carry_out(domain, &now.facts, &plan, error);
}
