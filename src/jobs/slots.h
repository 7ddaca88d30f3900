/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* So many at a time: locks of files in the folder of jobs, which go with their holder however
 * it ends. Those who wait come about in their order. */
typedef struct FsnJobSlots FsnJobSlots;

FsnJobSlots *fsn_job_slots_new(const char *folder, unsigned parallel);
void fsn_job_slots_free(FsnJobSlots *slots);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnJobSlots, fsn_job_slots_free)

/* Never waits: *@out_taken says whether there was room; what was taken is kept until @slots
 * are freed. */
bool fsn_job_slots_try(FsnJobSlots *slots, bool *out_taken, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
