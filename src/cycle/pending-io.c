/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a look at QEMU's threads says about its I/O. Pure: qemu-threads.c looks and
 * io-check.c waits. It sees I/O that a thread waits for in the kernel (io='threads' and
 * 'io_uring', and whatever blocks where it should not), not I/O that the kernel completes by
 * itself (io='native') nor that of a network disk which QEMU speaks to on its own; so
 * "nothing hangs" is no promise, while what it says to hang does.
 */
#include "config.h"

#include "cycle/pending-io.h"

#include <string.h>

/* Of 20 digits the last may be one too many for 64 bits, which is looked at. */
#define MAX_DIGITS 20

struct FsnPendingIo {
    GArray *suspects; /* of FsnThreadLook, all from the first look; NULL before it */
    int64_t since_us;
};

/* The rest of the line that begins with @key at the beginning of a line; false if there is
 * none or more than one, which the kernel never writes: it escapes the thread's name. */
static bool
find_line(
    const char *text, size_t len, const char *key, const char **out, size_t *out_len)
{
    const char *end = text + len;
    size_t key_len = strlen(key);
    bool found = false;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));

        if (!newline) {
            break; /* cut */
        }
        if ((size_t)(newline - text) > key_len && memcmp(text, key, key_len) == 0) {
            if (found) {
                return false;
            }
            found = true;
            *out = text + key_len;
            *out_len = (size_t)(newline - *out);
        }
        text = newline + 1;
    }
    return found;
}

static bool
find_number(const char *text, size_t len, const char *key, uint64_t *out_number)
{
    char digits[MAX_DIGITS + 1];
    const char *value;
    size_t value_len;
    guint64 number;

    if (!find_line(text, len, key, &value, &value_len) || value_len > MAX_DIGITS) {
        return false;
    }
    memcpy(digits, value, value_len);
    digits[value_len] = '\0';
    if (strlen(digits) != value_len ||
        !g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64, &number, NULL)) {
        return false;
    }
    *out_number = number;
    return true;
}

bool
fsn_thread_look_parse(const char *text, size_t len, FsnThreadLook *out_look)
{
    const char *state;
    size_t state_len;
    uint64_t voluntary;
    uint64_t involuntary;

    if (!find_line(text, len, "State:\t", &state, &state_len) ||
        !find_number(text, len, "voluntary_ctxt_switches:\t", &voluntary) ||
        !find_number(text, len, "nonvoluntary_ctxt_switches:\t", &involuntary)) {
        return false;
    }
    out_look->waits = state[0] == 'D';
    out_look->switches = voluntary + involuntary; /* may wrap: only compared */
    return true;
}

FsnPendingIo *
fsn_pending_io_new(void)
{
    return g_new0(FsnPendingIo, 1);
}

void
fsn_pending_io_free(FsnPendingIo *io)
{
    if (io) {
        g_clear_pointer(&io->suspects, g_array_unref);
        g_free(io);
    }
}

/* A thread that is not among @looks has ended. */
static bool
stands_still(const FsnThreadLook *then, const GArray *looks)
{
    for (guint i = 0; i < looks->len; i++) {
        const FsnThreadLook *now = &g_array_index(looks, FsnThreadLook, i);

        if (now->tid == then->tid) {
            return now->waits && now->switches == then->switches;
        }
    }
    return false;
}

FsnIoVerdict
fsn_pending_io_judge(FsnPendingIo *io, const GArray *looks, int64_t now_us)
{
    bool first = !io->suspects;
    g_autoptr(GArray) before = io->suspects;
    const GArray *candidates = first ? looks : before;

    io->suspects = g_array_new(FALSE, FALSE, sizeof(FsnThreadLook));
    io->since_us = first ? now_us : io->since_us;
    for (guint i = 0; i < candidates->len; i++) {
        const FsnThreadLook *look = &g_array_index(candidates, FsnThreadLook, i);

        if (first ? look->waits : stands_still(look, looks)) {
            g_array_append_vals(io->suspects, look, 1);
        }
    }
    if (io->suspects->len == 0) {
        return FSN_IO_MOVES;
    }
    return now_us - io->since_us < FSN_PENDING_IO_LIMIT_US ? FSN_IO_WAITS : FSN_IO_HANGS;
}
