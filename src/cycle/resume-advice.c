/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decisions of a resume that depend on the guest and the options alone. */
#include "config.h"

#include "cycle/resume-advice.h"

FsnResumeMode
fsn_resume_choose_mode(const FsnDomainFacts *facts,
                       const FsnResumeOptions *options,
                       const char **out_why)
{
    *out_why = NULL;
    if (options->paused || options->mode == FSN_RESUME_EAGER) {
        /* libvirt cannot leave a guest stopped whose memory is still being loaded. */
        return FSN_RESUME_EAGER;
    }
    if (facts->hugepages || facts->locked) {
        *out_why = "its memory is in huge pages or locked, so all of it is loaded before "
                   "the guest runs";
        return FSN_RESUME_EAGER;
    }
    return options->mode;
}

void
fsn_resume_advise(const FsnDomainFacts *facts,
                  const FsnResumeOptions *options,
                  FsnResumeMode mode,
                  const char *unseen,
                  GPtrArray *sentences)
{
    if (unseen) {
        g_ptr_array_add(
            sentences, g_strdup_printf("whether its disk %s was written since the "
                                       "suspend cannot be seen from here: if it was, its "
                                       "file systems are in danger",
                                       unseen));
    }
    if (facts->watchdog && mode != FSN_RESUME_EAGER) {
        g_ptr_array_add(sentences,
                        g_strdup("it has a watchdog device, which may fire while the "
                                 "first pages are loaded; --mode eager avoids that"));
    }
    if (options->sync_time && !facts->agent) {
        g_ptr_array_add(sentences,
                        g_strdup("it has no guest agent, so its clock stays behind by "
                                 "the time of the suspend"));
    }
}
