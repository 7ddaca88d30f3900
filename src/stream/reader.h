/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "stream/types.h"

G_BEGIN_DECLS

/*
 * Push parser of what QEMU sends as the source of a migration: precopy, or one with
 * background-snapshot. The bytes are described in foresnap-stream(5). Any bytes give events
 * or an error; memory is bounded by the limits here and in types.h, whatever the RAM.
 *
 * Refused by name, since their records have another form or are not tested: sections other
 * than "ram" before the devices, compressed or delta pages, shared-memory and mapped-ram
 * streams, other page sizes, commands beyond those below, machines older than 2.4 (no
 * configuration, footers or description).
 *
 * Commands that are let through: 1 OPEN_RETURN_PATH, 2 PING, 3 POSTCOPY_ADVISE and
 * 11 SWITCHOVER_START (QEMU 9 and later).
 */
#define FSN_STREAM_MAX_MACHINE      255         /* bytes of the machine's name */
#define FSN_STREAM_MAX_SUBSECTIONS  8           /* of the configuration */
#define FSN_STREAM_MAX_DEVICE_STATE (64u << 20) /* bytes; seen: 0.03 to 0.2 MiB */
#define FSN_STREAM_MAX_DESCRIPTION  (16u << 20) /* bytes of JSON; seen: 0.05 MiB */

/* Every handler may be NULL. False with an error stops the reader for good; the error is
 * handed on as it is. Handlers must not call the reader. */
typedef struct {
    bool (*config)(gpointer user, const char *machine, GError **error);
    bool (*command)(gpointer user,
                    uint16_t command,
                    const uint8_t *payload,
                    size_t len,
                    GError **error);
    /* Once, before the first page; @layout stays valid as long as the reader. */
    bool (*ram_start)(gpointer user, const FsnRamLayout *layout, GError **error);
    /* @page counts from the start of the block. @data is 4096 bytes, valid during the call,
     * or NULL for a page of zeros. A page may come again: the last one counts. A page that
     * never comes is zero. */
    bool (*page)(gpointer user,
                 uint32_t block,
                 uint64_t page,
                 const uint8_t *data,
                 GError **error);
    /* A RAM section (START, PART or END) ended. */
    bool (*ram_part)(gpointer user, GError **error);
    /* Once: RAM is complete, at SECTION_END or, with background-snapshot, at the first
     * device. */
    bool (*ram_end)(gpointer user, GError **error);
} FsnStreamHandlers;

typedef struct FsnStreamReader FsnStreamReader;

/* @handlers is copied; @user is handed to each of them. */
FsnStreamReader *fsn_stream_reader_new(const FsnStreamHandlers *handlers, gpointer user);
void fsn_stream_reader_free(FsnStreamReader *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnStreamReader, fsn_stream_reader_free)

/* Takes the next @len bytes, cut anywhere. Pages that lie whole in @data are handed on
 * without a copy. FSN_ERROR_FORMAT: no QEMU writes this; FSN_ERROR_UNSUPPORTED: refused by
 * name. After an error, of a handler too, every further call fails. */
bool fsn_stream_reader_push(FsnStreamReader *r,
                            const uint8_t *data,
                            size_t len,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* End of the stream. An error if it was cut anywhere: the description of the devices at the
 * very end is required and must have exactly the length it states. */
bool fsn_stream_reader_end(FsnStreamReader *r, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The following are borrowed. Head and layout are NULL before they have been read, the
 * other two before fsn_stream_reader_end() succeeded. */

/* Magic, version and configuration with its subsections, as received. */
GBytes *fsn_stream_reader_head(FsnStreamReader *r);

/* All device sections after RAM, with footers, without the EOF byte. */
GBytes *fsn_stream_reader_device_state(FsnStreamReader *r);

/* JSON text, without a final NUL. */
GBytes *fsn_stream_reader_description(FsnStreamReader *r);
const FsnRamLayout *fsn_stream_reader_layout(FsnStreamReader *r);

G_END_DECLS
