/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "policies/level.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* How much is carried. */
typedef struct {
    FsnLevel level;   /* of metrics */
    int64_t since_us; /* real time of the parent; 0: there is none */
} FsnCargoAsk;

/* What snapshots and suspends carry of a domain besides its state, so that a host which has never
 * seen it knows it: its history, its models. Each kind is an object of its own that the manifest
 * names, made and taken over by functions that whoever composes the program has added. None of it
 * is needed: what cannot be made, read or taken over is a warning, and the operation goes on. */
typedef struct {
    /* Its member of the manifest: "history", "models" or "samples" (repo/manifests.h says which are not
     * needed); static. */
    const char *member;
    /* The bytes to carry; NULL without error: there are none. */
    GBytes *(*collect)(gpointer user,
                       const char *uuid,
                       const FsnCargoAsk *ask,
                       GError **error);
    /* Takes over bytes that a snapshot had, for the domain that was restored; NULL: they are
     * only to be looked at. */
    bool (*absorb)(
        gpointer user, const char *uuid, const char *name, GBytes *bytes, GError **error);
    gpointer user;
    GDestroyNotify free_user;
} FsnCargo;

/* Copied; its user is freed with @cycle. */
void fsn_cycle_add_cargo(FsnCycle *cycle, const FsnCargo *cargo);

/* Largest that is read. */
#define FSN_CARGO_MAX ((size_t)32 << 20)

/* Collects and stores all kinds, before a guest is stopped. The result (member → object) is to be
 * unreffed; *@warning is set if it is NULL and something failed. */
GHashTable *fsn_cargo_store(FsnCycle *cycle,
                            FsnRepo *repo,
                            const char *uuid,
                            const FsnCargoAsk *ask,
                            char **warning);

/* Names what was stored in @manifest; @stored may be NULL. */
void fsn_cargo_name(GHashTable *stored, JsonObject *manifest);

/* Takes over what @manifest names, for the domain @uuid; warnings (char*) go to @warnings. */
void fsn_cargo_take(FsnCycle *cycle,
                    FsnRepo *repo,
                    JsonObject *manifest,
                    const char *uuid,
                    const char *name,
                    GPtrArray *warnings);

G_END_DECLS
