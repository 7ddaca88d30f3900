/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/settings.h"

#include <glib.h>

G_BEGIN_DECLS

/*
 * Keeps change maps: a process of `foresnap changemap --watch` for each domain that is on and whose
 * profile asks for one, which it asks a process for. So QEMU's monitors and libvirt hold these
 * processes and never the daemon, and the map is the one that a person would see. How
 * often each looks they settle among themselves: 1 % of a processor for each, 5 % for all.
 */
#define FSN_MAPPER_MAX 64

typedef struct FsnMapper FsnMapper;

/* What to do so that the domains of @document (of `changemap --list`) have maps and no others:
 * @running are UUIDs of those that have (the keys). UUIDs go to the arrays, which own them. Pure. */
void fsn_mapper_decide(gpointer document,
                       GHashTable *running,
                       GPtrArray *start,
                       GPtrArray *end);

FsnMapper *fsn_mapper_new(const FsnDaemonConfig *config);
/* Keeps @config. */
void fsn_mapper_set(FsnMapper *mapper, const FsnDaemonConfig *config);
/* A domain is not as it was: asks before its time. */
void fsn_mapper_hurry(FsnMapper *mapper);
/* Asks all to end, and waits for none. */
void fsn_mapper_free(FsnMapper *mapper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnMapper, fsn_mapper_free)

G_END_DECLS
