/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/extent-plan.h"

G_BEGIN_DECLS

/* Reads an NBD export on a unix socket: a first connection, and more where the server says
 * that they agree with each other. One thread. */
typedef struct FsnNbd FsnNbd;

#define FSN_NBD_MAX_CONNECTIONS 4

typedef struct {
    const char *socket;
    const char *export_name;
    const char
        *bitmap; /* context that must be there, "qemu:dirty-bitmap:NAME"; or null */
    unsigned connections; /* at most; 0: two */
    const gint *cancel; /* atomic; once not 0, waiting is FSN_ERROR_CANCELLED; or null */
    int64_t stall_us;   /* a server that is silent for so long is FSN_ERROR_TIMEOUT */
} FsnNbdOptions;

/* Connects. A bitmap that the server does not offer is FSN_ERROR_NOT_FOUND. The strings are
 * copied; @cancel must outlive the connection. */
FsnNbd *fsn_nbd_open(const FsnNbdOptions *options, GError **error);
void fsn_nbd_free(FsnNbd *nbd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnNbd, fsn_nbd_free)

uint64_t fsn_nbd_size(const FsnNbd *nbd);
/* The longest read that the server takes. */
uint64_t fsn_nbd_max_read(const FsnNbd *nbd);

/* Asks for the extents from @plan's position on and adds them to it. Waits for the answer. */
bool fsn_nbd_map(FsnNbd *nbd, FsnExtentPlan *plan, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* A read that is on its way. */
typedef struct {
    uint64_t offset;
    size_t len;
    unsigned link;
    int64_t cookie;
} FsnNbdRead;

/* Begins to read @len bytes at @offset into @buffer, which must stay until the read is done
 * or the connection freed. */
bool fsn_nbd_start_read(FsnNbd *nbd,
                        void *buffer,
                        size_t len,
                        uint64_t offset,
                        FsnNbdRead *out_read,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether @read is done. That it failed, and that the server did not send all of it, is an
 * error; after *@out_done was set @read is of no use any more. */
bool fsn_nbd_check_read(FsnNbd *nbd,
                        const FsnNbdRead *read,
                        bool *out_done,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tells the server that @len bytes at @offset will not be read any more; multiples of its
 * alignment. Only advice: whether it was heard is not asked. It is on its way until
 * fsn_nbd_is_idle(). Never to a server that shows more than an instant: it throws the bytes away. */
bool fsn_nbd_forget(FsnNbd *nbd, uint64_t offset, uint64_t len, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether no answer is owed. */
bool fsn_nbd_is_idle(FsnNbd *nbd);

/* Waits until something arrived or could be sent, at most until @until_us (monotonic). */
bool fsn_nbd_wait(FsnNbd *nbd, int64_t until_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
