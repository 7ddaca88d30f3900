/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/managed-image.h"
#include "cycle/managed-save.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The file system through which libvirt saves and restores. The worker has two threads: the
 * loop answers requests of the kernel; upkeep does what takes longer and all that goes through
 * the file system itself (mounts), which the loop could only wait for in vain.
 */

typedef struct {
    const char *uri; /* NULL: libvirt's default */
    const char *repo;
    const char *state_dir;
    const char *save_folder; /* libvirt's */
    char *run_dir;
    char *saved_dir;
} FsnSavefsConfig;

/* Shared by worker and watchdog. */
typedef struct {
    _Atomic uint64_t loops; /* goes on as long as the loop does */
    _Atomic uint64_t jobs;  /* goes on as upkeep begins and ends jobs */
    _Atomic bool working;   /* upkeep is in a job */
} FsnSavefsBeat;

/* A domain by name. Never freed: the kernel may know its number. */
typedef struct {
    char *name;
    uint64_t ino;
    uid_t uid;
    gid_t gid;
    mode_t mode;
    FsnManagedSave *save; /* NULL: none is written */
    guint writers;
    bool busy;              /* upkeep has the save */
    int64_t idle_us;        /* since when nobody writes */
    FsnManagedImage *image; /* NULL: none is served */
    guint readers;
    bool unsettled;     /* it was read and closed, and what became of it is not known */
    int64_t closed_us;  /* when that was */
    int64_t settled_us; /* when somebody was sent to find out; 0: never */
} FsnSavefsEntry;

typedef struct {
    const FsnSavefsConfig *config;
    FsnSavefsBeat *beat;
    FsnCycle *cycle;
    GMutex lock; /* of the entries; upkeep never has it while it waits for the loop */
    GPtrArray *entries;
    GAsyncQueue *jobs; /* of FsnSavefsJob */
    int ready_fd;      /* -1: told already */
} FsnSavefs;

/* entries.c; with the lock. */
FsnSavefsEntry *fsn_savefs_entry(FsnSavefs *fs, const char *name, bool make);
FsnSavefsEntry *fsn_savefs_entry_by_file(FsnSavefs *fs, const char *file, bool make);
FsnSavefsEntry *fsn_savefs_entry_by_ino(FsnSavefs *fs, uint64_t ino);
/* Whether there is such a file now. */
bool fsn_savefs_entry_visible(const FsnSavefsEntry *entry);
/* Whether anybody has a file open. */
bool fsn_savefs_in_use(FsnSavefs *fs);

/* upkeep.c: a thread that works until fsn_savefs_upkeep_stop(). */
typedef void (*FsnSavefsReply)(gpointer request, const GError *error);
GThread *fsn_savefs_upkeep_start(FsnSavefs *fs);
void fsn_savefs_upkeep_stop(FsnSavefs *fs, GThread *thread);
/* What is saved may have changed: it looks now, not within a second. */
void fsn_savefs_upkeep_wake(FsnSavefs *fs);
/* @entry is busy until @reply was called, from the thread. With @header the save is finished,
 * without it is settled. The header is taken over. */
void fsn_savefs_upkeep_add(FsnSavefs *fs,
                           FsnSavefsEntry *entry,
                           GBytes *header,
                           FsnSavefsReply reply,
                           gpointer request);

/* settle.c: a process of its own that talks to libvirt about one domain. */
void fsn_savefs_settle_spawn(const FsnSavefsConfig *config,
                             const char *uuid,
                             int lock_fd);
int fsn_savefs_settle(const FsnSavefsConfig *config, const char *uuid);

/* worker.c, supervisor.c: exit statuses. */
int fsn_savefs_work(const FsnSavefsConfig *config, FsnSavefsBeat *beat, int ready_fd);
int fsn_savefs_supervise(const FsnSavefsConfig *config, int ready_fd);

/* mounts.c */
bool fsn_savefs_mounted(const char *run_dir);
/* Ends the connection, whatever the worker does, and takes all mounts of ours away. */
void fsn_savefs_unmount_all(const FsnSavefsConfig *config);
/* The run folder, in which nobody can make a file while nothing is mounted there. */
bool fsn_savefs_prepare(const FsnSavefsConfig *config, GError **error);
void fsn_savefs_unprepare(const FsnSavefsConfig *config);
