/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/disk/qcow2-header.c with headers of qemu-img (in the corpus of the fuzz target). */
#include "config.h"

#include "disk/qcow2-header.h"

#include "base/bytes.h"
#include "base/error.h"

typedef struct {
    const char *file;
    const char *backing, *format;
} Golden;

static const Golden goldens[] = {
    { "plain", NULL, NULL },
    { "backing", "base", "raw" },
    { "version-2", "base", "raw" },
    { "json", "json:{\"driver\":\"nbd\",\"host\":\"example\"}", "raw" },
};

static uint8_t *
corpus(const char *name, size_t *out_len)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "fuzz", "corpus",
                                                  "qcow2-header", name, NULL);
    g_autoptr(GError) error = NULL;
    char *data;

    g_file_get_contents(path, &data, out_len, &error);
    g_assert_no_error(error);
    return (uint8_t *)data;
}

static void
test_golden(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(goldens); i++) {
        g_auto(FsnQcow2Header) header = { 0 };
        g_autoptr(GError) error = NULL;
        g_autofree uint8_t *data = NULL;
        size_t len;

        data = corpus(goldens[i].file, &len);
        g_assert_true(fsn_qcow2_header_parse(data, len, &header, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(header.backing, ==, goldens[i].backing);
        g_assert_cmpstr(header.backing_format, ==, goldens[i].format);
    }
}

/* A header that is cut is refused, until all that matters is there. */
static void
test_truncated(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(goldens); i++) {
        g_autofree uint8_t *data = NULL;
        const char *backing = goldens[i].backing;
        size_t len;

        data = corpus(goldens[i].file, &len);
        for (size_t cut = 0; cut < len; cut++) {
            g_autofree uint8_t *part = g_memdup2(data, cut);
            g_auto(FsnQcow2Header) header = { 0 };
            g_autoptr(GError) error = NULL;

            if (fsn_qcow2_header_parse(part, cut, &header, &error)) {
                g_assert_cmpstr(header.backing, ==, backing);
                g_assert_true(!backing ||
                              cut >= fsn_get_be64(data + 8) + strlen(backing));
            } else {
                g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
            }
        }
    }
}

typedef struct {
    size_t at;
    uint32_t value; /* big-endian, 4 bytes */
} Change;

/* Each of them is refused. */
static const Change bad[] = {
    { 0, 0x514649fa },   /* magic */
    { 4, 1 },            /* version */
    { 4, 4 },            /* version */
    { 8, 1 },            /* name far away */
    { 12, 4 },           /* name in the header */
    { 12, 639 },         /* name cut by the end */
    { 16, 0 },           /* name of no length */
    { 16, 1024 },        /* name too long */
    { 16, 0xffffffff },  /* the same */
    { 16, 5 },           /* a NUL in the name */
    { 100, 0 },          /* header too short */
    { 100, 0xffffffff }, /* header too long */
    { 116, 0xffffffff }, /* extension too long */
    { 116, 4 },          /* a NUL in the format */
    { 120, 0xffffffff }, /* a format that is no text */
};

static void
test_hostile(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_auto(FsnQcow2Header) header = { 0 };
        g_autoptr(GError) error = NULL;
        g_autofree uint8_t *data = NULL;
        size_t len;

        data = corpus("backing", &len);
        fsn_put_be32(data + bad[i].at, bad[i].value);
        g_test_message("%" G_GSIZE_FORMAT ": %x", bad[i].at, bad[i].value);
        g_assert_false(fsn_qcow2_header_parse(data, len, &header, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/qcow2-header/golden", test_golden);
    g_test_add_func("/disk/qcow2-header/truncated", test_truncated);
    g_test_add_func("/disk/qcow2-header/hostile", test_hostile);
    return g_test_run();
}
