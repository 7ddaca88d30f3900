/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fill as others see it: that it is wanted, that it is under way, its beginning and its
 * continuation. What its process does is in fill-run.c.
 */
#include "config.h"

#include "cycle/fill.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/guard.h"
#include "cycle/socket-dir.h"
#include "repo/manifests.h"
#include "repo/marks.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

/* For nbdkit to open a repository that may be slow. */
#define READY_MS     60000
#define MAX_ATTEMPTS 20
#define MARK_LENGTH  32

char *
fsn_fill_state_dir(const char *state_dir)
{
    return g_build_filename(state_dir, "fill", NULL);
}

static FsnCycle *
open_fills(FsnCycle *cycle, GError **error)
{
    g_autofree char *folder = fsn_fill_state_dir(fsn_cycle_state_dir(cycle));

    return fsn_cycle_new(fsn_cycle_uri(cycle), fsn_cycle_repo_location(cycle), folder,
                         error);
}

bool
fsn_fill_cycle(FsnCycle *cycle, FsnCycle **out_fills, GError **error)
{
    g_autofree char *folder = fsn_fill_state_dir(fsn_cycle_state_dir(cycle));
    FsnCycle *fills;

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        *out_fills = NULL;
        return true;
    }
    fills = open_fills(cycle, error);
    if (fills) {
        *out_fills = fills;
    }
    return fills != NULL;
}

char *
fsn_fill_socket(FsnVirt *virt, const char *uuid, const char *target)
{
    g_autofree char *key = g_strconcat("fill-", uuid, NULL);
    g_autofree char *folder = fsn_socket_dir_path(virt, key);
    /* A name that libvirt's AppArmor profile lets QEMU use. */
    g_autofree char *name = g_strconcat(target, ".monitor", NULL);

    return g_build_filename(folder, name, NULL);
}

static bool
is_lazy(JsonArray *files, guint i)
{
    JsonObject *file;

    return fsn_json_get_element(files, i, &file, NULL) &&
           fsn_json_peek_string(file, "socket", NULL);
}

bool
fsn_fill_is_wanted(const FsnJournal *journal)
{
    for (guint i = 0; journal->files && i < json_array_get_length(journal->files); i++) {
        if (is_lazy(journal->files, i)) {
            return true;
        }
    }
    return false;
}

bool
fsn_fill_check_none(FsnCycle *cycle, const char *uuid, GError **error)
{
    g_autofree char *folder = fsn_fill_state_dir(fsn_cycle_state_dir(cycle));

    if (!fsn_journal_exists(folder, uuid)) {
        return true;
    }
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_BUSY,
        "its disks are still being filled after a lazy restore; 'foresnap status' "
        "shows how far it is");
    return false;
}

/* A mark's name has up to 32 letters; so much of a UUID tells domains apart. */
static char *
mark_of(const char *uuid)
{
    GString *mark = g_string_new(FSN_FILL_MARK);

    for (const char *c = uuid; *c && mark->len < MARK_LENGTH; c++) {
        if (g_ascii_isxdigit(*c)) {
            g_string_append_c(mark, (char)('a' + g_ascii_xdigit_value(*c)));
        }
    }
    return g_string_free(mark, FALSE);
}

bool
fsn_fill_protect(FsnRepo *repo, const FsnJournal *journal, GError **error)
{
    g_autofree char *mark = mark_of(journal->uuid);
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GError) local = NULL;

    json_object_set_string_member(body, "domain", journal->domain);
    json_object_set_string_member(body, "uuid", journal->uuid);
    if (!fsn_repo_mark_create(repo, journal->snapshot, mark, body, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_EXISTS)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    /* Whoever deletes looks for marks before; whoever marks looks for the manifest after. */
    return fsn_repo_load_manifest(repo, journal->snapshot, &manifest, error);
}

bool
fsn_fill_forget(FsnRepo *repo, const FsnJournal *journal, GError **error)
{
    g_autofree char *mark = mark_of(journal->uuid);

    return !fsn_fill_is_wanted(journal) ||
           fsn_repo_mark_remove(repo, journal->snapshot, mark, error);
}

static bool
wait_ready(int fd, const char *state_dir, const char *uuid, GError **error)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char byte;
    int n;

    do {
        n = poll(&p, 1, READY_MS);
    } while (n < 0 && errno == EINTR);
    if (n > 0 && read(fd, &byte, 1) == 1) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                "the disks are not served: see '%s/%s.log'", state_dir, uuid);
    return false;
}

static void
in_session_of_its_own(gpointer unused G_GNUC_UNUSED)
{
    (void)setsid(); /* a Ctrl-C is not meant for it; it cannot fail in a new child */
}

static bool
spawn(FsnCycle *fills, const char *uuid, FsnLock *lock, GError **error)
{
    g_autofree char *program = fsn_cycle_helper_path("foresnap-fill");
    const char *uri = fsn_cycle_uri(fills);
    const char *argv[] = { program,
                           uuid,
                           uri ? uri : "",
                           fsn_cycle_repo_location(fills),
                           fsn_cycle_state_dir(fills),
                           NULL };
    int ready[2];
    int sources[3] = { fsn_lock_fd(lock) };
    const int targets[3] = { 3, 4, 5 };
    bool ok;

    if (!g_unix_open_pipe(ready, FD_CLOEXEC, error)) {
        return false;
    }
    if (!fsn_guard_attend(fills, uuid, &sources[1], error)) {
        close(ready[0]);
        close(ready[1]);
        return false;
    }
    sources[2] = ready[1];
    ok = g_spawn_async_with_pipes_and_fds(
        "/", argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, in_session_of_its_own, NULL, -1, -1,
        -1, sources, targets, 3, NULL, NULL, NULL, NULL, error);
    close(sources[1]);
    close(ready[1]);
    ok = ok && wait_ready(ready[0], fsn_cycle_state_dir(fills), uuid, error);
    close(ready[0]);
    return ok;
}

static FsnJournal *
make_journal(const FsnJournal *restore)
{
    FsnJournal *j = fsn_journal_new(FSN_OP_FILL, restore->domain, restore->uuid,
                                    restore->uri, restore->repo, restore->snapshot);

    j->files = json_array_new();
    for (guint i = 0; i < json_array_get_length(restore->files); i++) {
        if (is_lazy(restore->files, i)) {
            json_array_add_element(
                j->files, json_node_copy(json_array_get_element(restore->files, i)));
        }
    }
    return j;
}

bool
fsn_fill_start(FsnCycle *cycle, const FsnJournal *restore, GError **error)
{
    g_autoptr(FsnCycle) fills = open_fills(cycle, error);
    g_autoptr(FsnJournal) journal = make_journal(restore);
    g_autoptr(FsnLock) lock = NULL;
    g_autoptr(GError) local = NULL;
    const char *dir;

    if (!fills) {
        return false;
    }
    dir = fsn_cycle_state_dir(fills);
    lock = fsn_lock_take(dir, journal->repo, journal->uuid, 0, &local);
    if (!lock) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_BUSY)) {
            return true; /* it is under way */
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return (fsn_journal_exists(dir, journal->uuid) ||
            fsn_journal_write(journal, dir, FSN_STEP_FILLING, error)) &&
           spawn(fills, journal->uuid, lock, error);
}

bool
fsn_fill_continue(
    FsnCycle *fills, FsnJournal *journal, bool automatic, FsnLock *lock, GError **error)
{
    if (automatic && journal->attempts >= MAX_ATTEMPTS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "serving the disks of domain '%s' broke off %d times, and its guest "
                    "waits; see '%s/%s.log', then run 'foresnap recover'",
                    journal->domain, MAX_ATTEMPTS, fsn_cycle_state_dir(fills),
                    journal->uuid);
        return false;
    }
    journal->attempts = automatic ? journal->attempts + 1 : 0;
    return fsn_journal_write(journal, fsn_cycle_state_dir(fills), journal->step, error) &&
           spawn(fills, journal->uuid, lock, error);
}
