/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

G_BEGIN_DECLS

static inline uint16_t
fsn_get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
fsn_get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t
fsn_get_be64(const uint8_t *p)
{
    return (uint64_t)fsn_get_be32(p) << 32 | fsn_get_be32(p + 4);
}

static inline void
fsn_put_be16(uint8_t *p, uint16_t v)
{
    p[0] = v >> 8;
    p[1] = v & 0xff;
}

static inline void
fsn_put_be32(uint8_t *p, uint32_t v)
{
    fsn_put_be16(p, v >> 16);
    fsn_put_be16(p + 2, v & 0xffff);
}

static inline void
fsn_put_be64(uint8_t *p, uint64_t v)
{
    fsn_put_be32(p, v >> 32);
    fsn_put_be32(p + 4, v & 0xffffffff);
}

static inline uint16_t
fsn_get_le16(const uint8_t *p)
{
    return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t
fsn_get_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t
fsn_get_le64(const uint8_t *p)
{
    return (uint64_t)fsn_get_le32(p + 4) << 32 | fsn_get_le32(p);
}

static inline void
fsn_put_le16(uint8_t *p, uint16_t v)
{
    p[0] = v & 0xff;
    p[1] = v >> 8;
}

static inline void
fsn_put_le32(uint8_t *p, uint32_t v)
{
    fsn_put_le16(p, v & 0xffff);
    fsn_put_le16(p + 2, v >> 16);
}

static inline void
fsn_put_le64(uint8_t *p, uint64_t v)
{
    fsn_put_le32(p, v & 0xffffffff);
    fsn_put_le32(p + 4, v >> 32);
}

/* True if all @len bytes at @p are zero; @len is a multiple of 8. */
static inline bool
fsn_is_zero(const uint8_t *p, size_t len)
{
    /* The first word decides for nearly every page that is not zero; the
     * overlapping memcmp then runs at the speed of memory. */
    uint64_t word;

    memcpy(&word, p, 8);
    return word == 0 && memcmp(p, p + 8, len - 8) == 0;
}

/* Appenders for formats that are built in a GByteArray. */
static inline void
fsn_append_u8(GByteArray *a, uint8_t v)
{
    g_byte_array_append(a, &v, 1);
}

static inline void
fsn_append_be16(GByteArray *a, uint16_t v)
{
    uint8_t b[2];

    fsn_put_be16(b, v);
    g_byte_array_append(a, b, 2);
}

static inline void
fsn_append_be32(GByteArray *a, uint32_t v)
{
    uint8_t b[4];

    fsn_put_be32(b, v);
    g_byte_array_append(a, b, 4);
}

static inline void
fsn_append_be64(GByteArray *a, uint64_t v)
{
    uint8_t b[8];

    fsn_put_be64(b, v);
    g_byte_array_append(a, b, 8);
}

static inline void
fsn_append_le16(GByteArray *a, uint16_t v)
{
    uint8_t b[2];

    fsn_put_le16(b, v);
    g_byte_array_append(a, b, 2);
}

static inline void
fsn_append_le32(GByteArray *a, uint32_t v)
{
    uint8_t b[4];

    fsn_put_le32(b, v);
    g_byte_array_append(a, b, 4);
}

static inline void
fsn_append_le64(GByteArray *a, uint64_t v)
{
    uint8_t b[8];

    fsn_put_le64(b, v);
    g_byte_array_append(a, b, 8);
}

G_END_DECLS
