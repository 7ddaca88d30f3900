/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * Where things are for domains whose managed save goes through foresnap-savefs:
 *
 *   SAVE-FOLDER/NAME.save    libvirt's place: a link to one of the next two
 *   RUN-DIR/NAME.save        while nothing is saved: libvirt's save is written here. There is
 *                            no such file before and, without the server, no way to make one
 *   STATE/saved/NAME.save    once it is saved: a guard that libvirt refuses to restore, and
 *                            over it, as long as it is served, the image
 *   STATE/saved/NAME.record  which state that is: UUID, snapshot, repository
 *   STATE/saved/NAME.through the domain is to be saved through here: UUID, repository
 *   STATE/saved/NAME.own     its user wants libvirt's own saves: UUID
 *
 * A dangling link in libvirt's place lets it boot, so a saved domain never depends on a mount:
 * the guard is an ordinary file.
 */

/* FORESNAP_SAVEFS_DIR, else /run/foresnap/savefs; the caller frees, as with the others. */
char *fsn_saved_run_dir(void);
char *fsn_saved_dir(const char *state_dir);
char *fsn_saved_guard_path(const char *state_dir, const char *name);
char *fsn_saved_entry_path(const char *name);
char *fsn_saved_link_path(const char *save_folder, const char *name);

typedef struct {
    char *name;
    char *uuid;
    char *snapshot; /* NULL: of a name that is only to be saved through here */
    char *repo;     /* absolute location; NULL: not told */
} FsnSavedRecord;

void fsn_saved_record_free(FsnSavedRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSavedRecord, fsn_saved_record_free)

/* The guard, then the record, both durable. @xml is the domain's, @repo the location of the
 * repository: the server of another one must not think that the state has gone. */
bool fsn_saved_write(const char *state_dir,
                     const char *repo,
                     const char *name,
                     const char *uuid,
                     const char *snapshot,
                     const char *xml,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NULL if there is none, or none that can be read. */
FsnSavedRecord *fsn_saved_read(const char *state_dir, const char *name);
/* All records, and all names to be saved through here; arrays of FsnSavedRecord. */
GPtrArray *fsn_saved_list(const char *state_dir);
GPtrArray *fsn_saved_list_through(const char *state_dir);

/* Takes record and guard away, what is mounted over it first, and libvirt's link if it leads
 * there. True also if there was nothing. */
bool fsn_saved_remove(const char *state_dir,
                      const char *save_folder,
                      const char *name,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool fsn_saved_set_through(const char *state_dir,
                           const char *name,
                           const char *uuid,
                           const char *repo,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_saved_unset_through(const char *state_dir, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Whether it is this domain that is saved through here under that name, into @repo (NULL: into
 * any). */
bool fsn_saved_is_through(const char *state_dir,
                          const char *name,
                          const char *uuid,
                          const char *repo);

/* Its user's word that it is not to be: for whoever enables all domains. */
bool fsn_saved_set_own(const char *state_dir,
                       const char *name,
                       const char *uuid,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_saved_unset_own(const char *state_dir, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_saved_is_own(const char *state_dir, const char *name, const char *uuid);

/* Whether the image lies over the guard. Never asks the served file system. */
bool fsn_saved_is_served(const char *state_dir, const char *name);

typedef enum {
    FSN_LINK_NONE,    /* nothing there */
    FSN_LINK_ENTRY,   /* a link to the run folder */
    FSN_LINK_GUARD,   /* a link to the guard */
    FSN_LINK_FOREIGN, /* anything else: an image or a stub */
} FsnSavedLink;

FsnSavedLink fsn_saved_look(const char *state_dir,
                            const char *save_folder,
                            const char *name);
/* Puts such a link (ENTRY or GUARD) there, in the place of another one, durably and at once.
 * A link to the guard stays: only fsn_saved_remove() takes that away.
 * FSN_ERROR_EXISTS if what is there is foreign; with @over_foreign it is replaced. */
bool fsn_saved_link(const char *state_dir,
                    const char *save_folder,
                    const char *name,
                    FsnSavedLink which,
                    bool over_foreign,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Takes a link of ours away. */
bool fsn_saved_unlink(const char *state_dir,
                      const char *save_folder,
                      const char *name,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
