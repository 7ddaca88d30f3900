/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/settings.h"

G_BEGIN_DECLS

/* foresnapd: the parts that run in one process, and the signals that steer them. */
typedef struct FsnDaemon FsnDaemon;

typedef struct {
    const char *config_path; /* NULL: the usual one, which need not be there */
    const char *connection;  /* wins over the file's; NULL: not given */
    const char *repository;  /* the same */
} FsnDaemonOptions;

/* Reads the configuration, and takes the lock of the state folder: FSN_ERROR_BUSY if another
 * daemon has it. FSN_ERROR_UNSUPPORTED for a libvirt that is not this host's. @options are
 * borrowed. */
FsnDaemon *fsn_daemon_new(const FsnDaemonOptions *options, GError **error);
void fsn_daemon_free(FsnDaemon *daemon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnDaemon, fsn_daemon_free)

/* Starts everything and runs until SIGTERM or SIGINT; SIGHUP reads the configuration again.
 * @ready is called once, when all has started; libvirt need not be there. When it returns false
 * libvirt holds a thread, and the process has to end as it is. */
bool fsn_daemon_run(FsnDaemon *daemon, void (*ready)(gpointer user), gpointer user);

G_END_DECLS
