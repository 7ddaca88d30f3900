/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/journal.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The domain as it is found. */
typedef enum {
    FSN_FOUND_OFF,         /* shut off, or no longer defined */
    FSN_FOUND_RUNNING,     /* runs, all of its memory in place */
    FSN_FOUND_PAUSED,      /* stopped, all of its memory in place */
    FSN_FOUND_INCOMING,    /* QEMU waits for a migration that has not started the guest */
    FSN_FOUND_LOADING,     /* the guest runs while memory is still missing */
    FSN_FOUND_LOAD_BROKEN, /* the same, and the connection that served it has gone */
} FsnFoundDomain;

/* All that the decision depends on. */
typedef struct {
    FsnOperation operation;
    FsnStep step;
    bool owner_alive; /* the domain's lock is held by another process */
    bool was_running; /* resume: the guest is still to be continued */
    bool manifest;    /* the snapshot's manifest exists */
    bool ran;         /* resume: the snapshot is marked as run */
    bool not_run;     /* … and yet it is certain that this resume did not let it run */
    bool
        user_paused; /* libvirt says that a user paused it, and the journal claims no pause */
    bool own_pause;  /* the operation stopped the guest, and has not continued it */
    bool frozen;     /* snapshot, restore: the guest's file systems may be frozen */
    bool resting;    /* snapshot, restore: databases in the guest may be at rest */
    bool background; /* snapshot: QEMU reads memory of a guest that may run */
    bool migrating;  /* an outgoing migration is under way */
    bool lazy;       /* restore: its disks are filled afterwards */
    bool linked;     /* managed restore: libvirt's link to the image is still there */
    bool same_boot;  /* managed restore: the host has not been restarted since */
    FsnFoundDomain domain;
} FsnRecoverFacts;

typedef enum {
    FSN_RECOVER_CANCEL_MIGRATION,
    FSN_RECOVER_AWAIT_MIGRATION, /* of a background snapshot, which the guard reads */
    FSN_RECOVER_CONTINUE_GUEST,
    FSN_RECOVER_DELETE_MANIFEST,
    FSN_RECOVER_WRITE_STUB,
    FSN_RECOVER_END_QEMU,
    FSN_RECOVER_ARM,
    FSN_RECOVER_REMOVE_STUB,
    FSN_RECOVER_REMOVE_RAN,
    FSN_RECOVER_RELEASE_CLAIM,
    FSN_RECOVER_MARK_CONSUMED,
    FSN_RECOVER_CONTINUE_LOAD,
    FSN_RECOVER_THAW,
    FSN_RECOVER_RELEASE_DATABASES,
    FSN_RECOVER_UNDO_INSTANT, /* what a snapshot has in QEMU goes, its bitmaps into the base's */
    FSN_RECOVER_KEEP_INSTANT, /* it goes, but for the bitmaps of the snapshot, which exists */
    FSN_RECOVER_REMOVE_FILES,  /* a restore's temporary ones */
    FSN_RECOVER_REPLACE_FILES, /* they take their places */
    FSN_RECOVER_DEFINE,        /* the restored domain */
    FSN_RECOVER_START_FILL,    /* of its disks, which are served from now on */
    FSN_RECOVER_REMOVE_MARKS,  /* of a load of a snapshot's memory */
    FSN_RECOVER_REMOVE_JOURNAL,
} FsnRecoverAction;

#define FSN_RECOVER_MAX_ACTIONS 6

typedef struct {
    FsnRecoverAction actions[FSN_RECOVER_MAX_ACTIONS]; /* in this order */
    size_t n_actions;
    const char *outcome; /* static sentence: what the domain is afterwards, and why */
} FsnRecoverPlan;

/* What to do about an operation whose owner died; no action if it lives. Pure. */
FsnRecoverPlan fsn_recover_plan(const FsnRecoverFacts *facts);

const char *fsn_recover_action_name(FsnRecoverAction action);

G_END_DECLS
