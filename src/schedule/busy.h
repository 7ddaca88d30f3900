/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* When domain @uuid, called @name, is expected to wake next: *@out_start_us, and why in
 * *@out_reason (the caller frees). Both are 0 and NULL where too little is known of it, and
 * where it wakes after @until_us. An error only says that @history cannot be read. */
bool fsn_schedule_next_wake(FsnHistory *history,
                            const char *uuid,
                            const char *name,
                            int64_t now_us,
                            int64_t until_us,
                            int64_t *out_start_us,
                            char **out_reason,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
