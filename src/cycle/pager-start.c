/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans for the pager, and its start. What the pager does with them is its own matter. */
#include "config.h"

#include "cycle/pager-start.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/guard.h"
#include "cycle/ram-blocks-json.h"
#include "cycle/socket-dir.h"
#include "tier/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ATTEMPTS 3

char *
fsn_pager_plan_path(const char *state_dir, const char *uuid)
{
    g_autofree char *name = g_strconcat(uuid, ".plan", NULL);

    return g_build_filename(state_dir, name, NULL);
}

char *
fsn_pager_status_path(const char *state_dir, const char *uuid)
{
    g_autofree char *name = g_strconcat(uuid, ".status", NULL);

    return g_build_filename(state_dir, name, NULL);
}

char *
fsn_pager_not_run_path(const char *state_dir, const char *uuid)
{
    g_autofree char *name = g_strconcat(uuid, ".notrun", NULL);

    return g_build_filename(state_dir, name, NULL);
}

static JsonObject *
build_ram(const FsnRamLayout *layout)
{
    JsonObject *ram = json_object_new();

    json_object_set_int_member(ram, "section_id", layout->section_id);
    json_object_set_int_member(ram, "instance", layout->instance);
    json_object_set_int_member(ram, "version", layout->version);
    json_object_set_array_member(ram, "blocks", fsn_ram_blocks_to_json(layout));
    return ram;
}

static JsonObject *
build_domain(const FsnManifestMemory *m, const char *xml_live, const char *cpu_xml)
{
    JsonObject *domain = json_object_new();

    json_object_set_string_member(domain, "name", m->domain);
    json_object_set_string_member(domain, "uuid", m->uuid);
    json_object_set_string_member(domain, "xml", xml_live);
    if (cpu_xml) {
        json_object_set_string_member(domain, "cpu_xml", cpu_xml);
    }
    return domain;
}

static void
add_paths(FsnCycle *cycle, JsonObject *plan, const FsnManifestMemory *m)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    g_autofree char *status = fsn_pager_status_path(state_dir, m->uuid);
    g_autofree char *not_run = fsn_pager_not_run_path(state_dir, m->uuid);
    g_autofree char *log_name = g_strconcat(m->uuid, ".log", NULL);
    g_autofree char *log = g_build_filename(state_dir, log_name, NULL);
    g_autofree char *working_set = g_strconcat("workingset/", m->uuid, NULL);

    json_object_set_string_member(plan, "repository", fsn_cycle_repo_location(cycle));
    json_object_set_string_member(plan, "status_file", status);
    json_object_set_string_member(plan, "not_run_file", not_run);
    json_object_set_string_member(plan, "log_file", log);
    json_object_set_string_member(plan, "sequence", m->id);
    json_object_set_string_member(plan, "working_set", working_set);
    if (fsn_cycle_uri(cycle)) {
        json_object_set_string_member(plan, "uri", fsn_cycle_uri(cycle));
    }
}

/* The folders that are read before the repository. Without them the resume is only slower. */
static void
add_tiers(FsnCycle *cycle, JsonObject *plan)
{
    g_autoptr(GError) error = NULL;
    FsnRepo *repo = fsn_cycle_repo(cycle, &error);
    g_autoptr(GPtrArray) tiers = NULL;
    g_auto(GStrv) folders = NULL;
    JsonArray *array;

    if (!repo || !fsn_tiers_load(repo, &tiers, &error)) {
        g_warning("no tier is used: %s", error->message);
        return;
    }
    array = json_array_new();
    folders = fsn_tiers_folders(tiers);
    for (char **folder = folders; *folder; folder++) {
        json_array_add_string_element(array, *folder);
    }
    json_object_set_array_member(plan, "tiers", array);
}

bool
fsn_pager_write_plan(FsnCycle *cycle,
                     const FsnManifestMemory *m,
                     const char *marks,
                     const char *xml_live,
                     const char *cpu_xml,
                     const FsnResumeOptions *options,
                     bool monitor,
                     GError **error)
{
    g_autoptr(JsonObject) plan = json_object_new();
    g_autofree char *path = fsn_pager_plan_path(fsn_cycle_state_dir(cycle), m->uuid);
    g_autofree char *socket_dir = NULL;
    g_autofree char *text = NULL;

    FsnVirt *virt = fsn_cycle_virt(cycle, error);

    if (!virt || (!monitor && !fsn_socket_dir_make(virt, m->uuid, &socket_dir, error))) {
        return false;
    }
    json_object_set_int_member(plan, "version", 1);
    json_object_set_string_member(plan, "mode", fsn_resume_mode_name(options->mode));
    json_object_set_string_member(plan, "transport", monitor ? "fd" : "libvirt");
    json_object_set_string_member(plan, "snapshot", marks);
    json_object_set_string_member(plan, "image", m->root);
    json_object_set_string_member(plan, "head", m->head);
    json_object_set_string_member(plan, "device_state", m->device_state);
    if (m->description) {
        json_object_set_string_member(plan, "description", m->description);
    }
    json_object_set_object_member(plan, "ram", build_ram(m->layout));
    json_object_set_object_member(plan, "domain", build_domain(m, xml_live, cpu_xml));
    if (socket_dir) {
        json_object_set_string_member(plan, "socket_dir", socket_dir);
    }
    json_object_set_boolean_member(plan, "paused", options->paused);
    add_paths(cycle, plan, m);
    add_tiers(cycle, plan);
    text = fsn_json_to_text(plan, true);
    return fsn_file_replace(path, text, strlen(text), 0600, error);
}

bool
fsn_pager_start(FsnCycle *cycle,
                const char *uuid,
                bool recover,
                FsnLock *lock,
                int socket_fd,
                int *out_status_fd,
                GError **error)
{
    g_autofree char *program = fsn_cycle_helper_path("foresnap-pager");
    g_autofree char *plan = fsn_pager_plan_path(fsn_cycle_state_dir(cycle), uuid);
    const char *argv[] = { program,     "--plan", plan,        "--status-fd", "3",
                           "--keep-fd", "4",      "--keep-fd", "5",           NULL,
                           NULL,        NULL,     NULL };
    size_t n_args = 9;
    unsigned n_fds = 3;
    int status[2];
    int watched;
    int sources[4];
    int targets[4] = { 3, 4, 5, 6 };
    bool ok;

    if (recover) {
        argv[n_args++] = "--recover";
    }
    if (socket_fd >= 0) {
        argv[n_args++] = "--fd";
        argv[n_args++] = "6";
        sources[n_fds++] = socket_fd;
    }
    if (!fsn_guard_attend(cycle, uuid, &watched, error)) {
        return false;
    }
    if (!g_unix_open_pipe(status, FD_CLOEXEC, error)) {
        close(watched);
        return false;
    }
    sources[0] = status[1];
    sources[1] = fsn_lock_fd(lock);
    sources[2] = watched;
    ok = g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                                          -1, -1, -1, sources, targets, n_fds, NULL, NULL,
                                          NULL, NULL, error);
    close(status[1]);
    close(watched);
    if (!ok) {
        close(status[0]);
        return false;
    }
    *out_status_fd = status[0];
    return true;
}

bool
fsn_pager_continue(FsnCycle *cycle,
                   FsnJournal *journal,
                   bool automatic,
                   FsnLock *lock,
                   int socket_fd,
                   GError **error)
{
    int fd;

    if (automatic && journal->attempts >= MAX_ATTEMPTS) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_FAILED,
            "loading the memory of domain '%s' broke off %d times; the guest waits. "
            "See the pager's log, then run 'foresnap resume %s' to go on",
            journal->domain, (int)journal->attempts, journal->domain);
        return false;
    }
    journal->attempts = automatic ? journal->attempts + 1 : 0;
    if (!fsn_journal_write(journal, fsn_cycle_state_dir(cycle), journal->step, error) ||
        !fsn_pager_start(cycle, journal->uuid, true, lock, socket_fd, &fd, error)) {
        return false;
    }
    close(fd);
    return true;
}

void
fsn_pager_remove_files(const char *state_dir, FsnVirt *virt, const char *uuid)
{
    g_autofree char *plan = fsn_pager_plan_path(state_dir, uuid);
    g_autofree char *status = fsn_pager_status_path(state_dir, uuid);
    g_autofree char *not_run = fsn_pager_not_run_path(state_dir, uuid);

    (void)unlink(plan);    /* gone already, or harmless */
    (void)unlink(status);  /* likewise */
    (void)unlink(not_run); /* likewise: without the mark it says nothing */
    fsn_socket_dir_remove(virt, uuid);
}
