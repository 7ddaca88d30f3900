/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers of QEMU's migration stream (migration/savevm.c, ram.c and migration.h of QEMU
 * 7.2 to 10.0), for the reader, the writer and the return path. The layout of the bytes is
 * in foresnap-stream(5). Private to src/stream and its tests.
 */
#pragma once

#define FSN_WIRE_MAGIC        0x5145564du /* "QEVM" */
#define FSN_WIRE_VERSION      3u
#define FSN_WIRE_PAGE_BITS    12u
#define FSN_WIRE_RAM_VERSION  4u
#define FSN_WIRE_BITMAP_END   UINT64_C(0x0123456789abcdef)
#define FSN_WIRE_DISCARD_RUNS 2048 /* per command; 4093 would fit its length field */

/* First byte of everything. */
enum {
    FSN_WIRE_EOF = 0x00,
    FSN_WIRE_SECTION_START = 0x01,
    FSN_WIRE_SECTION_PART = 0x02,
    FSN_WIRE_SECTION_END = 0x03,
    FSN_WIRE_SECTION_FULL = 0x04,
    FSN_WIRE_SUBSECTION = 0x05,
    FSN_WIRE_DESCRIPTION = 0x06,
    FSN_WIRE_CONFIGURATION = 0x07,
    FSN_WIRE_COMMAND = 0x08,
    FSN_WIRE_FOOTER = 0x7e,
};

/* Low 12 bits of a RAM record; the rest is the offset inside the block. */
enum {
    FSN_WIRE_RAM_FULL = 0x001,
    FSN_WIRE_RAM_ZERO = 0x002,
    FSN_WIRE_RAM_MEM_SIZE = 0x004,
    FSN_WIRE_RAM_PAGE = 0x008,
    FSN_WIRE_RAM_EOS = 0x010,
    FSN_WIRE_RAM_CONTINUE = 0x020,
    FSN_WIRE_RAM_XBZRLE = 0x040,
    FSN_WIRE_RAM_HOOK = 0x080,
    FSN_WIRE_RAM_COMPRESS = 0x100,
    FSN_WIRE_RAM_MULTIFD_FLUSH = 0x200,
    FSN_WIRE_RAM_FLAGS = 0xfff,
};

enum {
    FSN_WIRE_CMD_OPEN_RETURN_PATH = 1,
    FSN_WIRE_CMD_PING = 2,
    FSN_WIRE_CMD_POSTCOPY_ADVISE = 3,
    FSN_WIRE_CMD_POSTCOPY_LISTEN = 4,
    FSN_WIRE_CMD_POSTCOPY_RUN = 5,
    FSN_WIRE_CMD_POSTCOPY_RAM_DISCARD = 6,
    FSN_WIRE_CMD_PACKAGED = 7,
    FSN_WIRE_CMD_ENABLE_COLO = 8,
    FSN_WIRE_CMD_POSTCOPY_RESUME = 9,
    FSN_WIRE_CMD_RECV_BITMAP = 10,
    FSN_WIRE_CMD_SWITCHOVER_START = 11,
};

/* Messages from the destination to the source. */
enum {
    FSN_WIRE_RP_SHUT = 1,
    FSN_WIRE_RP_PONG = 2,
    FSN_WIRE_RP_REQ_PAGES_ID = 3,
    FSN_WIRE_RP_REQ_PAGES = 4,
    FSN_WIRE_RP_RECV_BITMAP = 5,
    FSN_WIRE_RP_RESUME_ACK = 6,
    FSN_WIRE_RP_SWITCHOVER_ACK = 7,
};
