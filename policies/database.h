/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/level.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * Databases in a guest, as profiles declare them ("database.declare"): what they are called, where
 * they live, and the commands that bring them to rest and let them go again. And the decision what
 * a snapshot does about each. Pure.
 *
 *     NAME on=DISK[:PARTITION][,…] quiesce=COMMAND [release=COMMAND] [limit=DURATION]
 *         [release-limit=DURATION] [on-failure=continue|fail] [; NAME …]
 *
 * Words are quoted as in a shell, and a COMMAND is split into words once more; no shell runs it.
 * Limits: 16 databases, 8 places each, 64 words and 2048 bytes to a command.
 */
typedef enum {
    FSN_DATABASE_AS_PROFILE, /* database.on-failure counts */
    FSN_DATABASE_CONTINUE,
    FSN_DATABASE_FAIL,
} FsnDatabaseOnFailure;

typedef struct {
    char *target;       /* "vda" */
    unsigned partition; /* 0 = all of the disk */
} FsnDatabasePlace;

typedef struct {
    char *name;        /* letters, digits, '-', '_' and '.' */
    GPtrArray *places; /* of FsnDatabasePlace; at least one */
    char **quiesce;    /* words; at least one */
    char **release;    /* words; NULL = nothing has to be released */
    int64_t limit_us;  /* of each command: 1 s to 10 min */
    int64_t release_limit_us;
    FsnDatabaseOnFailure on_failure;
} FsnDatabase;

void fsn_database_free(FsnDatabase *database);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnDatabase, fsn_database_free)

/* Reads declarations; the array of FsnDatabase is empty if there are none. FSN_ERROR_FORMAT says
 * which database and what is wrong; nothing is passed over. */
bool fsn_databases_parse(const char *text, GPtrArray **out_databases, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* "vda:1"; the caller frees. */
char *fsn_database_place_text(const FsnDatabasePlace *place);

/* What of a snapshot decides. Strings are borrowed. */
typedef struct {
    FsnLevel level;      /* of kind "database" */
    bool unwanted;       /* the user wants no guest asked */
    bool parts;          /* only parts of disks were asked for */
    bool off;            /* the domain is */
    bool running;        /* the guest is, so that it can run commands */
    bool memory;         /* of the same instant is taken */
    bool insisted;       /* … and they shall be at rest all the same */
    bool agent;          /* the domain has a channel for the guest's agent */
    bool connected;      /* … and the guest listens on it */
    const char *absent;  /* a disk that the domain has not; NULL = it has all */
    const char *untaken; /* one that is not taken; NULL = all are */
    bool some_taken;
} FsnDatabaseFound;

typedef enum {
    FSN_DATABASE_QUIESCE, /* its commands are run */
    FSN_DATABASE_PASS,    /* it has no part in this snapshot */
    FSN_DATABASE_CANNOT,  /* it should be brought to rest and cannot be */
} FsnDatabaseAction;

/* *@out_reason, a phrase, is the caller's. */
FsnDatabaseAction fsn_database_plan(const FsnDatabaseFound *found, char **out_reason);

/* Whether a snapshot goes on without @database at rest; @profile_fails: database.on-failure is
 * "fail". */
bool fsn_database_goes_on(const FsnDatabase *database, bool profile_fails);

G_END_DECLS
