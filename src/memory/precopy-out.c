/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stored guest as a plain migration stream, for whoever loads one from beginning to end: a
 * file for `virsh restore`. One pass over the pages in their order; memory is bounded by the
 * image reader and one buffer.
 */
#include "config.h"

#include "memory/precopy-out.h"

#include "base/error.h"
#include "base/files.h"
#include "stream/page-map.h"
#include "stream/writer.h"

#define BUFFER_SIZE  (1u << 20)
/* Pages between two reports of progress. */
#define REPORT_PAGES 4096u

typedef struct {
    const FsnPrecopySource *source;
    int fd;
    const char *what;
    GByteArray *buffer;
    uint64_t bytes;
    FsnPrecopyProgress progress;
    gpointer user;
} Output;

static bool
flush(Output *out, GError **error)
{
    if (!fsn_write_all(out->fd, out->buffer->data, out->buffer->len, out->what, error)) {
        return false;
    }
    out->bytes += out->buffer->len;
    g_byte_array_set_size(out->buffer, 0);
    return true;
}

static bool
write_page(Output *out,
           FsnImageReader *reader,
           uint64_t granule,
           uint32_t block,
           uint64_t page,
           GError **error)
{
    uint8_t header[FSN_STREAM_PAGE_HEADER_MAX];
    uint8_t data[FSN_PAGE_SIZE];
    bool zero;
    size_t len;

    if (!fsn_image_reader_read(reader, granule, data, &zero, error)) {
        return false;
    }
    len =
        fsn_stream_page_header(header, out->source->layout, block, page, zero, page > 0);
    g_byte_array_append(out->buffer, header, (guint)len);
    if (!zero) {
        g_byte_array_append(out->buffer, data, FSN_PAGE_SIZE);
    }
    return out->buffer->len < BUFFER_SIZE || flush(out, error);
}

static bool
write_pages(Output *out, GError **error)
{
    const FsnRamLayout *layout = out->source->layout;
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(out->source->image);
    uint64_t total = fsn_page_map_pages(layout);
    uint64_t granule = 0;

    for (uint32_t block = 0; block < layout->n_blocks; block++) {
        uint64_t pages = layout->blocks[block].length / FSN_PAGE_SIZE;

        for (uint64_t page = 0; page < pages; page++, granule++) {
            if (!write_page(out, reader, granule, block, page, error)) {
                return false;
            }
            if (out->progress && granule % REPORT_PAGES == 0) {
                out->progress(granule, total, out->user);
            }
        }
    }
    return true;
}

bool
fsn_precopy_write(const FsnPrecopySource *source,
                  int fd,
                  const char *what,
                  FsnPrecopyProgress progress,
                  gpointer user,
                  uint64_t *out_bytes,
                  GError **error)
{
    g_autoptr(GByteArray) buffer =
        g_byte_array_sized_new(BUFFER_SIZE + 2 * FSN_PAGE_SIZE);
    Output out = { source, fd, what, buffer, 0, progress, user };

    if (fsn_image_n_granules(source->image) != fsn_page_map_pages(source->layout)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the image of the memory is not as long as its blocks");
        return false;
    }
    fsn_stream_write_head(buffer, source->head);
    fsn_stream_write_ram_start(buffer, source->layout);
    fsn_stream_write_part_begin(buffer, source->layout);
    if (!write_pages(&out, error)) {
        return false;
    }
    fsn_stream_write_ram_section_end(buffer, source->layout);
    fsn_stream_write_ram_end(buffer, source->layout);
    fsn_stream_write_precopy_tail(buffer, source->device_state, source->description);
    if (!flush(&out, error)) {
        return false;
    }
    *out_bytes = out.bytes;
    return true;
}
