/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/firmware-state.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/restore-plan.h"
#include "cycle/restore.h"
#include "domxml/domain-facts.h"
#include "repo/repo.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/* What the files restore-*.c share. */
typedef struct {
    FsnCycle *cycle;
    FsnVirt *virt; /* borrowed from the context, as is the next */
    FsnRepo *repo;
    FsnRestoreOptions options;
    GCancellable *cancellable;
    int64_t started_us;

    JsonObject *manifest;
    const char *id; /* these three belong to the manifest */
    const char *manifest_name;
    const char *manifest_uuid;
    GPtrArray *stored;

    FsnVirtDomain *domain; /* NULL: a new one that is not defined yet */
    char *name;
    char *uuid;
    char *xml;      /* the description that the plan is about */
    char *xml_live; /* of the guest with its memory; NULL: without */
    FsnDomainFacts *facts;
    char *folder; /* of a new domain's disks */
    FsnRestorePlan plan;
    bool memory;
    char *genid;                /* the new generation id */
    FsnFirmwareRecord firmware; /* what the snapshot has of it */
    char *nvram_place;          /* NULL: it is not put back */
    char *nvram_format;         /* of the file there */
    char *tpm_place;            /* folder; NULL: likewise */

    JsonArray
        *config;      /* what was done about the configuration around it; NULL: nothing */
    bool defined;     /* the domain was not there, and was defined by that */
    bool config_only; /* the snapshot has no disks, and nothing else is wanted */

    FsnLock *lock;
    FsnJournal *journal;
    bool replacing; /* files may have taken their places: recovery completes it */
    JsonArray *written;
    GPtrArray *warnings;
    char *kept;
    int64_t running_us;
    bool started;
} FsnRestore;

/* restore-check.c: everything that can be refused beforehand. */
bool fsn_restore_check(FsnRestore *r, const char *snapshot, GError **error);
bool fsn_restore_check_off(FsnRestore *r, GError **error);

/* restore-firmware.c: variable store and TPM on their ways to their places, as the disks are.
 * Everything that can be refused; then what the journal has to know; then the writing. */
bool fsn_restore_firmware_check(FsnRestore *r, GError **error);
bool fsn_restore_firmware_files(FsnRestore *r, JsonArray *files, GError **error);
bool fsn_restore_firmware_write(FsnRestore *r, GError **error);

/* restore-config.c: networks, pools, filters and the domain's definition, where they are
 * missing; before anything else, and as often as one likes. Then, of a snapshot without disks,
 * what of the firmware's files is missing: the rest is not put back. */
bool fsn_restore_config(FsnRestore *r, const char *snapshot, GError **error);
bool fsn_restore_config_firmware(FsnRestore *r, GError **error);

/* restore-domain.c: what is defined when the disks are in place; NULL: nothing changes. */
bool fsn_restore_build_xml(FsnRestore *r,
                           const char *xml,
                           char **out_xml,
                           GError **error);

void fsn_restore_warn_dropped(FsnRestore *r);

/* restore-memory.c: the guest goes on; the journal is taken over by recovery or the pager. */
bool fsn_restore_memory(FsnRestore *r, GError **error);

G_END_DECLS
