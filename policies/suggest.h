/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many characters have to be inserted, deleted, replaced or swapped with their neighbour
 * to make @b of @a (optimal string alignment: Damerau, CACM 7(3), 1964). Of strings longer
 * than 64 bytes only the first 64 count. */
unsigned fsn_edit_distance(const char *a, const char *b);

/* The element of NULL-terminated @words that somebody who wrote @word most likely meant:
 * fewest edits, at most a third of its length and never more than three; of equals the first.
 * NULL if there is none. */
const char *fsn_suggest(const char *word, const char *const *words);

G_END_DECLS
