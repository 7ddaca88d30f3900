/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Messages between peer and supervisor over a SOCK_SEQPACKET pair; counters are in the
 * arena. Both ends are the same program, so the struct is the format. */
typedef enum {
    FSN_CONTROL_NONE, /* nothing was there */
    FSN_CONTROL_END,  /* the other side is gone */
    /* peer → supervisor */
    FSN_CONTROL_CONNECTED, /* carries the socket to QEMU */
    FSN_CONTROL_QUIT,      /* only before CONNECTED */
    /* supervisor → peer */
    FSN_CONTROL_READY,     /* a worker has opened what it reads from */
    FSN_CONTROL_STARTED,   /* QEMU has loaded the device state (eager: everything), or a
                              recovery was acknowledged */
    FSN_CONTROL_RESTARTED, /* a worker died and was replaced */
    FSN_CONTROL_STALLED,   /* text: pages cannot be had now; it goes on trying */
    FSN_CONTROL_SENT_ALL,
    FSN_CONTROL_DONE,   /* QEMU has confirmed everything */
    FSN_CONTROL_BROKEN, /* text: the connection is lost or was never of use; it ends */
} FsnControlType;

#define FSN_CONTROL_TEXT 512

typedef struct {
    uint32_t type; /* FsnControlType */
    char text[FSN_CONTROL_TEXT];
} FsnControlMessage;

/* A connected pair; both close-on-exec. */
bool fsn_control_pair(int out_fds[2], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sends @type with @text (nullable, cut to fit) and @fd (or -1). A full or closed pipe
 * drops the message: nobody who waits for it is there. */
void fsn_control_send(int socket, FsnControlType type, const char *text, int fd);

/* Waits up to @timeout_ms (-1: for ever). *@out_fd is -1 or a new descriptor. */
FsnControlType fsn_control_receive(int socket,
                                   int timeout_ms,
                                   FsnControlMessage *out_message,
                                   int *out_fd);

G_END_DECLS
