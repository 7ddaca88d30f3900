/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps of the stream reader outside RAM: magic, configuration, commands, starts of
 * sections. Accepts by list and refuses by name; contents of device sections are not looked
 * at (they have no lengths), see reader-tail.c.
 */
#include "config.h"

#include "stream/reader-private.h"

#include "base/bytes.h"
#include "stream/wire.h"

#include <string.h>

gssize
fsn_reader_step_magic(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    if (n < 8) {
        return 0;
    }
    if (fsn_get_be32(p) != FSN_WIRE_MAGIC) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "magic is not that of a QEMU migration");
    }
    if (fsn_get_be32(p + 4) != FSN_WIRE_VERSION) {
        return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                               "version %u of the stream is not supported",
                               fsn_get_be32(p + 4));
    }
    g_byte_array_append(r->head, p, 8);
    r->state = FSN_READER_CONFIG;
    return 8;
}

gssize
fsn_reader_step_config(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    g_autofree char *machine = NULL;
    uint32_t len;

    if (p[0] != FSN_WIRE_CONFIGURATION) {
        return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                               "no configuration section: the machine type is older than "
                               "2.4 or sends none");
    }
    if (n < 5) {
        return 0;
    }
    len = fsn_get_be32(p + 1);
    if (len == 0 || len > FSN_STREAM_MAX_MACHINE) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "machine name of %u bytes is not between 1 and %d", len,
                               FSN_STREAM_MAX_MACHINE);
    }
    if (n < 5 + len) {
        return 0;
    }
    machine = fsn_reader_name(p + 5, len);
    if (strchr(machine, '?')) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "machine name '%s' is not text", machine);
    }
    g_byte_array_append(r->head, p, 5 + len);
    r->state = FSN_READER_SUBSECTION;
    if (r->handlers.config && !r->handlers.config(r->user, machine, error)) {
        return -1;
    }
    return 5 + (gssize)len;
}

/* Capabilities are listed only if they change the form of the stream. */
static gssize
check_capabilities(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    g_autofree char *name = NULL;

    if (n < 4) {
        return 0;
    }
    if (fsn_get_be32(p) == 0) {
        return 4;
    }
    if (n < 5 || n < 5u + p[4]) {
        return 0;
    }
    name = fsn_reader_name(p + 5, p[4]);
    return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                           "migration capability '%s' is not supported: switch it off",
                           name);
}

static gssize
check_page_bits(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    if (n < 4) {
        return 0;
    }
    if (fsn_get_be32(p) != FSN_WIRE_PAGE_BITS) {
        return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                               "target pages of 2^%u bytes are not supported",
                               fsn_get_be32(p));
    }
    return 4;
}

/* Length of the contents of subsection @name at @p, 0 for more bytes, or -1. */
static gssize
subsection_body(
    FsnStreamReader *r, const char *name, const uint8_t *p, size_t n, GError **error)
{
    if (strcmp(name, "configuration/capabilities") == 0) {
        return check_capabilities(r, p, n, error);
    }
    if (strcmp(name, "configuration/target-page-bits") == 0) {
        return check_page_bits(r, p, n, error);
    }
    if (strcmp(name, "configuration/uuid") == 0) {
        return n < 16 ? 0 : 16;
    }
    return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                           "configuration subsection '%s' is not supported", name);
}

static void
finish_head(FsnStreamReader *r)
{
    r->head_bytes = g_bytes_new(r->head->data, r->head->len);
    r->state = FSN_READER_SECTION;
}

gssize
fsn_reader_step_subsection(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    g_autofree char *name = NULL;
    size_t head;
    gssize body;

    if (p[0] != FSN_WIRE_SUBSECTION) {
        finish_head(r);
        return fsn_reader_step_section(r, p, n, error);
    }
    if (n < 2 || n < 6u + p[1]) {
        return 0;
    }
    if (r->subsections == FSN_STREAM_MAX_SUBSECTIONS) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "more than %d subsections of the configuration",
                               FSN_STREAM_MAX_SUBSECTIONS);
    }
    name = fsn_reader_name(p + 2, p[1]);
    head = 6u + p[1];
    if (fsn_get_be32(p + head - 4) != 1) {
        return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                               "version %u of configuration subsection '%s' is not "
                               "supported",
                               fsn_get_be32(p + head - 4), name);
    }
    body = subsection_body(r, name, p + head, n - head, error);
    if (body <= 0) {
        return body;
    }
    g_byte_array_append(r->head, p, (guint)head + (guint)body);
    r->subsections++;
    return (gssize)head + body;
}

static bool
command_is_known(uint16_t command, uint16_t len)
{
    switch (command) {
    case FSN_WIRE_CMD_OPEN_RETURN_PATH:
    case FSN_WIRE_CMD_SWITCHOVER_START:
        return len == 0;
    case FSN_WIRE_CMD_PING:
        return len == 4;
    case FSN_WIRE_CMD_POSTCOPY_ADVISE:
        return len == 0 || len == 16;
    default: /* a number from outside, not an enum */
        return false;
    }
}

static const char *
command_name(uint16_t command)
{
    static const char *const names[] = {
        [FSN_WIRE_CMD_OPEN_RETURN_PATH] = "OPEN_RETURN_PATH",
        [FSN_WIRE_CMD_PING] = "PING",
        [FSN_WIRE_CMD_POSTCOPY_ADVISE] = "POSTCOPY_ADVISE",
        [FSN_WIRE_CMD_POSTCOPY_LISTEN] = "POSTCOPY_LISTEN",
        [FSN_WIRE_CMD_POSTCOPY_RUN] = "POSTCOPY_RUN",
        [FSN_WIRE_CMD_POSTCOPY_RAM_DISCARD] = "POSTCOPY_RAM_DISCARD",
        [FSN_WIRE_CMD_PACKAGED] = "PACKAGED",
        [FSN_WIRE_CMD_ENABLE_COLO] = "ENABLE_COLO",
        [FSN_WIRE_CMD_POSTCOPY_RESUME] = "POSTCOPY_RESUME",
        [FSN_WIRE_CMD_RECV_BITMAP] = "RECV_BITMAP",
        [FSN_WIRE_CMD_SWITCHOVER_START] = "SWITCHOVER_START",
    };

    return command > 0 && command < G_N_ELEMENTS(names) ? names[command] : "unknown";
}

static gssize
step_command(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    uint16_t command;
    uint16_t len;

    if (n < 5) {
        return 0;
    }
    command = fsn_get_be16(p + 1);
    len = fsn_get_be16(p + 3);
    if (!command_is_known(command, len)) {
        return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                               "command %u (%s) with %u bytes is not supported", command,
                               command_name(command), len);
    }
    if (n < 5u + len) {
        return 0;
    }
    if (r->handlers.command &&
        !r->handlers.command(r->user, command, p + 5, len, error)) {
        return -1;
    }
    return 5 + len;
}

/* 01 or 04, id, name, instance, version. Only the one that starts RAM is consumed. */
static gssize
step_start(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    g_autofree char *name = NULL;
    size_t len;

    if (n < 6 || n < 14u + p[5]) {
        return 0;
    }
    len = p[5];
    name = fsn_reader_name(p + 6, len);
    if (p[0] == FSN_WIRE_SECTION_FULL || strcmp(name, "ram") != 0) {
        return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                               "section '%s' before the end of RAM is not supported",
                               name);
    }
    if (r->layout) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT, "RAM starts twice");
    }
    r->layout = g_new0(FsnRamLayout, 1);
    r->layout->section_id = fsn_get_be32(p + 1);
    r->layout->instance = fsn_get_be32(p + 6 + len);
    r->layout->version = fsn_get_be32(p + 10 + len);
    if (r->layout->version != FSN_WIRE_RAM_VERSION) {
        return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                               "version %u of the RAM section is not supported",
                               r->layout->version);
    }
    r->layout->blocks = g_new0(FsnRamBlock, FSN_STREAM_MAX_BLOCKS);
    r->section_type = p[0];
    r->state = FSN_READER_RAM;
    return 14 + (gssize)len;
}

/* 02 or 03, id */
static gssize
step_continue(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    if (n < 5) {
        return 0;
    }
    if (!r->layout || r->ram_done || fsn_get_be32(p + 1) != r->layout->section_id) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "part of section %u, which is not RAM under way",
                               fsn_get_be32(p + 1));
    }
    r->section_type = p[0];
    r->state = FSN_READER_RAM;
    return 5;
}

/* The first device ends RAM: after SECTION_END, or in place of it (background-snapshot). */
static gssize
step_first_device(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    if (!r->ram_done && !fsn_reader_ram_end(r, error)) {
        return -1;
    }
    r->state = FSN_READER_TAIL;
    return fsn_reader_step_tail(r, p, n, error);
}

gssize
fsn_reader_step_section(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    switch (p[0]) {
    case FSN_WIRE_COMMAND:
        return step_command(r, p, n, error);
    case FSN_WIRE_SECTION_START:
        return step_start(r, p, n, error);
    case FSN_WIRE_SECTION_PART:
    case FSN_WIRE_SECTION_END:
        return step_continue(r, p, n, error);
    case FSN_WIRE_SECTION_FULL:
        if (r->layout) {
            return step_first_device(r, p, n, error);
        }
        return step_start(r, p, n, error);
    default: /* a byte from outside, not an enum */
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "section of unknown type 0x%02x", p[0]);
    }
}
