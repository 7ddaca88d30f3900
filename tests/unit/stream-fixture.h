/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests of src/stream: golden streams, and a recorder that boils the events of a
 * reader down to counters and one number, so that two readings can be compared.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "stream/reader.h"

typedef struct {
    uint64_t digest; /* of all events and their order */
    unsigned int configs;
    unsigned int commands;
    unsigned int starts;
    unsigned int zero_pages;
    unsigned int data_pages;
    unsigned int parts;
    unsigned int ends;
    uint64_t
        fail_at_page; /* the page handler fails when it has seen as many; 0 = never */
    char *machine;
} Record;

static inline void
record_mix(Record *rec, char kind, uint64_t a, uint64_t b)
{
    uint64_t words[4] = { rec->digest, (uint64_t)kind, a, b };

    rec->digest = fsn_hash64(words, sizeof(words));
}

static inline bool
record_config(gpointer user, const char *machine, GError **error)
{
    Record *rec = user;

    rec->configs++;
    g_free(rec->machine);
    rec->machine = g_strdup(machine);
    record_mix(rec, 'c', fsn_hash64(machine, strlen(machine)), 0);
    return true;
}

static inline bool
record_command(
    gpointer user, uint16_t command, const uint8_t *payload, size_t len, GError **error)
{
    Record *rec = user;

    rec->commands++;
    record_mix(rec, 'k', command, fsn_hash64(payload, len));
    return true;
}

static inline bool
record_start(gpointer user, const FsnRamLayout *layout, GError **error)
{
    Record *rec = user;

    rec->starts++;
    record_mix(rec, 's', layout->n_blocks, fsn_ram_layout_length(layout));
    return true;
}

static inline bool
record_page(
    gpointer user, uint32_t block, uint64_t page, const uint8_t *data, GError **error)
{
    Record *rec = user;

    *(data ? &rec->data_pages : &rec->zero_pages) += 1;
    if (rec->fail_at_page && rec->zero_pages + rec->data_pages == rec->fail_at_page) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE, "the store is full");
        return false;
    }
    record_mix(rec, 'p', page << 8 | block, data ? fsn_hash64(data, FSN_PAGE_SIZE) : 0);
    return true;
}

static inline bool
record_part(gpointer user, GError **error)
{
    Record *rec = user;

    rec->parts++;
    record_mix(rec, 'e', 0, 0);
    return true;
}

static inline bool
record_end(gpointer user, GError **error)
{
    Record *rec = user;

    rec->ends++;
    record_mix(rec, 'E', 0, 0);
    return true;
}

static const FsnStreamHandlers record_handlers = {
    .config = record_config,
    .command = record_command,
    .ram_start = record_start,
    .page = record_page,
    .ram_part = record_part,
    .ram_end = record_end,
};

static inline void
record_clear(Record *rec)
{
    g_free(rec->machine);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Record, record_clear)

/* A file of tests/golden. */
static inline GBytes *
golden(const char *name)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "tests", "golden", name, NULL);
    g_autoptr(GError) error = NULL;
    char *data = NULL;
    gsize len;

    g_file_get_contents(path, &data, &len, &error);
    g_assert_no_error(error);
    return g_bytes_new_take(data, len);
}
