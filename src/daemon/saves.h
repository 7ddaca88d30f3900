/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/settings.h"

#include <stdint.h>

G_BEGIN_DECLS

/*
 * libvirt's managed saves, as far as they are the daemon's: where the configuration says so,
 * domains are enabled for foresnap-savefs as they are defined; and a server of which not even
 * the watchdog goes on is ended, and another one started. Nothing here touches the served file
 * system, which would wait for that server.
 */
typedef struct FsnSaves FsnSaves;

/* @config and @state_dir are borrowed, the former until the next fsn_saves_set(). */
FsnSaves *fsn_saves_new(const FsnDaemonConfig *config, const char *state_dir);
void fsn_saves_set(FsnSaves *saves, const FsnDaemonConfig *config);
/* There may be a domain that was not there before. */
void fsn_saves_changed(FsnSaves *saves);
void fsn_saves_free(FsnSaves *saves);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSaves, fsn_saves_free)

/* What was seen of the server's watchdog, which wakes up twice a second. */
typedef struct {
    int pid; /* 0: there is none */
    uint64_t wakes;
    unsigned same; /* looks at which it had not woken up since the one before */
} FsnSavesSeen;

/* Pure: true if it has stood for FSN_SAVES_STUCK_LOOKS looks. Looks are counted, not time: a
 * daemon that was stopped itself blames nobody. */
#define FSN_SAVES_STUCK_LOOKS 5u
bool fsn_saves_is_stuck(FsnSavesSeen *seen, int pid, uint64_t wakes);

/* Pure: how often the process of /proc/PID/status has gone to sleep; 0 if it is not told. */
uint64_t fsn_saves_parse_wakes(const char *status);

G_END_DECLS
