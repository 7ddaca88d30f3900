/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the stream reader, for its own files only. A step looks at the bytes at hand
 * and returns how many it consumed, 0 if its record is not there in full (then it has had
 * no effect), or -1 with an error.
 */
#pragma once

#include "base/error.h"
#include "stream/reader.h"

G_BEGIN_DECLS

/* Longer than any record: a page with a block name has 8 + 1 + 255 + 4096 bytes. */
#define FSN_READER_CARRY 8192u

typedef enum {
    FSN_READER_MAGIC,      /* magic and version */
    FSN_READER_CONFIG,     /* configuration: machine name */
    FSN_READER_SUBSECTION, /* more of the configuration, or the first section */
    FSN_READER_SECTION,    /* between sections */
    FSN_READER_BLOCKS,     /* block list of RAM */
    FSN_READER_RAM,        /* RAM records */
    FSN_READER_FOOTER,     /* footer of a RAM section */
    FSN_READER_TAIL,       /* devices and description */
    FSN_READER_DONE,       /* after fsn_stream_reader_end() */
    FSN_READER_FAILED,
} FsnReaderState;

struct FsnStreamReader {
    FsnStreamHandlers handlers;
    gpointer user;
    FsnReaderState state;
    uint64_t offset; /* of the record at hand in the stream, for messages */

    GByteArray *head; /* while it grows */
    GBytes *head_bytes;
    unsigned int subsections;

    FsnRamLayout *layout;
    bool layout_done;
    uint64_t blocks_left; /* bytes of RAM not yet in the block list */
    uint8_t section_type; /* of the RAM section at hand */
    bool ram_done;        /* SECTION_END was seen */
    int64_t last_block;   /* of the whole stream, for CONTINUE; -1 at first */

    GByteArray *tail; /* everything after RAM; NULL once it is split */
    GBytes *device_state;
    GBytes *description;

    uint8_t carry[FSN_READER_CARRY]; /* start of a record that a push cut */
    size_t carry_len;
};

/* Sets @error with the place in the stream; always returns -1. */
gssize fsn_reader_fail(FsnStreamReader *r,
                       GError **error,
                       FsnError code,
                       const char *format,
                       ...) G_GNUC_PRINTF(4, 5);

/* Copies a name of @len bytes from outside for a message or a comparison; bytes that are
 * not printable become '?'. The caller frees. */
char *fsn_reader_name(const uint8_t *p, size_t len);

/* reader-sections.c */
gssize fsn_reader_step_magic(FsnStreamReader *r,
                             const uint8_t *p,
                             size_t n,
                             GError **error);
gssize fsn_reader_step_config(FsnStreamReader *r,
                              const uint8_t *p,
                              size_t n,
                              GError **error);
gssize fsn_reader_step_subsection(FsnStreamReader *r,
                                  const uint8_t *p,
                                  size_t n,
                                  GError **error);
gssize fsn_reader_step_section(FsnStreamReader *r,
                               const uint8_t *p,
                               size_t n,
                               GError **error);

/* reader-ram.c */
gssize fsn_reader_step_blocks(FsnStreamReader *r,
                              const uint8_t *p,
                              size_t n,
                              GError **error);
gssize fsn_reader_step_ram(FsnStreamReader *r,
                           const uint8_t *p,
                           size_t n,
                           GError **error);
gssize fsn_reader_step_footer(FsnStreamReader *r,
                              const uint8_t *p,
                              size_t n,
                              GError **error);
bool fsn_reader_ram_end(FsnStreamReader *r, GError **error);

/* reader-tail.c */
gssize fsn_reader_step_tail(FsnStreamReader *r,
                            const uint8_t *p,
                            size_t n,
                            GError **error);
bool fsn_reader_split_tail(FsnStreamReader *r, GError **error);

G_END_DECLS
