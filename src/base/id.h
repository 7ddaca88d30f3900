/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* An id is 16 random bytes, written as 32 lower-case hex digits; a prefix of at least
 * FSN_ID_MIN_PREFIX digits names it where that is unique. */
#define FSN_ID_SIZE       16
#define FSN_ID_HEX        32
#define FSN_ID_MIN_PREFIX 4

typedef struct {
    uint8_t bytes[FSN_ID_SIZE];
} FsnId;

FsnId fsn_id_new(void);
bool fsn_id_equal(const FsnId *a, const FsnId *b);
/* Caller frees. */
char *fsn_id_to_string(const FsnId *id);
bool fsn_id_parse(const char *text, FsnId *out_id);

G_END_DECLS
