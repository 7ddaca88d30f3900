/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domxml/size-facts.c and scale/resize-plan.c: domain XML and a size in, steps out. */
#include "config.h"

#include "base/error.h"
#include "scale/resize-plan.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)

#define XML(vcpu, memory, devices)                                      \
    "<domain type='kvm'><name>v</name>" vcpu memory "<devices>" devices \
    "</devices></domain>"
#define BALLOON "<memballoon model='virtio'/>"
#define VIRTIO_MEM(requested, current)                                                   \
    "<memory model='virtio-mem'><target><size unit='MiB'>512</size><node>0</node>"       \
    "<block unit='MiB'>2</block><requested unit='MiB'>" requested "</requested>" current \
    "</target><alias name='ua-m0'/></memory>"
#define PLAIN                                                                    \
    XML("<vcpu current='2'>4</vcpu>",                                            \
        "<memory>1048576</memory><currentMemory unit='MiB'>512</currentMemory>", \
        BALLOON)
#define WITH_VIRTIO_MEM                                                                   \
    XML("<vcpu>2</vcpu>",                                                                 \
        "<memory unit='MiB'>1536</memory><currentMemory unit='MiB'>1024</currentMemory>", \
        BALLOON VIRTIO_MEM("0", "<current unit='MiB'>0</current>"))

typedef struct {
    const char *what;
    const char *xml;
    bool running;
    unsigned online;
    unsigned vcpus;
    uint64_t mib;
    const char *steps; /* separated by "; " */
    const char *note;
} Case;

static const Case cases[] = {
    { "nothing to do", PLAIN, true, 2, 2, 512, "", NULL },
    { "grows a running guest", PLAIN, true, 2, 3, 768,
      "plug vCPUs: 3; online vCPUs in the guest: 3; balloon: 768 MiB", NULL },
    { "without an agent the guest does it itself", PLAIN, true, 0, 3, 512,
      "plug vCPUs: 3", NULL },
    { "shrinks by the agent, never by unplugging", PLAIN, true, 2, 1, 256,
      "online vCPUs in the guest: 1; balloon: 256 MiB", NULL },
    { "takes back online what is plugged", PLAIN, true, 1, 2, 512,
      "online vCPUs in the guest: 2", NULL },
    { "cannot shrink without an agent", PLAIN, true, 0, 1, 512, "", "does not answer" },
    { "a domain that is off", PLAIN, false, 0, 4, 2048,
      "vCPUs at the next start: 4; memory at the next start: 1024 MiB", NULL },
    { "no more than it can have", PLAIN, true, 2, 99, 9999,
      "plug vCPUs: 4; online vCPUs in the guest: 4; balloon: 1024 MiB", NULL },
    { "no balloon",
      XML("<vcpu>1</vcpu>",
          "<memory unit='MiB'>512</memory>",
          "<memballoon model='none'/>"),
      true, 1, 1, 256, "", "no memory balloon" },
    { "beyond the base by virtio-mem, in whole blocks", WITH_VIRTIO_MEM, true, 2, 2, 1125,
      "virtio-mem 0: 102 MiB; balloon: 1125 MiB", NULL },
    { "all of it", WITH_VIRTIO_MEM, true, 2, 2, 5000,
      "virtio-mem 0: 512 MiB; balloon: 1536 MiB", NULL },
    { "gives virtio-mem back",
      XML("<vcpu>2</vcpu>",
          "<memory unit='MiB'>1536</memory>"
          "<currentMemory unit='MiB'>1280</currentMemory>",
          BALLOON VIRTIO_MEM("256", "<current unit='MiB'>256</current>")),
      true, 2, 2, 1024, "virtio-mem 0: 0 MiB; balloon: 1024 MiB", NULL },
};

static char *
steps_text(const FsnResizePlan *plan)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plan->steps->len; i++) {
        g_autofree char *step =
            fsn_resize_step_text(&g_array_index(plan->steps, FsnResizeStep, i));

        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", step);
    }
    return g_string_free(text, FALSE);
}

static void
test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        FsnResizeState state = { .running = c->running, .vcpus_online = c->online };
        g_auto(FsnSizeFacts) facts = { 0 };
        g_auto(FsnResizePlan) plan = { 0 };
        g_autoptr(GError) error = NULL;
        g_autofree char *steps = NULL;

        g_test_message("%s", c->what);
        g_assert_true(fsn_size_facts_parse(c->xml, &facts, &error));
        g_assert_no_error(error);
        fsn_resize_plan(&facts, &state, c->vcpus, c->mib * MIB, &plan);
        steps = steps_text(&plan);
        g_assert_cmpstr(steps, ==, c->steps);
        g_assert_cmpuint(plan.notes->len, ==, c->note ? 1 : 0);
        g_assert_true(!c->note || strstr(plan.notes->pdata[0], c->note));
    }
}

static void
test_facts(void)
{
    FsnResizeState off = { 0 };
    FsnResizeState one = { .running = true, .vcpus_online = 1 };
    g_auto(FsnSizeFacts) facts = { 0 };
    g_autofree char *xml = NULL;
    const FsnVirtioMem *device;

    g_assert_true(fsn_size_facts_parse(WITH_VIRTIO_MEM, &facts, NULL));
    g_assert_cmpuint(facts.memory_max, ==, 1024 * MIB);
    g_assert_false(facts.balloon_stats);
    g_assert_cmpuint(fsn_resize_memory_max(&facts), ==, 1536 * MIB);
    g_assert_cmpuint(fsn_resize_vcpus_now(&facts, &off), ==, 2);
    g_assert_cmpuint(fsn_resize_vcpus_now(&facts, &one), ==, 1);
    device = facts.virtio_mem->pdata[0];
    g_assert_true(fsn_virtio_mem_xml_request(device->xml, 64 * MIB, &xml, NULL));
    g_assert_nonnull(strstr(xml, "<requested unit=\"KiB\">65536</requested>"));
    g_assert_nonnull(strstr(xml, "ua-m0"));
}

static void
test_bad_xml(void)
{
    static const char *const bad[] = {
        "",
        XML("", "<memory>1</memory>", ""),
        XML("<vcpu>0</vcpu>", "<memory>1</memory>", ""),
        XML("<vcpu current='3'>2</vcpu>", "<memory>1</memory>", ""),
        XML("<vcpu current='x'>2</vcpu>", "<memory>1</memory>", ""),
        XML("<vcpu>2</vcpu>", "", ""),
        XML("<vcpu>2</vcpu>", "<memory unit='parsec'>1</memory>", ""),
        XML("<vcpu>2</vcpu>", "<memory unit='TiB'>99999999999</memory>", ""),
        /* larger than all memory, and without sizes */
        XML("<vcpu>2</vcpu>", "<memory>1</memory>", VIRTIO_MEM("0", "")),
        XML("<vcpu>2</vcpu>", "<memory>1</memory>", "<memory model='virtio-mem'/>"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_auto(FsnSizeFacts) facts = { 0 };
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_size_facts_parse(bad[i], &facts, &error));
        g_assert_nonnull(error);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resize-plan/cases", test_cases);
    g_test_add_func("/resize-plan/facts", test_facts);
    g_test_add_func("/resize-plan/bad-xml", test_bad_xml);
    return g_test_run();
}
