/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/journal.h"
#include "qmp/session.h"
#include "repo/image.h"
#include "virt/domain.h"
#include "virt/events.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What the files fill-*.c share. */

/* A server that is kept alive: a thread starts nbdkit again whenever it ends, on the same
 * socket, so that its clients only wait. */
typedef struct FsnFillServer FsnFillServer;

typedef struct {
    const char *plugin;
    const char *repo;
    const char *snapshot;
    const char *target;
    int listener; /* stays the caller's, who must not close it before; so does the next */
    int record;   /* where reads are written to */
} FsnFillServerOptions;

/* Returns when it can be read from, for the first time. */
FsnFillServer *fsn_fill_server_new(const FsnFillServerOptions *options, GError **error);
void fsn_fill_server_free(FsnFillServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnFillServer, fsn_fill_server_free)

/* fill-learn.c: what the guest reads first, of one disk. One thread. */
typedef struct FsnFillLearner FsnFillLearner;

/* Of disk @target of the domain that the snapshot is of, @uuid; @repo is borrowed. */
FsnFillLearner *fsn_fill_learner_new(FsnRepo *repo,
                                     const char *uuid,
                                     const char *target,
                                     GError **error);
void fsn_fill_learner_free(FsnFillLearner *learner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnFillLearner, fsn_fill_learner_free)

/* Where the server writes its reads; belongs to @learner. */
int fsn_fill_learner_fd(const FsnFillLearner *learner);
/* The granules to begin with; none: nothing is known. Borrowed. */
const uint32_t *fsn_fill_learner_first(const FsnFillLearner *learner, size_t *out_n);
/* A range was asked for, by the filling. */
void fsn_fill_learner_asked(FsnFillLearner *learner, uint64_t offset, uint64_t len);
/* Takes what the server has written; now and then. */
void fsn_fill_learner_take(FsnFillLearner *learner);
/* When the first read came (monotonic); 0: none has. */
int64_t fsn_fill_learner_first_read_us(const FsnFillLearner *learner);
/* Stores what has been learned, if anything; once. */
void fsn_fill_learner_store(FsnFillLearner *learner);

typedef struct {
    char *target;
    char *path;    /* as the domain has it: QEMU's name for it */
    char *alias;   /* libvirt's name for the device, while the domain is on */
    char *discard; /* what becomes of discards, as its description says; NULL: default */
    char *socket;  /* where it is served; NULL until it is */
    bool own_policy;
    bool done;
    int listener;
    FsnFillServer *server;
    FsnFillLearner *learner;
    FsnImage *image;
    uint64_t size;
    uint64_t bandwidth;  /* bytes a second that are filled; 0: no limit */
    uint64_t bytes_done; /* of data */
    uint64_t bytes_total;
} FsnFillDisk;

/* Called now and then with @disk's progress renewed. */
typedef void (*FsnFillTick)(gpointer user);

/* fill-qemu.c: puts the server's disk below the overlay by a connection that waits when it
 * breaks, where libvirt's own would be an error for the guest. */
bool fsn_fill_attach(FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* True, with *@out_filled, if nothing is below the overlay any more. */
bool fsn_fill_look(FsnQmp *qmp, const FsnFillDisk *disk, bool *out_filled, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Whether the guest stands because a read or write of this disk has failed, as QEMU has it:
 * libvirt's reason is another one where it happened during a migration. */
bool fsn_fill_has_failed(FsnQmp *qmp,
                         const FsnFillDisk *disk,
                         bool *out_failed,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Copies all into the attached overlay. */
bool fsn_fill_copy(FsnQmp *qmp,
                   FsnFillDisk *disk,
                   FsnFillTick tick,
                   gpointer user,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The first step of its independence, when all is copied: a disk without a byte takes the
 * server's place. The block job that follows has nothing to copy. */
bool fsn_fill_cut(FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The last one: what is ours goes from QEMU. */
bool fsn_fill_clean(FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    FsnCycle *cycle;
    FsnJournal *journal;
    FsnRepo *repo;
    char *main_state_dir; /* of the operations beside */
    char *status_path;
    int64_t status_us; /* when it was last written */
    int64_t begun_us;
    int64_t on_us; /* when the domain was first seen to be on; 0: not yet */
    const char *phase;
    GPtrArray *disks; /* of FsnFillDisk */
    FsnVirt *virt;    /* NULL: to be opened anew */
    FsnVirtDomain *domain;
    FsnVirtEvents *events;
} FsnFillRun;

/* fill-run.c: for 'foresnap status', which does without if it cannot be written. */
void fsn_fill_tell(FsnFillRun *run, const char *phase, const GError *error);

/* fill-domain.c: fills all disks of the domain, which is on, or waits to learn; @run's disks
 * say what is done. */
bool fsn_fill_domain(FsnFillRun *run, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
