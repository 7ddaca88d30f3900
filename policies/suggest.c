/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which known word was meant by one that is not known. Bytes are compared, which is right for
 * the names that this is used for.
 */
#include "config.h"

#include "policies/suggest.h"

#include <string.h>

#define MAX_LEN   64
#define MAX_EDITS 3

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
    return MIN(MIN(a, b), c);
}

unsigned
fsn_edit_distance(const char *a, const char *b)
{
    size_t n = strnlen(a, MAX_LEN);
    size_t m = strnlen(b, MAX_LEN);
    unsigned rows[3][MAX_LEN + 1]; /* the one before last, the last, this one */

    for (size_t j = 0; j <= m; j++) {
        rows[1][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= n; i++) {
        rows[2][0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned replaced = rows[1][j - 1] + (a[i - 1] != b[j - 1]);

            rows[2][j] = least(rows[1][j] + 1, rows[2][j - 1] + 1, replaced);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                rows[2][j] = MIN(rows[2][j], rows[0][j - 2] + 1);
            }
        }
        memcpy(rows[0], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[2], sizeof rows[1]);
    }
    return rows[1][m];
}

const char *
fsn_suggest(const char *word, const char *const *words)
{
    unsigned limit = (unsigned)MIN(MAX_EDITS, (strnlen(word, MAX_LEN) + 2) / 3);
    unsigned best = limit + 1;
    const char *found = NULL;

    for (; *words; words++) {
        unsigned distance = fsn_edit_distance(word, *words);

        if (distance < best) {
            best = distance;
            found = *words;
        }
    }
    return found;
}
