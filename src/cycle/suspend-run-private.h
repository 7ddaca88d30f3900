/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/firmware-state.h"
#include "cycle/guard.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/manifest.h"
#include "cycle/outgoing.h"
#include "cycle/suspend-run.h"
#include "domxml/domain-facts.h"
#include "virt/domain.h"
#include "virt/events.h"

G_BEGIN_DECLS

/* What the files suspend-*.c share. Order of the life: new (preflight), transfer, commit. */
struct FsnSuspendRun {
    FsnCycle *cycle;
    FsnVirt *virt; /* borrowed from the context */
    FsnRepo *repo; /* likewise */
    FsnSuspendOptions options;
    int64_t started_us;

    FsnVirtDomain *domain;
    FsnDomainFacts *facts;
    char *xml_live;
    char *versions;
    char id[FSN_ID_HEX + 1];

    /* objects stored before the guest stops */
    char *object_live;
    char *object_inactive;
    char *object_cpu;
    GHashTable *cargo; /* cycle/cargo.h; NULL = none */
    char *warning;     /* NULL = none */

    /* the previous snapshot with memory of this VM */
    JsonObject *parent; /* its manifest; NULL = none */
    FsnManifestMemory parent_memory;

    FsnLock *lock;
    FsnJournal *journal;
    FsnGuard *guard;
    FsnQmp *qmp;
    FsnOutgoing *outgoing;
    FsnCapture *capture;
    FsnVirtEvents *events; /* of the domain, while held */

    bool held; /* the migration waits before its end, and may be finished */
    bool prepared;
    bool
        own_pause; /* stopped by us through libvirt, rather than by QEMU at convergence */
    bool stopped;
    bool durable;    /* the manifest exists, or may exist */
    bool finished;   /* QEMU has ended and the journal is closed */
    bool stuck;      /* the guest could not be continued: recovery has to */
    int64_t stop_us; /* monotonic instant at which the guest stopped */
};

/* suspend-preflight.c: everything that can be refused or found out beforehand. */
bool fsn_suspend_preflight(FsnSuspendRun *run, const char *domain, GError **error);
/* What the machine keeps beside its disks, as it is now, to the repository. */
bool fsn_suspend_store_firmware(FsnSuspendRun *run,
                                FsnFirmwareRecord *record,
                                GError **error);

/* Refuses while QEMU hangs in an I/O (io-check.h); a hold is kept meanwhile. */
bool fsn_suspend_check_io(FsnSuspendRun *run, GError **error);

/* suspend-transfer.c */
bool fsn_suspend_start(FsnSuspendRun *run,
                       FsnStep step,
                       uint64_t reserve_pages,
                       GError **error);
bool fsn_suspend_transfer_bulk(FsnSuspendRun *run, GError **error);
bool fsn_suspend_transfer_rest(FsnSuspendRun *run, GError **error);
/* Stops the guest through libvirt. */
bool fsn_suspend_stop_guest(FsnSuspendRun *run, GError **error);
/* Whatever has been done so far: the guest runs on. */
void fsn_suspend_undo(FsnSuspendRun *run);

/* suspend-commit.c: from "the stream is whole" to "QEMU is gone and the state is armed". */
bool fsn_suspend_commit(FsnSuspendRun *run, FsnSuspendResult *out_result, GError **error);

G_END_DECLS
