/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/firmware-state.h"
#include "cycle/guard.h"
#include "cycle/instant.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/manifest.h"
#include "cycle/outgoing.h"
#include "cycle/preflight.h"
#include "cycle/snapshot-levels.h"
#include "cycle/snapshot-plan.h"
#include "cycle/snapshot.h"
#include "disk/capture.h"
#include "disk/offline.h"
#include "domxml/domain-facts.h"
#include "repo/image.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/* What the files snapshot-*.c share. Order of the life: new (preflight), take, read, commit. */

/* A partition that something would have left out. */
typedef struct {
    unsigned number; /* 0 = of none: what is around the parts that were asked for */
    uint64_t offset; /* of what is left out */
    uint64_t length; /* 0 = nothing, it is kept */
    char *why;       /* it is left out, or NULL */
    char *kept;      /* why it is not, or NULL */
    FsnSnapshotLevel level;
} FsnSnapshotPart;

typedef struct {
    const FsnDiskFacts *facts; /* borrowed from the run's */
    char *node;                /* NULL = the domain is off, or the drive is empty */
    uint64_t size;
    uint64_t allocated;
    bool persistent;   /* its image can keep a bitmap */
    bool data_file;    /* a qcow2 image whose data is in a file of its own */
    char *parent_id;   /* snapshot to compare with; NULL = none */
    char *parent_root; /* its image of this disk */
    uint64_t parent_size;
    FsnBitmapState bitmap;
    uint64_t dirty;
    int64_t parent_us; /* real time of its instant; 0 = not known */
    FsnDiskPlan *plan;
    char *left_out;    /* why, by the policy; NULL = it is not */
    GArray *must_read; /* of FsnPlanRange: what the parent left out; NULL = nothing */
    GPtrArray *parts;  /* of FsnSnapshotPart, filled while it is read; NULL = none */
    bool recorded;     /* what has changed since the parent */
    int64_t looked_us; /* real time, when that was found */
    GPtrArray
        *seen; /* of FsnPartition, which a decision on partitions was made of; or NULL */
    GArray *changes; /* of FsnPartitionActivity, of those; or NULL */
    GArray *full;  /* numbers (unsigned) of those that are read whole; NULL = no hybrid */
    GArray *whole; /* of FsnPlanRange: where they are */

    /* reading; the thread's until it is joined */
    int number;    /* in the instant; -1 = not taken */
    char *context; /* of the bitmap that is read, of a domain that is off; NULL = none */
    bool marked;   /* likewise: its image has a bitmap of this snapshot's now */
    FsnImage *parent;
    FsnDiskOffline *offline;
    FsnDiskCaptureResult result;
    uint64_t bytes_done; /* atomic */
    uint64_t bytes_total;
} FsnSnapshotDisk;

typedef struct FsnSnapshotReading FsnSnapshotReading;
typedef struct FsnSnapshotPolicy FsnSnapshotPolicy;
typedef struct FsnSnapshotDatabases FsnSnapshotDatabases;

/* The export of the variable store; no disk is called so. */
#define FSN_SNAPSHOT_NVRAM "nvram"

typedef struct {
    FsnCycle *cycle;
    FsnVirt *virt; /* borrowed from the context */
    FsnRepo *repo; /* likewise */
    FsnSnapshotOptions options;
    const char
        *comparing; /* the snapshot that the disks are only compared with; or NULL */
    char id[FSN_ID_HEX + 1];
    char repo_id[9]; /* first digits */
    int64_t started_us;

    FsnVirtDomain *domain;
    FsnDomainFacts *facts;
    FsnVirtStatus status;
    char *xml_live;     /* NULL = off */
    char *xml_inactive; /* NULL = transient */
    char *cpu;
    char *versions;
    char *object_live;
    char *object_inactive;
    char *object_cpu;
    GHashTable *cargo;  /* cycle/cargo.h; NULL = none */
    JsonObject *config; /* config-state.h, its member of the manifest; NULL = none */
    JsonArray *logs;    /* logs.h, likewise */

    GPtrArray *disks; /* of FsnSnapshotDisk */
    FsnFirmwareRecord firmware;
    char *nvram_node; /* QEMU's of the variable store; NULL = it is read from its file */
    uint64_t nvram_size;
    int nvram_number;                /* in the instant; -1 = not there */
    FsnSnapshotPolicy *policy;       /* NULL = none: only compared */
    FsnSnapshotDatabases *databases; /* NULL = none are declared, or not looked at yet */
    FsnRamMode ram_mode;
    const char *ram_reason;
    GPtrArray *manifests; /* all that the repository had, newest first */
    JsonObject *parent;   /* the newest manifest with memory; NULL = none */
    FsnManifestMemory parent_memory;
    char *parent_id; /* the newest snapshot of the domain; NULL = none */

    FsnLock *lock;
    FsnLock *nbd_lock; /* of who uses QEMU's server; NULL = nothing is served */
    FsnJournal *journal;
    FsnGuard *guard;
    FsnQmp *qmp;
    FsnInstant *instant;
    FsnOutgoing *outgoing;
    FsnCapture *capture;
    char *socket;
    int stream[2]; /* of a background snapshot: ours, and until it is given away QEMU's */
    FsnSnapshotReading *reading;

    bool frozen;  /* file systems, by us */
    bool stopped; /* the guest, by us; not continued yet */
    bool durable;
    bool finished;
    bool undone;             /* or tried to */
    bool stuck;              /* recovery has to */
    const char *consistency; /* "crash" or "filesystem"; databases are apart */
    char *warning;           /* NULL = none */
    int64_t instant_us;      /* real time */
    int64_t stop_us;         /* monotonic */
    int64_t pause_us;
} FsnSnapshotRun;

/* snapshot.c. Freeing undoes what is not finished; who wants to tell how that went calls
 * fsn_snapshot_undo() before. */
FsnSnapshotRun *fsn_snapshot_run_new(FsnCycle *cycle,
                                     const FsnSnapshotOptions *options,
                                     GError **error);
void fsn_snapshot_run_free(FsnSnapshotRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSnapshotRun, fsn_snapshot_run_free)

/* snapshot-offline.c: the disks of a domain that is off, locked against a start, each with a
 * bitmap of this snapshot's from now on, where its image can keep one. At the end the older
 * ones go, or after a failure the new ones; what cannot be done then is harmless. */
bool fsn_snapshot_open_offline(FsnSnapshotRun *run, GError **error);
void fsn_snapshot_close_offline(FsnSnapshotRun *run, FsnSweep sweep);

/* snapshot-preflight.c: what can be refused and found out beforehand. With @plan_only nothing
 * is locked, stored or changed. */
bool fsn_snapshot_preflight(FsnSnapshotRun *run,
                            const char *domain,
                            bool plan_only,
                            GError **error);

/* snapshot-facts.c: all manifests of the repository. */
bool fsn_snapshot_find_manifests(FsnSnapshotRun *run, GError **error);
/* The disks as they are found, with their parents, and the plan of each. */
bool fsn_snapshot_find_disks(FsnSnapshotRun *run, GError **error);
void fsn_snapshot_disk_free(gpointer disk);

/* snapshot-live.c: the instant of a running or paused domain. On return the guest is as
 * before and everything is there to be read. */
bool fsn_snapshot_take(FsnSnapshotRun *run, GError **error);
/* The memory of a guest that is stopped: an ordinary migration, once no disk is held open. */
bool fsn_snapshot_start_stopped(FsnSnapshotRun *run, GError **error);
/* Lets the guest run again if it stands still because of us. */
bool fsn_snapshot_continue(FsnSnapshotRun *run, GError **error);
/* Everything that was done is undone, unless it is finished: the guest as before, QEMU without
 * a trace. What could not be is left to recovery and told; once only. */
bool fsn_snapshot_undo(FsnSnapshotRun *run, GError **error);

/* After QEMU has continued the guest by itself: libvirt's leases of the disks. */
bool fsn_snapshot_settle_leases(FsnSnapshotRun *run, GError **error);

/* snapshot-read.c: reads memory and disks side by side into images. Memory of a guest that
 * runs has to be read from before its snapshot begins: QEMU's own threads wait for it. */
void fsn_snapshot_read_memory(FsnSnapshotRun *run);
/* Whether pages of it have arrived: QEMU has saved the devices and protected the memory. */
bool fsn_snapshot_memory_flows(const FsnSnapshotRun *run);
bool fsn_snapshot_read(FsnSnapshotRun *run, GError **error);
/* The disks that are taken (FsnSnapshotDisk), in the order in which they are begun with: what
 * changes most first, for its writes are held up by the copy that is made of them. */
GPtrArray *fsn_snapshot_ordered(const FsnSnapshotRun *run);
/* The place of @d in it, from 0. */
guint fsn_snapshot_order(const FsnSnapshotRun *run, const FsnSnapshotDisk *d);
/* Asks all that still read to end, and waits until they have. */
void fsn_snapshot_read_cancel(FsnSnapshotRun *run);
void fsn_snapshot_read_end(FsnSnapshotRun *run);

/* snapshot-commit.c: the manifest, and what goes away when it is durable. */
bool fsn_snapshot_commit(FsnSnapshotRun *run,
                         FsnSnapshotResult *out_result,
                         GError **error);
JsonArray *fsn_snapshot_disks_json(const FsnSnapshotRun *run);
JsonArray *fsn_snapshot_resources_json(const FsnSnapshotRun *run);

/* snapshot-databases.c: the databases that the profile declares. What is to be done about each,
 * once the disks and the memory are planned; an error if one should and cannot be brought to
 * rest, and the snapshot shall not go on without. Unless @plan_only the agent is asked. */
bool fsn_snapshot_databases_plan(FsnSnapshotRun *run, bool plan_only, GError **error);
void fsn_snapshot_databases_free(FsnSnapshotDatabases *databases);
/* Brings them to rest, just before the instant. */
bool fsn_snapshot_databases_quiesce(FsnSnapshotRun *run, GError **error);
/* Releases them, once the file systems are thawed; what fails is tried again, and told only if it
 * is the @last time. */
void fsn_snapshot_databases_release(FsnSnapshotRun *run, bool last);
/* In the thread that reads @d, whose @partitions are known now: whether the snapshot has to be
 * given up, since a database does not live where it was said to. */
bool fsn_snapshot_databases_check(const FsnSnapshotRun *run,
                                  const FsnSnapshotDisk *d,
                                  const GPtrArray *partitions,
                                  GError **error);
/* The same for all that has been read, and what only leads to a warning. */
bool fsn_snapshot_databases_settle(FsnSnapshotRun *run, GError **error);
/* Those that were at rest at the instant and have to be released, as in databases.h: memory of that
 * instant has them so. NULL = none. */
JsonArray *fsn_snapshot_databases_resting(const FsnSnapshotRun *run);
/* What disk @target is consistent as, or NULL: all that is taken. */
const char *fsn_snapshot_consistency(const FsnSnapshotRun *run, const char *target);
/* As the manifest has them; NULL = none are declared. */
JsonArray *fsn_snapshot_databases_json(const FsnSnapshotRun *run);

/* snapshot-config.c: stores the configuration around the domain, and its logs; beforehand. */
bool fsn_snapshot_store_config(FsnSnapshotRun *run, GError **error);

/* Adds to what the user should know. */
void fsn_snapshot_warn(FsnSnapshotRun *run, const char *warning);

/* The run state that the domain had, as the manifest has it. */
const char *fsn_snapshot_run_state(const FsnSnapshotRun *run);

G_END_DECLS
