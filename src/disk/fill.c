/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filling an overlay from the image below it. NBD's "cache" request makes QEMU copy on read
 * without sending the bytes to us, and QEMU orders the copies with the guest's writes, so
 * nothing that the guest wrote is ever overwritten. Only what the image has as data is asked
 * for: a block job would read every hole too, one request at a time.
 */
#include "config.h"

#include "disk/fill.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/pace.h"
#include "disk/write-image.h"
#include "repo/image-runs.h"

#include <libnbd.h>
#include <string.h>

/* QEMU has 16 requests in flight to the server; the guest's own must find room among them.
 * A short one keeps the guest from waiting for long where it wants the same place. */
#define DEPTH         8u
#define MAX_BYTES     (256u << 10)
/* The overlay's clusters: a smaller piece is copied whole anyway. */
#define CLUSTER       ((uint64_t)64 << 10)
#define DEPTH_CONTEXT "qemu:allocation-depth"
#define LOOK_MS       200
/* Bytes that one question about extents covers. */
#define ASK_BYTES     ((uint64_t)1 << 30)

typedef struct {
    int64_t cookie; /* 0: free */
    uint64_t offset;
    uint64_t len;
} Flight;

typedef struct {
    const FsnFillOptions *o;
    struct nbd_handle *nbd;
    Flight flights[DEPTH];
    unsigned in_flight;
    size_t next_first;
    uint64_t next;    /* byte from which on the image has not been walked */
    uint64_t run_end; /* end of the data run that begins there or before */
    uint64_t done;
    uint64_t total;
    FsnPace pace;
    GError *failure; /* the first; the others go on */
} Fill;

static void
fill_clear(Fill *f)
{
    if (f->nbd) {
        nbd_close(f->nbd);
    }
    g_clear_error(&f->failure);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fill, fill_clear)

static bool
fail(GError **error, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "%s: %s", what, nbd_get_error());
    return false;
}

static bool
connect_to(Fill *f, GError **error)
{
    int64_t size;

    f->nbd = nbd_create();
    if (!f->nbd || nbd_set_export_name(f->nbd, f->o->export_name) < 0 ||
        nbd_add_meta_context(f->nbd, DEPTH_CONTEXT) < 0 ||
        nbd_connect_unix(f->nbd, f->o->socket) < 0) {
        return fail(error, "cannot connect to QEMU's NBD server");
    }
    size = nbd_get_size(f->nbd);
    if (size < 0 || (uint64_t)size < f->o->size) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "the overlay has %" G_GINT64_FORMAT
                    " bytes, and the disk in the snapshot %" G_GUINT64_FORMAT,
                    size, f->o->size);
        return false;
    }
    if (nbd_can_cache(f->nbd) != 1 || nbd_can_flush(f->nbd) != 1 ||
        nbd_can_meta_context(f->nbd, DEPTH_CONTEXT) != 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "this QEMU's NBD server cannot fill an image");
        return false;
    }
    return true;
}

/* The next piece of those that are wanted first: neighbours in the list are one. */
static bool
next_of_first(Fill *f, uint64_t *out_offset, uint64_t *out_len)
{
    uint64_t begin, end;

    while (f->next_first < f->o->n_first &&
           (uint64_t)f->o->first[f->next_first] * FSN_GRANULE_SIZE >= f->o->size) {
        f->next_first++; /* the disk was larger then */
    }
    if (f->next_first >= f->o->n_first) {
        return false;
    }
    begin = (uint64_t)f->o->first[f->next_first++] * FSN_GRANULE_SIZE / CLUSTER * CLUSTER;
    end = begin + CLUSTER;
    while (f->next_first < f->o->n_first) {
        uint64_t at = (uint64_t)f->o->first[f->next_first] * FSN_GRANULE_SIZE;

        if (at < begin || at >= end + CLUSTER || at >= f->o->size) {
            break;
        }
        end = MAX(end, at / CLUSTER * CLUSTER + CLUSTER);
        f->next_first++;
    }
    *out_offset = begin;
    *out_len = MIN(end, f->o->size) - begin;
    return true;
}

/* The next piece of data in order; *@out_len is 0 at the end. */
static bool
next_in_order(Fill *f, uint64_t *out_offset, uint64_t *out_len, GError **error)
{
    uint64_t n_granules = fsn_image_n_granules(f->o->image);

    while (f->next >= f->run_end) {
        uint64_t first = f->next / FSN_GRANULE_SIZE;
        FsnGranuleKind kind;
        uint64_t n;

        if (first >= n_granules) {
            *out_len = 0;
            return true;
        }
        if (!fsn_image_next_run(f->o->image, first, n_granules - first, &kind, &n,
                                error)) {
            return false;
        }
        if (kind == FSN_GRANULE_DATA) {
            f->run_end = MIN((first + n) * FSN_GRANULE_SIZE, f->o->size);
            break;
        }
        f->next = (first + n) * FSN_GRANULE_SIZE;
    }
    *out_offset = f->next;
    *out_len = MIN(f->run_end - f->next, MAX_BYTES - f->next % MAX_BYTES);
    f->next += *out_len;
    if (f->next >= f->run_end) {
        f->next = (f->next + FSN_GRANULE_SIZE - 1) / FSN_GRANULE_SIZE * FSN_GRANULE_SIZE;
        f->run_end = 0;
    }
    return true;
}

static bool
start(Fill *f, uint64_t offset, uint64_t len, GError **error)
{
    Flight *flight = f->flights;

    while (flight->cookie) {
        flight++;
    }
    if (f->o->asked) {
        f->o->asked(offset, len, f->o->user);
    }
    flight->cookie = nbd_aio_cache(f->nbd, len, offset, NBD_NULL_COMPLETION, 0);
    if (flight->cookie < 0) {
        flight->cookie = 0;
        return fail(error, "cannot ask QEMU to fill");
    }
    flight->offset = offset;
    flight->len = len;
    f->in_flight++;
    return true;
}

/* Takes what has been answered. A part that cannot be read does not keep the others back. */
static void
retire(Fill *f)
{
    for (unsigned i = 0; i < DEPTH; i++) {
        Flight *flight = &f->flights[i];
        int done;

        if (!flight->cookie) {
            continue;
        }
        done = nbd_aio_command_completed(f->nbd, (uint64_t)flight->cookie);
        if (done == 0) {
            continue;
        }
        if (done < 0 && !f->failure) {
            g_set_error(&f->failure, FSN_ERROR, FSN_ERROR_FAILED,
                        "cannot fill %" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT
                        ": %s",
                        flight->len, flight->offset, nbd_get_error());
        }
        flight->cookie = 0;
        f->in_flight--;
    }
}

static bool
wait_some(Fill *f, int timeout_ms, GError **error)
{
    if (f->o->cancellable && g_cancellable_is_cancelled(f->o->cancellable)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED, "interrupted");
        return false;
    }
    if (nbd_poll(f->nbd, timeout_ms) < 0 || nbd_aio_is_dead(f->nbd) ||
        nbd_aio_is_closed(f->nbd)) {
        return fail(error, "the connection to QEMU's NBD server is lost");
    }
    retire(f);
    return true;
}

/* Until @len bytes more may be asked for. */
static bool
wait_turn(Fill *f, uint64_t len, GError **error)
{
    int64_t now_us = fsn_monotonic_us();
    int64_t until_us = now_us + fsn_pace_take(&f->pace, now_us, len);

    while (now_us < until_us) {
        int64_t left_ms = (until_us - now_us + 999) / 1000;

        if (!wait_some(f, (int)MIN(left_ms, LOOK_MS), error)) {
            return false;
        }
        now_us = fsn_monotonic_us();
    }
    return true;
}

static bool
ask_all(Fill *f, GError **error)
{
    for (;;) {
        bool ordered = false;
        uint64_t offset = 0;
        uint64_t len = 0;

        if (!next_of_first(f, &offset, &len)) {
            ordered = true;
            if (!next_in_order(f, &offset, &len, error)) {
                return false;
            }
        }
        if (len == 0) {
            break;
        }
        while (f->in_flight == DEPTH) {
            if (!wait_some(f, LOOK_MS, error)) {
                return false;
            }
        }
        if (!start(f, offset, len, error) || !wait_turn(f, len, error)) {
            return false;
        }
        f->done += ordered ? len : 0;
        if (ordered && f->o->progress) {
            f->o->progress(f->done, f->total, f->o->user);
        }
    }
    while (f->in_flight > 0) {
        if (!wait_some(f, LOOK_MS, error)) {
            return false;
        }
    }
    return true;
}

/* What one answer tells, against the image. */
typedef struct {
    Fill *fill;
    uint64_t next; /* first byte that is not told */
    uint64_t
        missing; /* first byte of data that is not in the overlay; UINT64_MAX: none */
    GError *error;
} Check;

/* Whether the image has data in the range, and where. */
static bool
find_data(Fill *f, uint64_t begin, uint64_t end, uint64_t *out_at, GError **error)
{
    uint64_t last = MIN((end + FSN_GRANULE_SIZE - 1) / FSN_GRANULE_SIZE,
                        fsn_image_n_granules(f->o->image));
    FsnGranuleKind kind;
    uint64_t n;

    *out_at = UINT64_MAX;
    for (uint64_t g = begin / FSN_GRANULE_SIZE; g < last; g += n) {
        if (!fsn_image_next_run(f->o->image, g, last - g, &kind, &n, error)) {
            return false;
        }
        if (kind == FSN_GRANULE_DATA) {
            *out_at = g * FSN_GRANULE_SIZE;
            return true;
        }
    }
    return true;
}

/* Entries are pairs of length and depth: 1 is the overlay itself. */
static int
take_depths(void *user,
            const char *context,
            uint64_t offset,
            uint32_t *entries,
            size_t n_entries,
            int *error)
{
    Check *check = user;

    if (strcmp(context, DEPTH_CONTEXT) != 0 || *error != 0) {
        return 0;
    }
    for (size_t i = 0; i + 1 < n_entries && !check->error; i += 2) {
        uint64_t end = offset + entries[i];

        if (entries[i + 1] != 1 && check->missing == UINT64_MAX &&
            !find_data(check->fill, offset, MIN(end, check->fill->o->size),
                       &check->missing, &check->error)) {
            break;
        }
        offset = end;
    }
    check->next = offset;
    return 0;
}

static bool
check_all(Fill *f, GError **error)
{
    Check check = { .fill = f, .missing = UINT64_MAX };

    for (uint64_t at = 0; at < f->o->size; at = check.next) {
        nbd_extent_callback callback = { .callback = take_depths, .user_data = &check };

        check.next = at;
        if (nbd_block_status(f->nbd, MIN(f->o->size - at, ASK_BYTES), at, callback, 0) <
            0) {
            return fail(error, "cannot ask QEMU what is filled");
        }
        if (check.error) {
            g_propagate_error(error, check.error);
            return false;
        }
        if (check.next <= at || check.missing != UINT64_MAX) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                        "QEMU has not filled the image at byte %" G_GUINT64_FORMAT,
                        check.missing != UINT64_MAX ? check.missing : at);
            return false;
        }
    }
    return true;
}

bool
fsn_fill(const FsnFillOptions *options, GError **error)
{
    g_auto(Fill) f = { .o = options, .pace.bytes_per_s = options->bandwidth };

    if (!fsn_image_check_size(options->image, options->size, error) ||
        !fsn_image_data_bytes(options->image, &f.total, error) ||
        !connect_to(&f, error) || !ask_all(&f, error)) {
        return false;
    }
    if (f.failure) {
        g_propagate_error(error, g_steal_pointer(&f.failure));
        return false;
    }
    if (nbd_flush(f.nbd, 0) < 0) {
        return fail(error, "cannot make durable what is filled");
    }
    return check_all(&f, error);
}
