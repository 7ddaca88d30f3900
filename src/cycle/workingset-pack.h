/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include <glib.h>

G_BEGIN_DECLS

/* Writes the pages that the guest is expected to touch first, in that order, as a run of
 * their own (sequence @id), if its working set is known. Only the speed of the next resume
 * depends on it: what fails is logged as a warning and no error. */
void fsn_workingset_pack(FsnRepo *repo,
                         const char *uuid,
                         const char *id,
                         const char *root);

G_END_DECLS
