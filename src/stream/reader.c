/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifetime of the stream reader and its loop: steps run on the pushed bytes themselves; only
 * a record that a push has cut is copied and completed from the next one. What the records
 * mean stands in reader-sections.c, reader-ram.c and reader-tail.c. No I/O, no clock.
 */
#include "config.h"

#include "stream/reader-private.h"

#include <string.h>

FsnStreamReader *
fsn_stream_reader_new(const FsnStreamHandlers *handlers, gpointer user)
{
    FsnStreamReader *r = g_new0(FsnStreamReader, 1);

    r->handlers = *handlers;
    r->user = user;
    r->head = g_byte_array_new();
    r->tail = g_byte_array_new();
    r->last_block = -1;
    return r;
}

void
fsn_stream_reader_free(FsnStreamReader *r)
{
    if (!r) {
        return;
    }
    g_byte_array_unref(r->head);
    g_clear_pointer(&r->tail, g_byte_array_unref);
    g_clear_pointer(&r->head_bytes, g_bytes_unref);
    g_clear_pointer(&r->device_state, g_bytes_unref);
    g_clear_pointer(&r->description, g_bytes_unref);
    fsn_ram_layout_free(r->layout);
    g_free(r);
}

gssize
fsn_reader_fail(
    FsnStreamReader *r, GError **error, FsnError code, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list args;

    va_start(args, format);
    why = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, FSN_ERROR, code,
                "migration stream at byte %" G_GUINT64_FORMAT ": %s", r->offset, why);
    return -1;
}

char *
fsn_reader_name(const uint8_t *p, size_t len)
{
    char *name = g_strndup((const char *)p, len);

    for (size_t i = 0; i < len; i++) {
        name[i] = g_ascii_isprint(p[i]) ? (char)p[i] : '?';
    }
    return name;
}

static gssize
step(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    switch (r->state) {
    case FSN_READER_MAGIC:
        return fsn_reader_step_magic(r, p, n, error);
    case FSN_READER_CONFIG:
        return fsn_reader_step_config(r, p, n, error);
    case FSN_READER_SUBSECTION:
        return fsn_reader_step_subsection(r, p, n, error);
    case FSN_READER_SECTION:
        return fsn_reader_step_section(r, p, n, error);
    case FSN_READER_BLOCKS:
        return fsn_reader_step_blocks(r, p, n, error);
    case FSN_READER_RAM:
        return fsn_reader_step_ram(r, p, n, error);
    case FSN_READER_FOOTER:
        return fsn_reader_step_footer(r, p, n, error);
    case FSN_READER_TAIL:
        return fsn_reader_step_tail(r, p, n, error);
    case FSN_READER_DONE:
    case FSN_READER_FAILED:
        break;
    }
    return fsn_reader_fail(r, error, FSN_ERROR_FAILED, "the reader has ended or failed");
}

/* Runs steps over @n bytes until one needs more; @out_used is how many were consumed. */
static bool
drain(FsnStreamReader *r, const uint8_t *p, size_t n, size_t *out_used, GError **error)
{
    size_t used = 0;

    while (used < n) {
        gssize k = step(r, p + used, n - used, error);

        if (k < 0) {
            r->state = FSN_READER_FAILED;
            return false;
        }
        if (k == 0) {
            break;
        }
        used += (size_t)k;
        r->offset += (uint64_t)k;
    }
    *out_used = used;
    return true;
}

/* Completes the record in the carry from @data; @out_taken is what was used of @data. */
static bool
complete_carry(FsnStreamReader *r,
               const uint8_t *data,
               size_t len,
               size_t *out_taken,
               GError **error)
{
    size_t old = r->carry_len;
    size_t take = MIN(len, FSN_READER_CARRY - old);
    size_t used;

    memcpy(r->carry + old, data, take);
    if (!drain(r, r->carry, old + take, &used, error)) {
        return false;
    }
    if (used == 0) {
        g_assert(old + take < FSN_READER_CARRY); /* no record is as long */
        r->carry_len = old + take;
        *out_taken = take;
    } else {
        g_assert(used > old); /* the record was not complete without @data */
        r->carry_len = 0;
        *out_taken = used - old;
    }
    return true;
}

bool
fsn_stream_reader_push(FsnStreamReader *r,
                       const uint8_t *data,
                       size_t len,
                       GError **error)
{
    while (len > 0) {
        size_t used;

        if (r->carry_len > 0) {
            if (!complete_carry(r, data, len, &used, error)) {
                return false;
            }
            data += used;
            len -= used;
            continue;
        }
        if (!drain(r, data, len, &used, error)) {
            return false;
        }
        g_assert(len - used < FSN_READER_CARRY);
        r->carry_len = len - used;
        memcpy(r->carry, data + used, r->carry_len);
        len = 0;
    }
    return true;
}

bool
fsn_stream_reader_end(FsnStreamReader *r, GError **error)
{
    if (r->state == FSN_READER_TAIL && fsn_reader_split_tail(r, error)) {
        r->state = FSN_READER_DONE;
        return true;
    }
    if (r->state != FSN_READER_TAIL) {
        r->offset += r->carry_len;
        (void)fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                              "ends before the device state"); /* always -1 */
    }
    r->state = FSN_READER_FAILED;
    return false;
}

GBytes *
fsn_stream_reader_head(FsnStreamReader *r)
{
    return r->head_bytes;
}

GBytes *
fsn_stream_reader_device_state(FsnStreamReader *r)
{
    return r->device_state;
}

GBytes *
fsn_stream_reader_description(FsnStreamReader *r)
{
    return r->description;
}

const FsnRamLayout *
fsn_stream_reader_layout(FsnStreamReader *r)
{
    return r->layout_done ? r->layout : NULL;
}
