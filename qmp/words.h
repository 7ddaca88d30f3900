/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* QEMU tells nearly all its refusals apart by their words alone. This gives @error, if it is an
 * FSN_ERROR_FAILED with words of the block layer or of migration that are known, the code
 * that callers branch on: NOT_FOUND, EXISTS, BUSY, STATE or UNSUPPORTED. */
void fsn_qmp_judge_words(GError *error);

/* fsn_qmp_execute() without descriptors and result, its error judged. */
bool fsn_qmp_execute_judged(FsnQmp *qmp,
                            const char *name,
                            JsonObject *arguments,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
