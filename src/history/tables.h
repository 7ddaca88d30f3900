/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What a database has to offer so that a history can be kept in it: rows of bytes by
 * numbers, in order, with transactions. What the bytes mean, roll-ups and retention stand
 * above (store.h) and are the same for every database.
 *
 * Errors of all: FSN_ERROR_BUSY (others hold it for longer than a few seconds), CORRUPT,
 * NO_SPACE, UNSUPPORTED (from a newer version), FAILED. */
typedef struct FsnTables FsnTables;

typedef struct {
    int64_t id;
    const char *uuid;
    const char *name;
    int64_t seen_us;
} FsnTablesDomain;

/* A row that a scan found; @key is the time, slot, span or number that the scan is about. The
 * bytes are the database's until this returns. False ends the scan with @error. */
typedef bool (*FsnTablesRow)(gpointer user,
                             int64_t domain,
                             int64_t key,
                             const uint8_t *data,
                             size_t len,
                             GError **error);
typedef bool (*FsnTablesName)(gpointer user,
                              int64_t id,
                              const char *name,
                              GError **error);
typedef bool (*FsnTablesEach)(gpointer user,
                              const FsnTablesDomain *domain,
                              GError **error);

/* In all: @domain and @metric are ids below 2^23 and 2^20, @level is 0 or 1. */
typedef struct {
    void (*free)(FsnTables *t);

    /* One writer at a time; without it each call is a transaction of its own. */
    bool (*begin)(FsnTables *t, GError **error);
    /* Until commit() what is read is of one moment. */
    bool (*begin_read)(FsnTables *t, GError **error);
    bool (*commit)(FsnTables *t, GError **error);
    void (*rollback)(FsnTables *t);

    /* Domains by UUID. An id is never given twice. */
    bool (*domain_put)(FsnTables *t,
                       const char *uuid,
                       const char *name,
                       int64_t seen_us,
                       int64_t *out_id,
                       GError **error);
    bool (*domain_each)(FsnTables *t, FsnTablesEach each, gpointer user, GError **error);
    /* The last counters of a domain: text, NULL where there are none; the caller frees. */
    bool (*reading_put)(FsnTables *t, int64_t domain, const char *text, GError **error);
    bool (*reading_get)(FsnTables *t, int64_t domain, char **out_text, GError **error);

    /* The number of a name, which is made if it is new. */
    bool (*metric_put)(FsnTables *t, const char *name, int64_t *out_id, GError **error);
    bool (*metric_each)(FsnTables *t, FsnTablesName each, gpointer user, GError **error);

    /* Samples by time and domain. Without @replace one that is there stays, and
     * *@out_done is false. */
    bool (*raw_put)(FsnTables *t,
                    int64_t time_us,
                    int64_t domain,
                    const void *data,
                    size_t len,
                    bool replace,
                    bool *out_done,
                    GError **error);
    /* Of one domain, or of all (-1), with @after < time ≤ @until, by time; the key is the
     * time. */
    bool (*raw_scan)(FsnTables *t,
                     int64_t domain,
                     int64_t after_us,
                     int64_t until_us,
                     FsnTablesRow each,
                     gpointer user,
                     GError **error);
    /* The first time after @after_us that has samples; INT64_MAX if there is none. */
    bool (*raw_next)(FsnTables *t, int64_t after_us, int64_t *out_us, GError **error);
    bool (*raw_purge)(FsnTables *t, int64_t until_us, GError **error);

    /* Windows of all metrics of a domain by slot (number of the window since 1970); ranges
     * have @from ≤ slot < @to; the key is the slot. */
    bool (*row_put)(FsnTables *t,
                    int level,
                    int64_t domain,
                    int64_t slot,
                    const void *data,
                    size_t len,
                    GError **error);
    bool (*row_scan)(FsnTables *t,
                     int level,
                     int64_t domain,
                     int64_t from,
                     int64_t to,
                     FsnTablesRow each,
                     gpointer user,
                     GError **error);
    bool (*row_purge)(FsnTables *t,
                      int level,
                      int64_t domain,
                      int64_t from,
                      int64_t to,
                      GError **error);

    /* Windows of one metric of a domain by span (288 slots); the key is the span. */
    bool (*pack_put)(FsnTables *t,
                     int level,
                     int64_t domain,
                     int64_t metric,
                     int64_t span,
                     const void *data,
                     size_t len,
                     GError **error);
    bool (*pack_scan)(FsnTables *t,
                      int level,
                      int64_t domain,
                      int64_t metric,
                      int64_t from,
                      int64_t to,
                      FsnTablesRow each,
                      gpointer user,
                      GError **error);
    bool (*pack_purge)(FsnTables *t,
                       int level,
                       int64_t domain,
                       int64_t metric,
                       int64_t to,
                       GError **error);
    /* The next metric number ≥ @from that has packs of @domain; -1 if there is none. */
    bool (*pack_metric)(FsnTables *t,
                        int level,
                        int64_t domain,
                        int64_t from,
                        int64_t *out_metric,
                        GError **error);

    /* Numbers by name; *@out_value is @fallback where there is none. */
    bool (*number_get)(FsnTables *t,
                       const char *name,
                       int64_t fallback,
                       int64_t *out_value,
                       GError **error);
    bool (*number_put)(FsnTables *t, const char *name, int64_t value, GError **error);
} FsnTablesOps;

struct FsnTables {
    const FsnTablesOps *ops;
};

#define FSN_TABLES_MAX_DOMAIN ((int64_t)1 << 23)
#define FSN_TABLES_MAX_METRIC ((int64_t)1 << 20)

typedef enum {
    FSN_TABLES_CREATE = 1,
    FSN_TABLES_READ_ONLY = 2,
} FsnTablesFlags;

/* The embedded default: one file (and its write-ahead log beside it), made with mode 0600 if
 * FSN_TABLES_CREATE, its folder too. One that is not there is else FSN_ERROR_NOT_FOUND. */
FsnTables *fsn_tables_sqlite_open(const char *path, FsnTablesFlags flags, GError **error);

static inline void
fsn_tables_free(FsnTables *t)
{
    if (t) {
        t->ops->free(t);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnTables, fsn_tables_free)

G_END_DECLS
