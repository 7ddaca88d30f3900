/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client side of NBD. Every request is asked for its result when it is done, never
 * retired by a callback: a callback is easily written that forgets the error it is given, and
 * libnbd finds an answer that is too short only when asked. Any connection that is lost
 * after it was used is an error; one that never came up is done without.
 */
#include "config.h"

#include "disk/nbd.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <libnbd.h>
#include <poll.h>

/* Bytes of the disk that one question about extents covers. */
#define MAP_BYTES      ((uint64_t)2 << 30)
/* Extents of an answer that are used; what is behind them is asked for again. */
#define MAX_EXTENTS    262144
/* How soon a cancellation is noticed. */
#define LOOK_US        100000
/* Of the 32 bits that a request has. */
#define MAX_TRIM       ((uint64_t)1 << 30)
/* NBD's default where a server does not say it. */
#define MAX_READ       ((uint64_t)32 << 20)
/* An export whose requests must be aligned to more than a granule is refused. */
#define MAX_ALIGNMENT  4096
/* Requests on each connection that make another one worth while. */
#define LINK_DEPTH     4
/* One more fills the pauses of the first; with four, QEMU only switches more often. */
#define DEFAULT_LINKS  2
#define BITMAP_CONTEXT "qemu:dirty-bitmap:"

typedef struct {
    struct nbd_handle *handle;
    bool used; /* its loss is an error */
} Link;

struct FsnNbd {
    char *socket;
    char *export_name;
    char *bitmap;
    const gint *cancel;
    int64_t stall_us;
    int64_t alive_us; /* when something last moved */
    Link links[FSN_NBD_MAX_CONNECTIONS];
    unsigned n_links;
    unsigned max_links;
    uint64_t size;
    uint64_t max_read;
    bool allocation; /* the server has base:allocation */
    GArray *extents[2];
};

static bool
fail(FsnNbd *nbd, GError **error, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "export '%s': %s: %s",
                nbd->export_name, what, nbd_get_error());
    return false;
}

static bool
link_is_up(const Link *link)
{
    return link->handle &&
           (nbd_aio_is_ready(link->handle) || nbd_aio_is_processing(link->handle));
}

static bool
link_is_lost(const Link *link)
{
    return nbd_aio_is_dead(link->handle) || nbd_aio_is_closed(link->handle);
}

/* Begins connection number n_links; only the first asks for contexts. */
static bool
add_link(FsnNbd *nbd, GError **error)
{
    struct nbd_handle *handle = nbd_create();
    Link *link = &nbd->links[nbd->n_links];

    if (!handle) {
        return fail(nbd, error, "cannot make a connection");
    }
    *link = (Link){ .handle = handle, .used = nbd->n_links == 0 };
    nbd->n_links++;
    if (nbd_set_export_name(handle, nbd->export_name) < 0 ||
        (link->used &&
         nbd_add_meta_context(handle, LIBNBD_CONTEXT_BASE_ALLOCATION) < 0) ||
        (link->used && nbd->bitmap && nbd_add_meta_context(handle, nbd->bitmap) < 0) ||
        nbd_aio_connect_unix(handle, nbd->socket) < 0) {
        return fail(nbd, error, "cannot connect");
    }
    return true;
}

static void
close_link(Link *link)
{
    if (link->handle) {
        if (nbd_aio_is_ready(link->handle)) {
            (void)nbd_aio_disconnect(link->handle, 0); /* a courtesy */
        }
        nbd_close(link->handle);
        link->handle = NULL;
    }
}

/* The events to poll @link for; 0 if there is nothing to be expected of it. */
static short
events_of(const Link *link)
{
    unsigned direction = link->handle ? nbd_aio_get_direction(link->handle) : 0;
    short events = 0;

    if (direction & LIBNBD_AIO_DIRECTION_READ) {
        events |= POLLIN;
    }
    if (direction & LIBNBD_AIO_DIRECTION_WRITE) {
        events |= POLLOUT;
    }
    return events;
}

/* Lets libnbd do what poll says can be done. One of both directions: the first may change
 * what the second would mean. */
static bool
serve_link(FsnNbd *nbd, Link *link, short events, short revents, GError **error)
{
    bool ok = true;

    if (revents & (POLLIN | POLLHUP | POLLERR) && events & POLLIN) {
        ok = nbd_aio_notify_read(link->handle) == 0;
    } else if (revents) {
        ok = nbd_aio_notify_write(link->handle) == 0;
    }
    if (ok && !link_is_lost(link)) {
        return true;
    }
    if (!link->used) {
        close_link(link);
        return true;
    }
    if (!ok) {
        return fail(nbd, error, "the connection is lost");
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                "export '%s': the server closed the connection", nbd->export_name);
    return false;
}

static bool
pump(FsnNbd *nbd, int timeout_ms, bool *out_active, GError **error)
{
    struct pollfd fds[FSN_NBD_MAX_CONNECTIONS];
    int n;

    *out_active = false;
    for (unsigned i = 0; i < nbd->n_links; i++) {
        Link *link = &nbd->links[i];
        short events = events_of(link);

        fds[i] = (struct pollfd){ .fd = -1, .events = events };
        if (events) {
            fds[i].fd = nbd_aio_get_fd(link->handle);
        }
    }
    n = poll(fds, nbd->n_links, timeout_ms);
    if (n < 0 && errno != EINTR) {
        return fsn_set_errno(error, errno, "cannot wait for the NBD server");
    }
    for (unsigned i = 0; n > 0 && i < nbd->n_links; i++) {
        if (fds[i].fd >= 0 && fds[i].revents) {
            *out_active = true;
            if (!serve_link(nbd, &nbd->links[i], fds[i].events, fds[i].revents, error)) {
                return false;
            }
        }
    }
    return true;
}

/* Whether an answer is owed on a connection that counts. */
static bool
is_waiting(FsnNbd *nbd)
{
    for (unsigned i = 0; i < nbd->n_links; i++) {
        Link *link = &nbd->links[i];

        if (link->used && (!link_is_up(link) || nbd_aio_in_flight(link->handle) > 0)) {
            return true;
        }
    }
    return false;
}

bool
fsn_nbd_is_idle(FsnNbd *nbd)
{
    return !is_waiting(nbd);
}

bool
fsn_nbd_wait(FsnNbd *nbd, int64_t until_us, GError **error)
{
    int64_t now_us = fsn_monotonic_us();
    bool active = false;

    do {
        int64_t left_us = CLAMP(until_us - now_us, 0, LOOK_US);

        if (nbd->cancel && g_atomic_int_get(nbd->cancel) != 0) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED, "cancelled");
            return false;
        }
        if (!pump(nbd, (int)((left_us + 999) / 1000), &active, error)) {
            return false;
        }
        now_us = fsn_monotonic_us();
        if (active || !is_waiting(nbd)) {
            nbd->alive_us = now_us;
        } else if (now_us - nbd->alive_us > nbd->stall_us) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "export '%s': the server has been silent for %" G_GINT64_FORMAT
                        " s",
                        nbd->export_name, nbd->stall_us / G_USEC_PER_SEC);
            return false;
        }
    } while (!active && now_us < until_us);
    return true;
}

/* What the server told when the first connection came up. */
static bool
take_facts(FsnNbd *nbd, GError **error)
{
    struct nbd_handle *handle = nbd->links[0].handle;
    int64_t size = nbd_get_size(handle);
    int64_t max = nbd_get_block_size(handle, LIBNBD_SIZE_MAXIMUM);
    int64_t min = nbd_get_block_size(handle, LIBNBD_SIZE_MINIMUM);

    if (size < 0) {
        return fail(nbd, error, "the size is not known");
    }
    if (min > MAX_ALIGNMENT) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "export '%s' can only be read in blocks of %" G_GINT64_FORMAT
                    " bytes",
                    nbd->export_name, min);
        return false;
    }
    if (nbd->bitmap && nbd_can_meta_context(handle, nbd->bitmap) != 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "export '%s' has no bitmap '%s'", nbd->export_name, nbd->bitmap);
        return false;
    }
    nbd->size = (uint64_t)size;
    nbd->max_read = max > 0 ? MIN((uint64_t)max, MAX_READ) : MAX_READ;
    nbd->allocation = nbd_can_meta_context(handle, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
    if (nbd_can_multi_conn(handle) != 1) {
        nbd->max_links = 1;
    }
    return true;
}

FsnNbd *
fsn_nbd_open(const FsnNbdOptions *options, GError **error)
{
    g_autoptr(FsnNbd) nbd = g_new0(FsnNbd, 1);

    nbd->socket = g_strdup(options->socket);
    nbd->export_name = g_strdup(options->export_name);
    nbd->bitmap = g_strdup(options->bitmap);
    nbd->cancel = options->cancel;
    nbd->stall_us = options->stall_us;
    nbd->max_links = options->connections
                         ? MIN(options->connections, FSN_NBD_MAX_CONNECTIONS)
                         : DEFAULT_LINKS;
    nbd->alive_us = fsn_monotonic_us();
    for (unsigned i = 0; i < G_N_ELEMENTS(nbd->extents); i++) {
        nbd->extents[i] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    }
    if (!add_link(nbd, error)) {
        return NULL;
    }
    while (!link_is_up(&nbd->links[0])) {
        if (!fsn_nbd_wait(nbd, nbd->alive_us + nbd->stall_us, error)) {
            return NULL;
        }
    }
    if (!take_facts(nbd, error)) {
        return NULL;
    }
    return g_steal_pointer(&nbd);
}

void
fsn_nbd_free(FsnNbd *nbd)
{
    if (!nbd) {
        return;
    }
    for (unsigned i = 0; i < nbd->n_links; i++) {
        close_link(&nbd->links[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(nbd->extents); i++) {
        g_clear_pointer(&nbd->extents[i], g_array_unref);
    }
    g_free(nbd->socket);
    g_free(nbd->export_name);
    g_free(nbd->bitmap);
    g_free(nbd);
}

uint64_t
fsn_nbd_size(const FsnNbd *nbd)
{
    return nbd->size;
}

uint64_t
fsn_nbd_max_read(const FsnNbd *nbd)
{
    return nbd->max_read;
}

/* Called by libnbd once for each context. An error of the server is told by the result of
 * the command, which is looked at before any of this is used. */
static int
take_extents(void *user,
             const char *context,
             uint64_t offset,
             uint32_t *entries,
             size_t n_entries,
             int *error)
{
    FsnNbd *nbd = user;
    GArray *extents = nbd->extents[g_str_has_prefix(context, BITMAP_CONTEXT)];

    if (extents->len == 0) {
        g_array_append_vals(extents, entries, (guint)MIN(n_entries / 2, MAX_EXTENTS) * 2);
    }
    return 0;
}

static bool
command_done(FsnNbd *nbd, struct nbd_handle *handle, int64_t cookie, bool *out_done)
{
    int rc = nbd_aio_command_completed(handle, (uint64_t)cookie);

    *out_done = rc != 0;
    return rc >= 0;
}

static bool
ask_for_extents(FsnNbd *nbd, uint64_t offset, uint64_t len, GError **error)
{
    struct nbd_handle *handle = nbd->links[0].handle;
    nbd_extent_callback callback = { .callback = take_extents, .user_data = nbd };
    bool done = false;
    int64_t cookie;

    for (unsigned i = 0; i < G_N_ELEMENTS(nbd->extents); i++) {
        g_array_set_size(nbd->extents[i], 0);
    }
    cookie = nbd_aio_block_status(handle, len, offset, callback, NBD_NULL_COMPLETION, 0);
    if (cookie < 0) {
        return fail(nbd, error, "cannot ask for the extents");
    }
    nbd->alive_us = fsn_monotonic_us();
    while (!done) {
        if (!fsn_nbd_wait(nbd, nbd->alive_us + nbd->stall_us, error)) {
            return false;
        }
        if (!command_done(nbd, handle, cookie, &done)) {
            return fail(nbd, error, "cannot get the extents");
        }
    }
    return true;
}

bool
fsn_nbd_map(FsnNbd *nbd, FsnExtentPlan *plan, GError **error)
{
    uint64_t len = MIN(plan->size - plan->position, MAP_BYTES);
    FsnPlanMap maps[2];

    if (!nbd->allocation && !nbd->bitmap) {
        (void)fsn_extent_plan_add(plan, NULL, NULL, len); /* always all */
        return true;
    }
    if (!ask_for_extents(nbd, plan->position, len, error)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(maps); i++) {
        maps[i].pairs = (const uint32_t *)(gpointer)nbd->extents[i]->data;
        maps[i].n_pairs = nbd->extents[i]->len / 2;
    }
    if (len > 0 && fsn_extent_plan_add(plan, nbd->allocation ? &maps[0] : NULL,
                                       nbd->bitmap ? &maps[1] : NULL, len) == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "export '%s': the server does not say what is at %" G_GUINT64_FORMAT,
                    nbd->export_name, plan->position);
        return false;
    }
    return true;
}

/* Begins another connection if all are busy and none is coming up. */
static void
grow(FsnNbd *nbd)
{
    for (unsigned i = 0; i < nbd->n_links; i++) {
        Link *link = &nbd->links[i];

        if (!link->used || nbd_aio_in_flight(link->handle) < LINK_DEPTH) {
            return;
        }
    }
    if (nbd->n_links < nbd->max_links && !add_link(nbd, NULL)) {
        nbd->max_links = nbd->n_links; /* then without */
    }
}

/* The connection that has least to do. */
static unsigned
choose_link(FsnNbd *nbd)
{
    unsigned best = 0;

    for (unsigned i = 1; i < nbd->n_links; i++) {
        if (link_is_up(&nbd->links[i]) &&
            nbd_aio_in_flight(nbd->links[i].handle) <
                nbd_aio_in_flight(nbd->links[best].handle)) {
            best = i;
        }
    }
    return best;
}

bool
fsn_nbd_start_read(FsnNbd *nbd,
                   void *buffer,
                   size_t len,
                   uint64_t offset,
                   FsnNbdRead *out_read,
                   GError **error)
{
    unsigned i = choose_link(nbd);
    int64_t cookie;

    grow(nbd);
    if (!is_waiting(nbd)) {
        nbd->alive_us = fsn_monotonic_us();
    }
    cookie =
        nbd_aio_pread(nbd->links[i].handle, buffer, len, offset, NBD_NULL_COMPLETION, 0);
    if (cookie < 0) {
        return fail(nbd, error, "cannot ask for data");
    }
    nbd->links[i].used = true;
    *out_read = (FsnNbdRead){ .offset = offset, .len = len, .link = i, .cookie = cookie };
    return true;
}

bool
fsn_nbd_check_read(FsnNbd *nbd, const FsnNbdRead *read, bool *out_done, GError **error)
{
    if (!command_done(nbd, nbd->links[read->link].handle, read->cookie, out_done)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "export '%s': cannot read %" G_GSIZE_FORMAT
                    " bytes at %" G_GUINT64_FORMAT ": %s",
                    nbd->export_name, read->len, read->offset, nbd_get_error());
        return false;
    }
    return true;
}

/* Retires the command, whatever became of it. */
static int
ignore_result(void *user, int *error)
{
    return 1;
}

bool
fsn_nbd_forget(FsnNbd *nbd, uint64_t offset, uint64_t len, GError **error)
{
    const nbd_completion_callback done = { .callback = ignore_result };
    struct nbd_handle *handle = nbd->links[0].handle;

    if (nbd_can_trim(handle) != 1) {
        return true;
    }
    if (!is_waiting(nbd)) {
        nbd->alive_us = fsn_monotonic_us();
    }
    while (len > 0) {
        uint64_t part = MIN(len, MAX_TRIM);

        if (nbd_aio_trim(handle, part, offset, done, 0) < 0) {
            return fail(nbd, error, "cannot tell what has been read");
        }
        offset += part;
        len -= part;
    }
    return true;
}
