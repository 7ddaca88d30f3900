/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * The journal of one running operation on one domain: a small file in the state folder that
 * is replaced durably before each step begins. Whoever finds it without a live owner knows
 * what may have been done; facts (does the manifest exist? is the domain on?) say the rest.
 */
typedef enum {
    FSN_OP_SUSPEND, /* also a prepare, whose holder waits in FSN_STEP_HELD */
    FSN_OP_RESUME,
    FSN_OP_IMPORT,
    FSN_OP_DISCARD,
    FSN_OP_SNAPSHOT,
    FSN_OP_RESTORE,
    FSN_OP_FILL, /* of a lazy restore, in a folder of its own: fill.h */
    FSN_OP_SAVE, /* libvirt's managed save, which foresnap-savefs takes */
    FSN_OP_LOAD, /* libvirt's restore, to which foresnap-savefs gives the image */
} FsnOperation;

typedef enum {
    FSN_STEP_BEGUN,     /* nothing has been touched */
    FSN_STEP_MIGRATING, /* suspend: QEMU sends its memory; the guest runs */
    FSN_STEP_HELD,      /* suspend: prepared; the migration is held before its end */
    FSN_STEP_STOPPING,  /* suspend: the guest is being stopped */
    FSN_STEP_STORING, /* suspend: the stream is whole, the guest is stopped; import too */
    FSN_STEP_DURABLE, /* suspend, import: the manifest is durable */
    FSN_STEP_GUARDED, /* suspend, import: the stub keeps others from a cold start */
    FSN_STEP_ENDED,   /* suspend: QEMU is gone */
    FSN_STEP_CLAIMED, /* resume: the state is claimed; the guest has not run */
    FSN_STEP_LOADING, /* resume: the pager has been started; the mark "ran" says more */
    FSN_STEP_CONSUMED,  /* discard: nobody can resume the state any more */
    FSN_STEP_UNGUARDED, /* discard: the stub is gone */
    FSN_STEP_PREPARING, /* snapshot: QEMU gets scratch space and a server; the guest runs */
    FSN_STEP_READING,   /* snapshot: the instant is taken; QEMU holds it open */
    FSN_STEP_WRITING,   /* restore: disks are written beside their places */
    FSN_STEP_REPLACING, /* restore: all are durable, and take their places */
    FSN_STEP_DEFINING,  /* restore: they are in their places */
    FSN_STEP_FILLING,   /* restore: they are to be served and filled; fill: they are */
} FsnStep;

typedef struct {
    FsnOperation operation;
    FsnStep step;
    char *domain; /* name */
    char *uuid;
    char *uri;        /* NULL: libvirt's default */
    char *repo;       /* absolute location */
    char *snapshot;   /* id that is being written or read */
    bool was_running; /* suspend: run state to restore if it does not succeed; resume
                         * through the monitor: the guest is still to be continued */
    bool own_pause;   /* the operation paused the domain by itself, through libvirt */
    bool sync_time;   /* resume: set the guest's clock once all is loaded */
    bool monitor;     /* resume: libvirt knows nothing of the load, only QEMU does */
    bool frozen;      /* snapshot: the guest's file systems are frozen by us;
                       * restore: they were at the instant of its memory */
    bool nbd;         /* snapshot: QEMU's NBD server is ours */
    bool background;  /* snapshot: the memory is read as a background snapshot */
    /* suspend, snapshot: QEMU's settings from before, as recovery has to put them back; -1: not known */
    int64_t max_bandwidth; /* bytes per second */
    int64_t downtime_limit_ms;
    char **capabilities;  /* those that were on; NULL: none */
    JsonArray *files;     /* restore: restore-files.h; NULL: none */
    JsonArray *databases; /* snapshot, restore: databases.h, to be released; NULL: none */
    char *xml;            /* restore: the domain's description afterwards; NULL: none */
    char *marks;      /* restore: id that has the mark "ran" for its memory; NULL: none */
    int64_t attempts; /* resume: how often loading was taken up again by itself */
    int64_t pid;      /* process that works on it */
    int64_t started_us; /* real time */
} FsnJournal;

FsnJournal *fsn_journal_new(FsnOperation operation,
                            const char *domain,
                            const char *uuid,
                            const char *uri,
                            const char *repo,
                            const char *snapshot);
void fsn_journal_free(FsnJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnJournal, fsn_journal_free)

const char *fsn_operation_name(FsnOperation operation);
const char *fsn_step_name(FsnStep step);

/* Durable. The step's name is a point of base/faults.h: the process is killed right after it
 * is written, or the writing fails. */
bool fsn_journal_write(FsnJournal *journal,
                       const char *state_dir,
                       FsnStep step,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same in the state folder of @cycle: what operations use. */
bool fsn_cycle_step(FsnCycle *cycle, FsnJournal *journal, FsnStep step, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_journal_remove(const FsnJournal *journal, const char *state_dir, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* FSN_ERROR_NOT_FOUND if there is none for @uuid. */
bool fsn_journal_read(const char *state_dir,
                      const char *uuid,
                      FsnJournal **out_journal,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool fsn_journal_exists(const char *state_dir, const char *uuid);

/* UUIDs of all domains with a journal; the caller unrefs. */
bool fsn_journal_list(const char *state_dir, GPtrArray **out_uuids, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Text form, pure; tests and the two functions above use it. */
char *fsn_journal_to_text(const FsnJournal *journal);
bool fsn_journal_parse(const char *text,
                       size_t len,
                       FsnJournal **out_journal,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
