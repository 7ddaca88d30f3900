/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting and ending the server of managed saves, and which domains are saved through it. */
#include "config.h"

#include "cycle/savefs-control.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/saved-place.h"
#include "cycle/stub.h"
#include "virt/domain.h"
#include "virt/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define READY_FD       3
#define START_LIMIT_MS 30000
#define STOP_LIMIT_US  (70 * (int64_t)G_USEC_PER_SEC)
#define SERVE_LIMIT_US (10 * (int64_t)G_USEC_PER_SEC)
#define GAP_US         20000

/* The lock's holder has written its pid. */
int
fsn_savefs_running(const char *state_dir)
{
    g_autofree char *path = g_build_filename(state_dir, "savefs.lock", NULL);
    char text[16] = "";
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int pid = 0;

    if (fd < 0) {
        return 0;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        pid = read(fd, text, sizeof text - 1) > 0 ? atoi(text) : 0;
    }
    close(fd);
    return pid;
}

static bool
check_possible(FsnVirt *virt, GError **error)
{
    if (fsn_virt_is_session(virt) || geteuid() != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "only root can serve managed saves, to the libvirt of the system");
        return false;
    }
    return true;
}

static bool
wait_ready(int fd, const char *state_dir, GError **error)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    char byte;
    bool ok = poll(&ready, 1, START_LIMIT_MS) > 0 && read(fd, &byte, 1) == 1;

    if (!ok) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "the server of managed saves did not start; see '%s/savefs.log'",
                    state_dir);
    }
    return ok;
}

static void
in_session_of_its_own(gpointer unused G_GNUC_UNUSED)
{
    (void)setsid();
}

static bool
spawn(FsnCycle *cycle, const char *folder, int log, int ready, GError **error)
{
    g_autofree char *program = fsn_cycle_helper_path("foresnap-savefs");
    g_autofree char *ready_text = g_strdup_printf("%d", READY_FD);
    const char *uri = fsn_cycle_uri(cycle);
    const char *argv[] = { program,
                           uri ? uri : "",
                           fsn_cycle_repo_location(cycle),
                           fsn_cycle_state_dir(cycle),
                           folder,
                           ready_text,
                           NULL };
    const int target = READY_FD;

    return g_spawn_async_with_pipes_and_fds(
        "/", argv, NULL, G_SPAWN_DEFAULT, in_session_of_its_own, NULL, -1, log, log,
        &ready, &target, 1, NULL, NULL, NULL, NULL, error);
}

bool
fsn_savefs_start(FsnCycle *cycle, bool *out_started, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autofree char *folder = virt ? fsn_virt_folder(virt, FSN_VIRT_FOLDER_SAVE) : NULL;
    g_autofree char *path = g_build_filename(state_dir, "savefs.log", NULL);
    int ready[2];
    int log;
    bool ok;

    if (!virt || !check_possible(virt, error)) {
        return false;
    }
    if (fsn_savefs_running(state_dir) != 0) {
        *out_started = false;
        return true;
    }
    log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", path);
    }
    if (!g_unix_open_pipe(ready, FD_CLOEXEC, error)) {
        close(log);
        return false;
    }
    ok = spawn(cycle, folder, log, ready[1], error);
    close(log);
    close(ready[1]);
    ok = ok && wait_ready(ready[0], state_dir, error);
    close(ready[0]);
    *out_started = ok;
    return ok;
}

bool
fsn_savefs_stop(FsnCycle *cycle, bool *out_stopped, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    int64_t deadline_us = fsn_monotonic_us() + STOP_LIMIT_US;
    int pid = fsn_savefs_running(state_dir);

    *out_stopped = pid > 0;
    if (pid > 0 && kill(pid, SIGTERM) != 0 && errno != ESRCH) {
        return fsn_set_errno(error, errno, "cannot end the server of managed saves");
    }
    while (fsn_savefs_running(state_dir) != 0) {
        if (fsn_monotonic_us() > deadline_us) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "the server of managed saves does not end");
            return false;
        }
        g_usleep(GAP_US); /* it is no child of ours */
    }
    return true;
}

void
fsn_savefs_await(const char *state_dir, const char *name)
{
    int64_t deadline_us = fsn_monotonic_us() + SERVE_LIMIT_US;
    g_autoptr(FsnSavedRecord) record = fsn_saved_read(state_dir, name);

    while (record && fsn_savefs_running(state_dir) != 0 &&
           !fsn_saved_is_served(state_dir, name) && fsn_monotonic_us() < deadline_us) {
        g_usleep(GAP_US); /* it is no child of ours */
    }
}

/* A domain that was renamed is saved under its new name only. */
static bool
forget_old_names(const char *state_dir,
                 const char *folder,
                 const char *name,
                 const char *uuid,
                 GError **error)
{
    g_autoptr(GPtrArray) through = fsn_saved_list_through(state_dir);

    for (guint i = 0; i < through->len; i++) {
        const FsnSavedRecord *r = through->pdata[i];

        if (g_str_equal(r->uuid, uuid) && !g_str_equal(r->name, name) &&
            fsn_saved_look(state_dir, folder, r->name) != FSN_LINK_GUARD &&
            (!fsn_saved_unlink(state_dir, folder, r->name, error) ||
             !fsn_saved_unset_through(state_dir, r->name, error))) {
            return false;
        }
    }
    return true;
}

/* A domain that is suspended already starts from there too. What else is in the place of the
 * link is an image that the server waits for to go. */
static bool
link_up(FsnCycle *cycle, FsnVirtDomain *domain, const char *folder, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    const char *name = fsn_virt_domain_name(domain);
    g_autofree char *xml = NULL;
    g_autoptr(FsnSavedRecord) record = NULL;

    if (fsn_saved_look(state_dir, folder, name) == FSN_LINK_FOREIGN) {
        return fsn_virt_domain_xml(domain, FSN_VIRT_XML_INACTIVE, &xml, error) &&
               fsn_stub_serve(cycle, name, fsn_virt_domain_uuid(domain), xml, error);
    }
    record = fsn_saved_read(state_dir, name);
    return fsn_saved_link(state_dir, folder, name,
                          record ? FSN_LINK_GUARD : FSN_LINK_ENTRY, false, error);
}

bool
fsn_savefs_enable(FsnCycle *cycle, const char *domain, char **out_name, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autoptr(FsnVirtDomain) found = NULL;
    g_autofree char *folder = NULL;
    const char *name;
    const char *uuid;

    if (!virt || !check_possible(virt, error) ||
        !fsn_virt_lookup(virt, domain, &found, error)) {
        return false;
    }
    folder = fsn_virt_folder(virt, FSN_VIRT_FOLDER_SAVE);
    name = fsn_virt_domain_name(found);
    uuid = fsn_virt_domain_uuid(found);
    if (!fsn_stub_check_place(cycle, name, error) ||
        !forget_old_names(state_dir, folder, name, uuid, error) ||
        !fsn_saved_set_through(state_dir, name, uuid, fsn_cycle_repo_location(cycle),
                               error) ||
        !fsn_saved_unset_own(state_dir, name, error) ||
        !link_up(cycle, found, folder, error)) {
        return false;
    }
    fsn_savefs_await(state_dir, name);
    *out_name = g_strdup(name);
    return true;
}

bool
fsn_savefs_is_new(const char *state_dir, FsnVirtDomain *domain)
{
    const char *name = fsn_virt_domain_name(domain);
    const char *uuid = fsn_virt_domain_uuid(domain);

    return !fsn_saved_is_through(state_dir, name, uuid, NULL) &&
           !fsn_saved_is_own(state_dir, name, uuid);
}

/* One that libvirt does not know any more is meant by the name it had. */
bool
fsn_savefs_disable(FsnCycle *cycle, const char *domain, char **out_name, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autoptr(FsnVirtDomain) found = NULL;
    g_autoptr(GError) unknown = NULL;
    g_autofree char *folder = NULL;
    const char *name = domain;

    if (!virt) {
        return false;
    }
    if (fsn_virt_lookup(virt, domain, &found, &unknown)) {
        name = fsn_virt_domain_name(found);
    } else if (strchr(domain, '/')) {
        g_propagate_error(error, g_steal_pointer(&unknown));
        return false;
    }
    folder = fsn_virt_folder(virt, FSN_VIRT_FOLDER_SAVE);
    if ((found &&
         !fsn_saved_set_own(state_dir, name, fsn_virt_domain_uuid(found), error)) ||
        !fsn_saved_unset_through(state_dir, name, error) ||
        (fsn_saved_look(state_dir, folder, name) == FSN_LINK_ENTRY &&
         !fsn_saved_unlink(state_dir, folder, name, error))) {
        return false;
    }
    *out_name = g_strdup(name);
    return true;
}

static const char *
state_text(const FsnSavedRecord *saved, FsnSavedLink link)
{
    if (saved) {
        return link == FSN_LINK_GUARD ? "saved" : "detached";
    }
    return link == FSN_LINK_ENTRY ? "ready" : "unlinked";
}

static JsonObject *
describe(const FsnSavedRecord *any,
         const FsnSavedRecord *saved,
         bool enabled,
         FsnSavedLink link)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "domain", any->name);
    json_object_set_string_member(o, "uuid", any->uuid);
    json_object_set_boolean_member(o, "enabled", enabled);
    json_object_set_string_member(o, "state", state_text(saved, link));
    if (saved) {
        json_object_set_string_member(o, "snapshot", saved->snapshot);
    } else {
        json_object_set_null_member(o, "snapshot");
    }
    return o;
}

bool
fsn_savefs_status(FsnCycle *cycle, JsonArray **out_domains, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autofree char *folder = virt ? fsn_virt_folder(virt, FSN_VIRT_FOLDER_SAVE) : NULL;
    g_autoptr(GPtrArray) through = fsn_saved_list_through(state_dir);
    g_autoptr(GPtrArray) saved = fsn_saved_list(state_dir);
    g_autoptr(GHashTable) enabled = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(JsonArray) array = json_array_new();

    if (!virt) {
        return false;
    }
    for (guint i = 0; i < through->len; i++) {
        const FsnSavedRecord *r = through->pdata[i];
        g_autoptr(FsnSavedRecord) state = fsn_saved_read(state_dir, r->name);

        (void)g_hash_table_add(enabled, r->name);
        json_array_add_object_element(
            array, describe(r, state, true, fsn_saved_look(state_dir, folder, r->name)));
    }
    for (guint i = 0; i < saved->len; i++) {
        const FsnSavedRecord *r = saved->pdata[i];

        if (!g_hash_table_contains(enabled, r->name)) {
            json_array_add_object_element(
                array, describe(r, r, false, fsn_saved_look(state_dir, folder, r->name)));
        }
    }
    *out_domains = g_steal_pointer(&array);
    return true;
}
