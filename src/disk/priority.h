/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The calling thread, and those it starts from now on, give way to everybody else for processor
 * and storage. Cannot be taken back without privileges, so it is for threads of one's own. */
void fsn_lower_priority(void);
