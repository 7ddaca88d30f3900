/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Faults on order, for tests: where a process dies or fails in real life by chance, the
 * environment names the point. Without the variables nothing happens. */

/* FORESNAP_TEST_KILL_AT=POINT[,POINT]…: the process kills itself here, as by kill -9. */
void fsn_fault_kill_at(const char *point);

/* FORESNAP_TEST_FAIL_AT=POINT[,POINT]…: true if what is done here shall fail. */
bool fsn_fault_fails_at(const char *point);

G_END_DECLS
