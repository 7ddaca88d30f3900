/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Which domains a batch works on, and why it leaves others alone. Pure. */

typedef enum {
    FSN_BATCH_SUSPEND,
    FSN_BATCH_RESUME,
    FSN_BATCH_SNAPSHOT,
} FsnBatchVerb;

const char *fsn_batch_verb_name(FsnBatchVerb verb);

#define FSN_BATCH_PENDING "pending"

/* A domain, and what decides on it. */
typedef struct {
    char *name;
    char *uuid;
    char *title;   /* NULL: none */
    char *profile; /* NULL: the default */
    char **tags;   /* NULL: none */
    char **after;  /* names of domains that it needs; NULL: none */
    int order;     /* lower ones start earlier */
    bool running;  /* or paused */
    bool persistent;
    char *refusal;   /* why it cannot be saved, a sentence; NULL: it can */
    char *block_job; /* target of a disk with a job under way; NULL: none */
    char *suspended; /* id of its suspend state; NULL: it has none */
    char *recorded;  /* id of the state that the batch made, or FSN_BATCH_PENDING: it
                      * was interrupted while it made one; NULL: none */
    uint64_t memory; /* bytes that a suspend may have to store, at worst */
} FsnBatchDomain;

void fsn_batch_domain_free(FsnBatchDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnBatchDomain, fsn_batch_domain_free)

/* A domain is chosen by one of @matches (globs on its name), @titles (globs on its title),
 * @tags or @profiles, or by @all; and not if one of @excludes (globs on its name) says so.
 * Each may be NULL. A resume that names nothing chooses what is recorded. */
typedef struct {
    const char *const *matches;
    const char *const *titles;
    const char *const *tags;
    const char *const *profiles;
    const char *const *excludes;
    bool all;
} FsnBatchSelector;

/* True if it chooses by anything. */
bool fsn_batch_selector_is_set(const FsnBatchSelector *selector);
bool fsn_batch_selects(const FsnBatchSelector *selector, const FsnBatchDomain *domain);

/* Why @verb leaves a chosen domain alone: a phrase for the caller to free; NULL if it is to be
 * done. A resume takes only what the batch itself has put away. */
char *fsn_batch_skip_reason(FsnBatchVerb verb, const FsnBatchDomain *domain);

/* Names of those in @domains (FsnBatchDomain) whose memory, in their order, does not fit into
 * @free_bytes any more; the caller unrefs. */
GPtrArray *fsn_batch_too_large(GPtrArray *domains, uint64_t free_bytes);

G_END_DECLS
