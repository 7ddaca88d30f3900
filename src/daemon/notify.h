/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What systemd wants to hear (sd_notify(3)), without its library: datagrams to a socket. Where
 * nobody has asked for it nothing is sent. */
typedef struct FsnNotify FsnNotify;

/* From NOTIFY_SOCKET and WATCHDOG_USEC, which are taken out of the environment: they are not
 * for the processes that are started. */
FsnNotify *fsn_notify_new(void);
void fsn_notify_free(FsnNotify *notify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnNotify, fsn_notify_free)

/* Lines such as "READY=1". Never waits; what cannot be sent is lost. */
void fsn_notify_send(FsnNotify *notify, const char *text);

/* How often a watchdog wants to hear "WATCHDOG=1"; 0: never. */
int64_t fsn_notify_watchdog_us(const FsnNotify *notify);

G_END_DECLS
