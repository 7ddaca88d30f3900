/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where our own programs are; the caller frees. */

/* A program that only other ones of ours start; FORESNAP_LIBEXECDIR overrides the folder. */
char *fsn_helper_program(const char *name);

/* The program foresnap: this very process if it is that, else the one in FORESNAP_BINDIR or
 * where it was installed. */
char *fsn_main_program(void);

G_END_DECLS
