/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/forecast.h"
#include "repo/catalogue.h"
#include "virt/domain.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * What this host's domains are and do, at one moment: what lists, pages and metrics show.
 * A view never changes once it is made, so that threads may share it.
 */

/* The last 24 hours, in steps of half an hour. */
#define FSN_VIEW_STEPS   48
#define FSN_VIEW_STEP_US ((int64_t)1800 * G_USEC_PER_SEC)
/* The forecast of the next hours. */
#define FSN_VIEW_HOURS   24

typedef struct {
    char *uuid;
    char *name;
    char *title;  /* NULL: none */
    bool defined; /* libvirt knows it; else only snapshots do */
    FsnVirtStatus status;
    char *profile;         /* NULL: not known */
    char **tags;           /* of its policy; never NULL */
    uint64_t memory_bytes; /* 0: not known */
    unsigned vcpus;        /* 0: not known */

    int64_t sampled_us;         /* the end of the last step of which something is known */
    double cpu[FSN_VIEW_STEPS]; /* cores, means; NAN: not known */
    double cpu_now, memory_now; /* of the last samples; NAN */
    int64_t fitted_us;          /* of the kept forecast; 0: none is kept */
    int64_t forecast_us;        /* begin of the first hour */
    double mean[FSN_VIEW_HOURS], high[FSN_VIEW_HOURS]; /* cores: mean, 95 % */

    unsigned snapshots, suspends;
    const FsnCatalogueEntry *last;    /* newest of both; NULL; belongs to the view */
    const FsnCatalogueEntry *suspend; /* by which it can be resumed; NULL */
    bool resuming;                    /* somebody is at that */
    int64_t bytes_own; /* of the repository, needed by nobody else; -1: not known */
} FsnViewDomain;

typedef struct {
    int64_t bytes_logical, bytes_stored, bytes_needed, bytes_free; /* -1: not known */
    int64_t damaged;
    int64_t counted_us; /* real time */
} FsnViewRepo;

typedef struct {
    gatomicrefcount refs;
    int64_t made_us; /* real time */
    int64_t took_us;
    bool libvirt, repo_there, history_there; /* could be asked */
    GPtrArray *domains;                      /* FsnViewDomain, by name */
    GHashTable *by_uuid;                     /* to the same */
    GPtrArray *snapshots;                    /* FsnCatalogueEntry, newest first */
    GHashTable *marks;                       /* of the repository */
    GPtrArray *problems;                     /* char*: what could not be asked, and why */
    FsnViewRepo repo;
} FsnView;

FsnView *fsn_view_ref(FsnView *view);
void fsn_view_unref(FsnView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnView, fsn_view_unref)

/* By UUID, or by the name that it has now (that of one that libvirt knows first); NULL. */
const FsnViewDomain *fsn_view_find(const FsnView *view, const char *who);
/* By the whole id; NULL. */
const FsnCatalogueEntry *fsn_view_find_snapshot(const FsnView *view, const char *id);
/* "ready", "resuming", "in use" or "used", as `foresnap list` has it; static. */
const char *fsn_view_snapshot_state(const FsnView *view, const char *id);
/* "running", "paused", "suspended" (its memory is in the repository), "shut off", …,
 * "removed" (libvirt does not know it); static. */
const char *fsn_view_domain_state(const FsnViewDomain *domain);

/* Elements of "domains" and "snapshots" in foresnap-api(7). The caller unrefs. */
JsonObject *fsn_view_domain_json(const FsnViewDomain *domain);
JsonObject *fsn_view_snapshot_json(const FsnView *view, const FsnCatalogueEntry *entry);

/* A number that may be NAN, which JSON does not have: null then, six digits else. */
void fsn_view_set_number(JsonObject *object, const char *name, double value);
void fsn_view_add_number(JsonArray *array, double value);

/* The text format of Prometheus; the caller frees. */
char *fsn_view_metrics(const FsnView *view);

/* Where views come from; keeps what is slow to ask for some time. */
typedef struct FsnViewSource FsnViewSource;

typedef struct {
    const char *uri;     /* of libvirt; NULL: its default */
    const char *history; /* NULL: the usual one */
    const char *repo;
} FsnViewPlaces;

FsnViewSource *fsn_view_source_new(const FsnViewPlaces *places);
void fsn_view_source_free(FsnViewSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnViewSource, fsn_view_source_free)

/* Asks libvirt, the history and the repository. Never fails: what could not be asked is among
 * the problems, and what was known of it before is shown. Blocks; one thread at a time. */
FsnView *fsn_view_gather(FsnViewSource *source);
/* What was kept of the domain (NULL: of all) is asked anew next time. Any thread. */
void fsn_view_forget(FsnViewSource *source, const char *uuid);
/* Counts what the repository holds, for the views that follow; slow in a large one. One thread
 * at a time, which may be another one than that of fsn_view_gather(). */
bool fsn_view_count(FsnViewSource *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The forecast of @metric of the next @horizon_us from what is kept, brought up to date with the
 * history; of its 95th percentile if *@out_p95, else of its means. The caller frees.
 * FSN_ERROR_NOT_FOUND where none is kept. */
FsnForecast *fsn_view_forecast(const char *history,
                               const char *uuid,
                               const char *metric,
                               int64_t horizon_us,
                               int64_t now_us,
                               int64_t *out_fitted_us,
                               bool *out_p95,
                               char **out_explanation,
                               GError **error);
/* What was to be expected at @at_us, in the past, from what was known then: by the models that are
 * kept if they were fitted before, else by some that are fitted to the 28 days before, which
 * takes some tenths of a second. FSN_ERROR_NOT_FOUND if too little was known. */
FsnForecast *fsn_view_forecast_then(const char *history,
                                    const char *uuid,
                                    const char *metric,
                                    int64_t horizon_us,
                                    int64_t at_us,
                                    bool *out_p95,
                                    GError **error);

G_END_DECLS
