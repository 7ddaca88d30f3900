/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "stream/page-map.h"
#include "stream/types.h"

G_BEGIN_DECLS

/*
 * Builds what a migration source sends, piece by piece, at the end of @out. The order of the
 * pieces is the caller's; foresnap-stream(5) states it. Layouts must have passed
 * fsn_ram_layout_check().
 *
 * Precopy: head, ram_start, part_begin, pages, ram_section_end, ram_end, precopy_tail.
 *
 * Postcopy: head, postcopy_advise, ram_start, [a part with pages], discard_unsent (or
 * discard_all), package, part_begin, pages in any order and none twice, ram_section_end,
 * ram_end, eof; then the destination answers SHUT.
 *
 * Recovery of a broken postcopy, on a new connection: recover_begin, recv_bitmap_request for
 * each block, postcopy_resume, wait for RESUME_ACK, part_begin, missing pages,
 * ram_section_end, ram_end, eof.
 */

/* Length of the longest page header: offset, name and fill byte. */
#define FSN_STREAM_PAGE_HEADER_MAX (8 + 1 + FSN_STREAM_MAX_NAME + 1)

/* The head as the reader gave it. */
void fsn_stream_write_head(GByteArray *out, GBytes *head);
void fsn_stream_write_command(GByteArray *out,
                              uint16_t command,
                              const uint8_t *payload,
                              uint16_t len);

/* OPEN_RETURN_PATH, PING 1, ADVISE with host and target pages of 4096 bytes. */
void fsn_stream_write_postcopy_advise(GByteArray *out);

/* SECTION_START with the block list. */
void fsn_stream_write_ram_start(GByteArray *out, const FsnRamLayout *layout);

/* SECTION_PART: page records follow, then fsn_stream_write_ram_section_end(). */
void fsn_stream_write_part_begin(GByteArray *out, const FsnRamLayout *layout);

/* The bytes before a page's data; returns how many. With @zero they include the fill byte
 * and are the whole record, else 4096 bytes follow. @same_block says that the previous page
 * of the whole connection was of the same block (CONTINUE, without name). */
size_t fsn_stream_page_header(uint8_t out[FSN_STREAM_PAGE_HEADER_MAX],
                              const FsnRamLayout *layout,
                              uint32_t block,
                              uint64_t page,
                              bool zero,
                              bool same_block);

/* EOS and footer. */
void fsn_stream_write_ram_section_end(GByteArray *out, const FsnRamLayout *layout);

/* SECTION_END: RAM is complete. */
void fsn_stream_write_ram_end(GByteArray *out, const FsnRamLayout *layout);

/* Postcopy: tells the destination which pages it has not been sent. At least one DISCARD has
 * to precede the package, or QEMU 7.2 to 10.0 loads the pages that follow on the wrong path
 * and hangs beyond SIGTERM; so at least one page must be unset in @sent. Any page that is
 * named here must come later. @sent counts granules as page-map.h. */
void fsn_stream_write_discard_all(GByteArray *out, const FsnRamLayout *layout);
void fsn_stream_write_discard_unsent(GByteArray *out,
                                     const FsnRamLayout *layout,
                                     const FsnPageMap *sent);

/* Postcopy: PING 2, PACKAGED { LISTEN, device state, PING 3, RUN }, PING 4. */
void fsn_stream_write_package(GByteArray *out, GBytes *device_state);

/* Device state, EOF and description; without one @description is NULL. */
void fsn_stream_write_precopy_tail(GByteArray *out,
                                   GBytes *device_state,
                                   GBytes *description);
void fsn_stream_write_eof(GByteArray *out);

/* Postcopy recovery: OPEN_RETURN_PATH; RECV_BITMAP for the block called @name; RESUME. */
void fsn_stream_write_recover_begin(GByteArray *out);
void fsn_stream_write_recv_bitmap_request(GByteArray *out, const char *name);
void fsn_stream_write_postcopy_resume(GByteArray *out);

G_END_DECLS
