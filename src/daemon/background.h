/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* Going into the background: the process that was started waits until the one in the background
 * is ready, and ends as that says. */

/* Returns in the background only; to be called before there are threads. False with errno set
 * if it is not possible. */
bool fsn_background_enter(void);
/* Lets the process that waits end with 0, and gives the terminal up. */
void fsn_background_ready(void);
