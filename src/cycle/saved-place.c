/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and links of domains that are saved through foresnap-savefs. Nothing here talks to
 * libvirt or goes through the served file system, so it works whatever has become of both.
 */
#include "config.h"

#include "cycle/saved-place.h"

#include "base/error.h"
#include "base/files.h"
#include "domxml/edit.h"
#include "stream/save-image.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define SUFFIX     ".save"
#define RECORD     ".record"
#define THROUGH    ".through"
#define OWN        ".own"
#define MAX_RECORD 4096u
#define WHERE      4u /* field of /proc/self/mountinfo */
/* The server may mount once more while we take things away: it looks once a second. */
#define TAKE_TRIES 5

char *
fsn_saved_run_dir(void)
{
    const char *chosen = g_getenv("FORESNAP_SAVEFS_DIR");

    return chosen && *chosen ? g_canonicalize_filename(chosen, NULL)
                             : g_strdup("/run/foresnap/savefs");
}

char *
fsn_saved_dir(const char *state_dir)
{
    return g_build_filename(state_dir, "saved", NULL);
}

static char *
own_path(const char *state_dir, const char *name, const char *suffix)
{
    g_autofree char *dir = fsn_saved_dir(state_dir);
    g_autofree char *file = g_strconcat(name, suffix, NULL);

    return g_build_filename(dir, file, NULL);
}

char *
fsn_saved_guard_path(const char *state_dir, const char *name)
{
    return own_path(state_dir, name, SUFFIX);
}

char *
fsn_saved_entry_path(const char *name)
{
    g_autofree char *dir = fsn_saved_run_dir();
    g_autofree char *file = g_strconcat(name, SUFFIX, NULL);

    return g_build_filename(dir, file, NULL);
}

char *
fsn_saved_link_path(const char *save_folder, const char *name)
{
    g_autofree char *file = g_strconcat(name, SUFFIX, NULL);

    return g_build_filename(save_folder, file, NULL);
}

void
fsn_saved_record_free(FsnSavedRecord *record)
{
    if (record) {
        g_free(record->name);
        g_free(record->uuid);
        g_free(record->snapshot);
        g_free(record->repo);
        g_free(record);
    }
}

/* What is served lies over the guard, once as a rule. */
static void
unmount(const char *guard)
{
    while (umount2(guard, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    }
}

/* libvirt's error on a start is this emulator that does not exist. */
static bool
write_guard(const char *state_dir,
            const char *name,
            const char *snapshot,
            const char *xml,
            GError **error)
{
    g_autofree char *path = fsn_saved_guard_path(state_dir, name);
    g_autofree char *message = g_strdup_printf(
        "/foresnap/snapshot %s: domain '%s' is saved and foresnap-savefs does not serve "
        "it: run 'foresnap savefs start', or 'foresnap resume %s'",
        snapshot, name, name);
    g_autofree char *refused = NULL;
    g_autoptr(GBytes) bytes = NULL;

    unmount(path); /* without a record nobody serves anything there again */
    return fsn_domain_xml_set_emulator(xml, message, &refused, error) &&
           fsn_save_image_build_stub(refused, &bytes, error) &&
           fsn_file_replace(path, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                            0600, error);
}

static bool
make_dir(const char *state_dir, GError **error)
{
    g_autofree char *dir = fsn_saved_dir(state_dir);

    return fsn_mkdirs(dir, 0700, error) && fsn_dir_sync(state_dir, error);
}

bool
fsn_saved_write(const char *state_dir,
                const char *repo,
                const char *name,
                const char *uuid,
                const char *snapshot,
                const char *xml,
                GError **error)
{
    g_autofree char *record = own_path(state_dir, name, RECORD);
    g_autofree char *text = g_strdup_printf("%s\n%s\n%s\n", uuid, snapshot, repo);

    if (!make_dir(state_dir, error) ||
        !write_guard(state_dir, name, snapshot, xml, error) ||
        !fsn_file_replace(record, text, strlen(text), 0600, error)) {
        g_prefix_error(error, "cannot guard domain '%s': ", name);
        return false;
    }
    return true;
}

static FsnSavedRecord *
read_lines(const char *path, const char *name, bool with_snapshot)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    FsnSavedRecord *record;
    guint needed = with_snapshot ? 2 : 1;

    if (!fsn_file_read(path, MAX_RECORD, &bytes, NULL)) {
        return NULL;
    }
    text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    lines = g_strsplit(text, "\n", -1);
    if (g_strv_length(lines) <= needed || !*lines[0] || (with_snapshot && !*lines[1])) {
        return NULL;
    }
    record = g_new0(FsnSavedRecord, 1);
    record->name = g_strdup(name);
    record->uuid = g_strdup(lines[0]);
    record->snapshot = with_snapshot ? g_strdup(lines[1]) : NULL;
    record->repo = *lines[needed] ? g_strdup(lines[needed]) : NULL;
    return record;
}

FsnSavedRecord *
fsn_saved_read(const char *state_dir, const char *name)
{
    g_autofree char *path = own_path(state_dir, name, RECORD);

    return read_lines(path, name, true);
}

static GPtrArray *
list(const char *state_dir, const char *suffix, bool with_snapshot)
{
    g_autofree char *path = fsn_saved_dir(state_dir);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    GPtrArray *records =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_saved_record_free);
    const char *file;

    while (dir && (file = g_dir_read_name(dir))) {
        g_autofree char *full = g_build_filename(path, file, NULL);
        g_autofree char *name = NULL;
        FsnSavedRecord *record;

        if (!g_str_has_suffix(file, suffix)) {
            continue;
        }
        name = g_strndup(file, strlen(file) - strlen(suffix));
        record = read_lines(full, name, with_snapshot);
        if (record) {
            g_ptr_array_add(records, record);
        }
    }
    return records;
}

GPtrArray *
fsn_saved_list(const char *state_dir)
{
    return list(state_dir, RECORD, true);
}

GPtrArray *
fsn_saved_list_through(const char *state_dir)
{
    return list(state_dir, THROUGH, false);
}

static bool
remove_guard(const char *guard, GError **error)
{
    g_autoptr(GError) local = NULL;

    for (int i = 0; i < TAKE_TRIES; i++) {
        unmount(guard);
        g_clear_error(&local);
        if ((access(guard, F_OK) != 0 && errno == ENOENT) ||
            fsn_file_remove_durable(guard, &local)) {
            return true;
        }
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

bool
fsn_saved_remove(const char *state_dir,
                 const char *save_folder,
                 const char *name,
                 GError **error)
{
    g_autofree char *guard = fsn_saved_guard_path(state_dir, name);
    g_autofree char *record = own_path(state_dir, name, RECORD);
    g_autofree char *link = fsn_saved_link_path(save_folder, name);

    if (fsn_saved_look(state_dir, save_folder, name) == FSN_LINK_GUARD &&
        !fsn_file_remove_durable(link, error)) {
        return false;
    }
    unmount(guard);
    return (access(record, F_OK) != 0 || fsn_file_remove_durable(record, error)) &&
           remove_guard(guard, error);
}

/* A word about the domain, with its UUID, for the name may become another one's. @repo "" if it
 * does not matter. */
static bool
set_word(const char *state_dir,
         const char *name,
         const char *suffix,
         const char *uuid,
         const char *repo,
         GError **error)
{
    g_autofree char *path = own_path(state_dir, name, suffix);
    g_autofree char *text = g_strconcat(uuid, "\n", repo, "\n", NULL);

    return make_dir(state_dir, error) &&
           fsn_file_replace(path, text, strlen(text), 0600, error);
}

static bool
unset_word(const char *state_dir, const char *name, const char *suffix, GError **error)
{
    g_autofree char *path = own_path(state_dir, name, suffix);

    return access(path, F_OK) != 0 || fsn_file_remove_durable(path, error);
}

static bool
has_word(const char *state_dir,
         const char *name,
         const char *suffix,
         const char *uuid,
         const char *repo)
{
    g_autofree char *path = own_path(state_dir, name, suffix);
    g_autoptr(FsnSavedRecord) record = read_lines(path, name, false);

    return record && strcmp(record->uuid, uuid) == 0 &&
           (!repo || !record->repo || strcmp(record->repo, repo) == 0);
}

bool
fsn_saved_set_through(const char *state_dir,
                      const char *name,
                      const char *uuid,
                      const char *repo,
                      GError **error)
{
    return set_word(state_dir, name, THROUGH, uuid, repo, error);
}

bool
fsn_saved_unset_through(const char *state_dir, const char *name, GError **error)
{
    return unset_word(state_dir, name, THROUGH, error);
}

bool
fsn_saved_is_through(const char *state_dir,
                     const char *name,
                     const char *uuid,
                     const char *repo)
{
    return has_word(state_dir, name, THROUGH, uuid, repo);
}

bool
fsn_saved_set_own(const char *state_dir,
                  const char *name,
                  const char *uuid,
                  GError **error)
{
    return set_word(state_dir, name, OWN, uuid, "", error);
}

bool
fsn_saved_unset_own(const char *state_dir, const char *name, GError **error)
{
    return unset_word(state_dir, name, OWN, error);
}

bool
fsn_saved_is_own(const char *state_dir, const char *name, const char *uuid)
{
    return has_word(state_dir, name, OWN, uuid, NULL);
}

/* "36 35 98:0 /mnt1 /mnt2 rw …": the fifth is where; blanks are octal there. */
static bool
is_mount_at(const char *line, const char *point)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", WHERE + 2);
    g_autofree char *where = NULL;

    if (g_strv_length(fields) < WHERE + 1) {
        return false;
    }
    where = g_strcompress(fields[WHERE]);
    return strcmp(where, point) == 0;
}

bool
fsn_saved_is_served(const char *state_dir, const char *name)
{
    g_autofree char *guard = fsn_saved_guard_path(state_dir, name);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL)) {
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (is_mount_at(*line, guard)) {
            return true;
        }
    }
    return false;
}

FsnSavedLink
fsn_saved_look(const char *state_dir, const char *save_folder, const char *name)
{
    g_autofree char *link = fsn_saved_link_path(save_folder, name);
    g_autofree char *guard = fsn_saved_guard_path(state_dir, name);
    g_autofree char *entry = fsn_saved_entry_path(name);
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof target - 1);

    if (n < 0) {
        return errno == ENOENT ? FSN_LINK_NONE : FSN_LINK_FOREIGN;
    }
    target[n] = '\0';
    if (strcmp(target, guard) == 0) {
        return FSN_LINK_GUARD;
    }
    return strcmp(target, entry) == 0 ? FSN_LINK_ENTRY : FSN_LINK_FOREIGN;
}

/* In one step, whoever else puts one there. */
static bool
replace_link(const char *target, const char *link, GError **error)
{
    g_autofree char *fresh = g_strdup_printf("%s.foresnap.%d", link, (int)getpid());

    (void)unlink(fresh); /* what an interrupted one has left */
    if (symlink(target, fresh) != 0 || rename(fresh, link) != 0) {
        return fsn_set_errno(error, errno, "cannot make the link '%s'", link);
    }
    return true;
}

bool
fsn_saved_link(const char *state_dir,
               const char *save_folder,
               const char *name,
               FsnSavedLink which,
               bool over_foreign,
               GError **error)
{
    g_autofree char *link = fsn_saved_link_path(save_folder, name);
    g_autofree char *target = which == FSN_LINK_GUARD
                                  ? fsn_saved_guard_path(state_dir, name)
                                  : fsn_saved_entry_path(name);
    FsnSavedLink now = fsn_saved_look(state_dir, save_folder, name);

    /* The server puts one wherever there is none, and must not replace what is newer. */
    if (now == FSN_LINK_NONE) {
        if (symlink(target, link) == 0) {
            return fsn_dir_sync(save_folder, error);
        }
        now = fsn_saved_look(state_dir, save_folder, name);
    }
    if (now == which || now == FSN_LINK_GUARD) {
        return true;
    }
    if (now == FSN_LINK_FOREIGN && !over_foreign) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS,
                    "'%s' is there already and is not foresnap's link", link);
        return false;
    }
    return replace_link(target, link, error) && fsn_dir_sync(save_folder, error);
}

bool
fsn_saved_unlink(const char *state_dir,
                 const char *save_folder,
                 const char *name,
                 GError **error)
{
    g_autofree char *link = fsn_saved_link_path(save_folder, name);

    switch (fsn_saved_look(state_dir, save_folder, name)) {
    case FSN_LINK_ENTRY:
    case FSN_LINK_GUARD:
        return fsn_file_remove_durable(link, error);
    case FSN_LINK_NONE:
    case FSN_LINK_FOREIGN:
        break;
    }
    return true;
}
