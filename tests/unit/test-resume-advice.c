/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/resume-advice.c: every guest and option gives a mode that QEMU and libvirt can
 * keep, and each danger is named once and only where it is one. */
#include "config.h"

#include "cycle/resume-advice.h"

#include <string.h>

static void
test_mode(void)
{
    static const struct {
        bool hugepages, locked, paused;
        FsnResumeMode asked, chosen;
        bool told;
    } cases[] = {
        { false, false, false, FSN_RESUME_PREDICTED, FSN_RESUME_PREDICTED, false },
        { false, false, false, FSN_RESUME_LAZY, FSN_RESUME_LAZY, false },
        { false, false, false, FSN_RESUME_EAGER, FSN_RESUME_EAGER, false },
        { true, false, false, FSN_RESUME_PREDICTED, FSN_RESUME_EAGER, true },
        { true, false, false, FSN_RESUME_LAZY, FSN_RESUME_EAGER, true },
        { false, true, false, FSN_RESUME_PREDICTED, FSN_RESUME_EAGER, true },
        { false, true, false, FSN_RESUME_LAZY, FSN_RESUME_EAGER, true },
        { true, true, false, FSN_RESUME_EAGER, FSN_RESUME_EAGER, false },
        { false, false, true, FSN_RESUME_PREDICTED, FSN_RESUME_EAGER, false },
        { true, true, true, FSN_RESUME_LAZY, FSN_RESUME_EAGER, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        FsnDomainFacts facts = { .hugepages = cases[i].hugepages,
                                 .locked = cases[i].locked };
        FsnResumeOptions options = { .mode = cases[i].asked, .paused = cases[i].paused };
        const char *why = "?";

        g_assert_cmpint(fsn_resume_choose_mode(&facts, &options, &why), ==,
                        cases[i].chosen);
        g_assert_cmpint(why != NULL, ==, cases[i].told);
    }
}

static void
test_advice(void)
{
    static const struct {
        bool watchdog, agent, sync_time;
        FsnResumeMode mode;
        const char *unseen;
        const char *words[3]; /* one of each sentence, in order */
    } cases[] = {
        { false, true, true, FSN_RESUME_LAZY, NULL, { NULL } },
        { false, false, false, FSN_RESUME_LAZY, NULL, { NULL } },
        { false, false, true, FSN_RESUME_EAGER, NULL, { "clock" } },
        { true, true, true, FSN_RESUME_EAGER, NULL, { NULL } },
        { true, true, true, FSN_RESUME_PREDICTED, NULL, { "watchdog" } },
        { true,
          false,
          true,
          FSN_RESUME_LAZY,
          "vdb, vdc",
          { "vdb, vdc", "watchdog", "clock" } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        FsnDomainFacts facts = { .watchdog = cases[i].watchdog, .agent = cases[i].agent };
        FsnResumeOptions options = { .sync_time = cases[i].sync_time };
        g_autoptr(GPtrArray) sentences = g_ptr_array_new_with_free_func(g_free);
        guint n = 0;

        fsn_resume_advise(&facts, &options, cases[i].mode, cases[i].unseen, sentences);
        while (n < G_N_ELEMENTS(cases[i].words) && cases[i].words[n]) {
            g_assert_cmpuint(n, <, sentences->len);
            g_assert_nonnull(strstr(sentences->pdata[n], cases[i].words[n]));
            n++;
        }
        g_assert_cmpuint(sentences->len, ==, n);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resume-advice/mode", test_mode);
    g_test_add_func("/resume-advice/advice", test_advice);
    return g_test_run();
}
