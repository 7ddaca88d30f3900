/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writer of QEMU's migration stream: every piece that foresnap sends as a migration source.
 * Pure: bytes go to the end of a GByteArray. Its own input (layout, page numbers) is trusted
 * and asserted, since it comes from a checked layout. It does not keep the order of pieces.
 */
#include "config.h"

#include "stream/writer.h"

#include "base/bytes.h"
#include "stream/wire.h"

#include <string.h>

static void
append_name(GByteArray *out, const char *name)
{
    size_t len = strlen(name);

    g_assert(len <= FSN_STREAM_MAX_NAME);
    fsn_append_u8(out, (uint8_t)len);
    g_byte_array_append(out, (const uint8_t *)name, (guint)len);
}

static void
append_bytes(GByteArray *out, GBytes *bytes)
{
    gsize len;
    const uint8_t *data = g_bytes_get_data(bytes, &len);

    g_byte_array_append(out, data, (guint)len);
}

static void
append_section(GByteArray *out, uint8_t type, const FsnRamLayout *layout)
{
    fsn_append_u8(out, type);
    fsn_append_be32(out, layout->section_id);
}

void
fsn_stream_write_head(GByteArray *out, GBytes *head)
{
    append_bytes(out, head);
}

void
fsn_stream_write_command(GByteArray *out,
                         uint16_t command,
                         const uint8_t *payload,
                         uint16_t len)
{
    fsn_append_u8(out, FSN_WIRE_COMMAND);
    fsn_append_be16(out, command);
    fsn_append_be16(out, len);
    if (len > 0) {
        g_byte_array_append(out, payload, len);
    }
}

static void
write_ping(GByteArray *out, uint32_t value)
{
    uint8_t payload[4];

    fsn_put_be32(payload, value);
    fsn_stream_write_command(out, FSN_WIRE_CMD_PING, payload, sizeof(payload));
}

void
fsn_stream_write_postcopy_advise(GByteArray *out)
{
    uint8_t payload[16];

    fsn_stream_write_command(out, FSN_WIRE_CMD_OPEN_RETURN_PATH, NULL, 0);
    write_ping(out, 1);
    fsn_put_be64(payload, FSN_PAGE_SIZE);
    fsn_put_be64(payload + 8, FSN_PAGE_SIZE);
    fsn_stream_write_command(out, FSN_WIRE_CMD_POSTCOPY_ADVISE, payload, sizeof(payload));
}

void
fsn_stream_write_ram_start(GByteArray *out, const FsnRamLayout *layout)
{
    append_section(out, FSN_WIRE_SECTION_START, layout);
    append_name(out, "ram");
    fsn_append_be32(out, layout->instance);
    fsn_append_be32(out, layout->version);
    fsn_append_be64(out, fsn_ram_layout_length(layout) | FSN_WIRE_RAM_MEM_SIZE);
    for (size_t i = 0; i < layout->n_blocks; i++) {
        append_name(out, layout->blocks[i].name);
        fsn_append_be64(out, layout->blocks[i].length);
    }
    fsn_stream_write_ram_section_end(out, layout);
}

void
fsn_stream_write_part_begin(GByteArray *out, const FsnRamLayout *layout)
{
    append_section(out, FSN_WIRE_SECTION_PART, layout);
}

size_t
fsn_stream_page_header(uint8_t out[FSN_STREAM_PAGE_HEADER_MAX],
                       const FsnRamLayout *layout,
                       uint32_t block,
                       uint64_t page,
                       bool zero,
                       bool same_block)
{
    const FsnRamBlock *b = &layout->blocks[block];
    uint64_t word = page * FSN_PAGE_SIZE | (zero ? FSN_WIRE_RAM_ZERO : FSN_WIRE_RAM_PAGE);
    size_t used = 8;

    g_assert(block < layout->n_blocks && page < b->length / FSN_PAGE_SIZE);
    fsn_put_be64(out, same_block ? word | FSN_WIRE_RAM_CONTINUE : word);
    if (!same_block) {
        size_t len = strlen(b->name);

        g_assert(len <= FSN_STREAM_MAX_NAME);
        out[used++] = (uint8_t)len;
        memcpy(out + used, b->name, len);
        used += len;
    }
    if (zero) {
        out[used++] = 0; /* fill byte */
    }
    return used;
}

void
fsn_stream_write_ram_section_end(GByteArray *out, const FsnRamLayout *layout)
{
    fsn_append_be64(out, FSN_WIRE_RAM_EOS);
    append_section(out, FSN_WIRE_FOOTER, layout);
}

void
fsn_stream_write_ram_end(GByteArray *out, const FsnRamLayout *layout)
{
    append_section(out, FSN_WIRE_SECTION_END, layout);
    fsn_stream_write_ram_section_end(out, layout);
}

/* Appends runs to one DISCARD command until it is full. */
typedef struct {
    GByteArray *payload;
    size_t head; /* bytes before the first run */
    size_t runs;
} Discard;

static void
discard_flush(Discard *d, GByteArray *out)
{
    if (d->runs > 0) {
        fsn_stream_write_command(out, FSN_WIRE_CMD_POSTCOPY_RAM_DISCARD, d->payload->data,
                                 (uint16_t)d->payload->len);
    }
    g_byte_array_set_size(d->payload, (guint)d->head);
    d->runs = 0;
}

static void
discard_run(Discard *d, GByteArray *out, uint64_t page, uint64_t pages)
{
    fsn_append_be64(d->payload, page * FSN_PAGE_SIZE);
    fsn_append_be64(d->payload, pages * FSN_PAGE_SIZE);
    if (++d->runs == FSN_WIRE_DISCARD_RUNS) {
        discard_flush(d, out);
    }
}

static void
discard_block(GByteArray *out,
              const FsnRamLayout *layout,
              uint32_t block,
              const FsnPageMap *sent)
{
    uint64_t base = fsn_page_map_base(layout, block);
    uint64_t end = fsn_page_map_base(layout, block + 1);
    g_autoptr(GByteArray) payload = g_byte_array_new();
    Discard d = { .payload = payload };

    fsn_append_u8(payload, 0); /* version */
    append_name(payload, layout->blocks[block].name);
    fsn_append_u8(payload, 0); /* end of the name */
    d.head = payload->len;
    for (uint64_t from = fsn_page_map_next_unset(sent, base); from < end;) {
        uint64_t to = MIN(fsn_page_map_next_set(sent, from), end);

        discard_run(&d, out, from - base, to - from);
        from = fsn_page_map_next_unset(sent, to);
    }
    discard_flush(&d, out);
}

void
fsn_stream_write_discard_unsent(GByteArray *out,
                                const FsnRamLayout *layout,
                                const FsnPageMap *sent)
{
    g_assert(fsn_page_map_length(sent) == fsn_page_map_pages(layout));
    g_assert(fsn_page_map_next_unset(sent, 0) < fsn_page_map_length(sent));
    for (uint32_t i = 0; i < layout->n_blocks; i++) {
        discard_block(out, layout, i, sent);
    }
}

void
fsn_stream_write_discard_all(GByteArray *out, const FsnRamLayout *layout)
{
    for (size_t i = 0; i < layout->n_blocks; i++) {
        g_autoptr(GByteArray) payload = g_byte_array_new();

        fsn_append_u8(payload, 0); /* version */
        append_name(payload, layout->blocks[i].name);
        fsn_append_u8(payload, 0); /* end of the name */
        fsn_append_be64(payload, 0);
        fsn_append_be64(payload, layout->blocks[i].length);
        fsn_stream_write_command(out, FSN_WIRE_CMD_POSTCOPY_RAM_DISCARD, payload->data,
                                 (uint16_t)payload->len);
    }
}

void
fsn_stream_write_package(GByteArray *out, GBytes *device_state)
{
    g_autoptr(GByteArray) package = g_byte_array_new();
    uint8_t length[4];

    fsn_stream_write_command(package, FSN_WIRE_CMD_POSTCOPY_LISTEN, NULL, 0);
    append_bytes(package, device_state);
    write_ping(package, 3);
    fsn_stream_write_command(package, FSN_WIRE_CMD_POSTCOPY_RUN, NULL, 0);

    write_ping(out, 2);
    fsn_put_be32(length, package->len);
    fsn_stream_write_command(out, FSN_WIRE_CMD_PACKAGED, length, sizeof(length));
    g_byte_array_append(out, package->data, package->len);
    write_ping(out, 4);
}

void
fsn_stream_write_eof(GByteArray *out)
{
    fsn_append_u8(out, FSN_WIRE_EOF);
}

void
fsn_stream_write_precopy_tail(GByteArray *out, GBytes *device_state, GBytes *description)
{
    append_bytes(out, device_state);
    fsn_stream_write_eof(out);
    if (description) {
        fsn_append_u8(out, FSN_WIRE_DESCRIPTION);
        fsn_append_be32(out, (uint32_t)g_bytes_get_size(description));
        append_bytes(out, description);
    }
}

void
fsn_stream_write_recover_begin(GByteArray *out)
{
    fsn_stream_write_command(out, FSN_WIRE_CMD_OPEN_RETURN_PATH, NULL, 0);
}

void
fsn_stream_write_recv_bitmap_request(GByteArray *out, const char *name)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();

    append_name(payload, name);
    fsn_stream_write_command(out, FSN_WIRE_CMD_RECV_BITMAP, payload->data,
                             (uint16_t)payload->len);
}

void
fsn_stream_write_postcopy_resume(GByteArray *out)
{
    fsn_stream_write_command(out, FSN_WIRE_CMD_POSTCOPY_RESUME, NULL, 0);
}
