/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/resume.h"
#include "domxml/domain-facts.h"

#include <glib.h>

G_BEGIN_DECLS

/* How a resume is carried out, and what its user should know although it works. Pure. */

/* The mode for a guest with @facts. *@out_why is set, to a static sentence, if it is another
 * one than was asked for and the user would not expect that; else to NULL. */
FsnResumeMode fsn_resume_choose_mode(const FsnDomainFacts *facts,
                                     const FsnResumeOptions *options,
                                     const char **out_why);

/* Sentences about a resume in @mode, added to @sentences (of char *, owned). @unseen: targets
 * of disks whose identity cannot be checked here, NULL if there are none. */
void fsn_resume_advise(const FsnDomainFacts *facts,
                       const FsnResumeOptions *options,
                       FsnResumeMode mode,
                       const char *unseen,
                       GPtrArray *sentences);

G_END_DECLS
