/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * One instant of a running domain's disks, held open in QEMU: for each disk a job that saves
 * what the guest overwrites in scratch space, an export that shows the disk as it was, and
 * a new bitmap that records from the instant on. Scratch files have no name, so that none
 * is left behind. Everything in QEMU bears the snapshot's id, so that a sweep finds it.
 *
 * Bitmaps are called "foresnap-", 8 digits of the repository's id, "-", the snapshot's id.
 */
typedef struct FsnInstant FsnInstant;

/* @qmp is borrowed; @repo are the 8 digits, @snapshot is an id. */
FsnInstant *fsn_instant_new(FsnQmp *qmp, const char *repo, const char *snapshot);
void fsn_instant_free(FsnInstant *instant);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnInstant, fsn_instant_free)

typedef struct {
    const char *target; /* "vda" */
    const char *node;
    uint64_t size;    /* bytes that the guest sees */
    uint64_t scratch; /* bytes that are reserved */
    bool persistent;  /* its image can keep a bitmap */
    bool untracked;   /* no bitmap is wanted: it is small and always read whole */
    const char *base; /* snapshot whose bitmap is read; NULL = none */
} FsnInstantDisk;

/* Copies. Disks are numbered in this order. */
void fsn_instant_add(FsnInstant *instant, const FsnInstantDisk *disk);
unsigned fsn_instant_disks(const FsnInstant *instant);

/* All that can be done while the guest runs: scratch space in @scratch_dir, reserved to the
 * last byte (FSN_ERROR_NO_SPACE), and QEMU's NBD server on a new socket @socket
 * (FSN_ERROR_BUSY if it serves somebody else). */
bool fsn_instant_prepare(FsnInstant *instant, const char *scratch_dir, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_instant_serve(FsnInstant *instant, const char *socket, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The instant itself: one transaction of some milliseconds over all disks. */
bool fsn_instant_take(FsnInstant *instant, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Shows it: export "vda" of disk "vda", with the base's bitmap. */
bool fsn_instant_export(FsnInstant *instant, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The metadata context of disk @i's base, NULL if it has none; borrowed. */
const char *fsn_instant_context(const FsnInstant *instant, unsigned i);

/* FsnDiskCaptureOptions.forget for the export of disk @i: 0 where QEMU cannot be told. Valid
 * once it is exported. */
uint64_t fsn_instant_forgets(const FsnInstant *instant, unsigned i);

/* False with FSN_ERROR_FAILED if the scratch space of a disk has failed: what it shows is
 * not to be trusted any more. */
bool fsn_instant_check(FsnInstant *instant, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Disk @i has been read: its export, job and scratch space go. FSN_ERROR_FAILED if the job
 * had failed meanwhile. */
bool fsn_instant_release(FsnInstant *instant, unsigned i, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
    FSN_SWEEP_UNDO, /* there is no such snapshot: its bitmaps are merged into its bases' */
    FSN_SWEEP_KEEP, /* it is durable: its bitmaps stay, other ones of the repository go */
} FsnSweep;

/* Ends whatever snapshot @snapshot of repository @repo has in QEMU, in whatever state;
 * @nbd: and the NBD server, if it exports nothing else. May be repeated. */
bool fsn_instant_sweep(FsnQmp *qmp,
                       const char *repo,
                       const char *snapshot,
                       FsnSweep sweep,
                       bool nbd,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where @socket of domain @uuid belongs; the caller frees. */
char *fsn_instant_socket(const char *state_dir, const char *uuid);

/* The name of a bitmap; the caller frees. */
char *fsn_instant_bitmap(const char *repo, const char *snapshot);

G_END_DECLS
