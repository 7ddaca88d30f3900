/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/events.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where known events come from: files and URLs, calendars (iCalendar) or tables (CSV), with a
 * copy of each that was good when it was fetched. A folder with two files per source; any
 * process may read it at any time. A copy is replaced only by one that could be read. */

typedef struct {
    char *id;                   /* of 8 hexadecimal digits */
    char *source;               /* absolute path, or URL */
    char *kind;                 /* of all its events, or NULL: they say it themselves */
    char *domain;               /* name or UUID, or NULL: they concern all domains */
    char *etag, *last_modified; /* the server's, of the copy; or NULL */
    int64_t fetched_us; /* when the copy was last known to be that of the source */
} FsnEventSource;

void fsn_event_source_free(FsnEventSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnEventSource, fsn_event_source_free)

/* FORESNAP_EVENTS, else lib/foresnap/events below configure's localstatedir for root and
 * $XDG_DATA_HOME/foresnap/events for others. The caller frees. */
char *fsn_event_store_default(void);

/* Fetches @where, a path or a URL, and keeps it; the same place for the same domain and kind
 * replaces what is there. */
bool fsn_event_store_add(const char *folder,
                         const char *where,
                         const char *kind,
                         const char *domain,
                         int64_t now_us,
                         GCancellable *cancellable,
                         FsnEventSource **out_source,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All sources (FsnEventSource), by id; none where the folder is not there. What cannot be read
 * is named in @out_damaged (char*), to be removed by its id. The arrays free their elements. */
bool fsn_event_store_list(const char *folder,
                          GPtrArray **out_sources,
                          GPtrArray **out_damaged,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FSN_ERROR_NOT_FOUND names it. */
bool fsn_event_store_remove(const char *folder, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Fetches it again, by its validators where the server gave some; *@out_changed tells whether
 * there is a new copy. After an error the old copy is still there. */
bool fsn_event_store_refresh(const char *folder,
                             FsnEventSource *source,
                             int64_t now_us,
                             GCancellable *cancellable,
                             bool *out_changed,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the events of the copy that touch [@from_us, @to_us); *@out_skipped counts those that
 * cannot be used. Times without a zone are local. */
bool fsn_event_store_read(const char *folder,
                          const FsnEventSource *source,
                          int64_t from_us,
                          int64_t to_us,
                          FsnEvents *events,
                          size_t *out_skipped,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Events of all sources that concern the domain called @name or @uuid (each may be NULL). Sources
 * that cannot be read are left out and told in @warnings (char*). */
bool fsn_event_store_load(const char *folder,
                          const char *name,
                          const char *uuid,
                          int64_t from_us,
                          int64_t to_us,
                          FsnEvents *events,
                          GPtrArray *warnings,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
