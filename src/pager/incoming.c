/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thin layer over virt/migrate-in.h: one socket in the plan's folder for each try, one
 * thread for the call that blocks. It decides nothing about the guest's memory.
 */
#include "config.h"

#include "pager/incoming.h"

#include "base/error.h"
#include "base/faults.h"
#include "base/id.h"
#include "memory/not-run.h"
#include "memory/pager-session.h"
#include "virt/domain.h"
#include "virt/last-words.h"
#include "virt/migrate-in.h"

#include <string.h>
#include <unistd.h>

#define CONNECT_US      10000000
#define MAX_SOCKET_PATH 96 /* of 107, without "/" and ".monitor" */

struct FsnIncoming {
    FsnVirt *virt;
    FsnVirt
        *watcher; /* a second connection: while one call of libvirt 9.0's client blocks,
                       * another on the same connection may wait as long */
    FsnVirtDomain *domain; /* for its state; NULL until prepared */
    FsnMigrateIn in;
    char *folder;
    char *path; /* of the latest try */
    GThread *thread;
    char *not_run;        /* path of the note; NULL: none */
    const char *snapshot; /* that the note is about */
    int let_run;          /* atomic: libvirt may have been asked */
    int returned;         /* atomic */
    bool ok;              /* valid once returned */
    GError *error;
};

/* The last that happens before the guest may run. */
static bool
take_note_back(gpointer user, GError **error)
{
    FsnIncoming *in = user;

    if (in->not_run && !fsn_not_run_remove(in->not_run, error)) {
        return false;
    }
    g_atomic_int_set(&in->let_run, 1);
    fsn_fault_kill_at("let-run");
    return true;
}

FsnIncoming *
fsn_incoming_new(const FsnPagerPlan *plan, GError **error)
{
    g_autoptr(FsnIncoming) in = g_new0(FsnIncoming, 1);

    if (!fsn_virt_open(plan->uri, &in->virt, error) ||
        !fsn_virt_open(plan->uri, &in->watcher, error) ||
        !fsn_migrate_in_available(in->virt, error)) {
        return NULL;
    }
    in->in = (FsnMigrateIn){
        .xml = plan->domain_xml,
        .name = plan->domain_name,
        .uuid = plan->domain_uuid,
        .cpu_xml = plan->cpu_xml,
        .postcopy = plan->mode != FSN_MODE_EAGER,
        /* An eager load may still fail at its very end: the guest is continued by us, once
         * libvirt has called it whole. */
        .paused = plan->paused || plan->mode == FSN_MODE_EAGER,
    };
    in->in.let_run = take_note_back;
    in->in.user = in;
    in->folder = g_strdup(plan->socket_dir);
    in->not_run = g_strdup(plan->not_run_file);
    in->snapshot = plan->snapshot;
    return g_steal_pointer(&in);
}

void
fsn_incoming_free(FsnIncoming *in)
{
    if (!in) {
        return;
    }
    if (in->thread) {
        g_thread_join(in->thread);
    }
    g_clear_error(&in->error);
    fsn_virt_domain_free(in->domain);
    fsn_virt_free(in->watcher);
    fsn_virt_free(in->virt);
    g_free(in->folder);
    g_free(in->path);
    g_free(in->not_run);
    g_free(in);
}

/* libvirt's AppArmor profile lets QEMU make NAME.monitor below libvirt's folder, and nothing
 * else; a domain whose name does not fit into a socket path gets another one. */
static char *
socket_path(const FsnIncoming *in)
{
    const char *allowed = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-+@";
    FsnId id = fsn_id_new();
    g_autofree char *random = fsn_id_to_string(&id);

    if (strspn(in->in.name, allowed) == strlen(in->in.name) &&
        strlen(in->folder) + strlen(in->in.name) < MAX_SOCKET_PATH) {
        return g_strdup_printf("%s/%s.monitor", in->folder, in->in.name);
    }
    return g_strdup_printf("%s/%.12s.monitor", in->folder, random);
}

void
fsn_incoming_note_not_run(FsnIncoming *in)
{
    g_autoptr(GError) error = NULL;

    if (in->not_run && !fsn_not_run_write(in->not_run, in->snapshot, &error)) {
        g_printerr("foresnap-pager: %s\n", error->message);
    }
}

bool
fsn_incoming_prepare(FsnIncoming *in, bool recover, int *out_fd, GError **error)
{
    bool ok;

    g_free(in->path);
    in->path = socket_path(in);
    (void)unlink(in->path); /* of an earlier try */
    in->in.resume = recover;
    in->in.socket_path = in->path;
    ok = fsn_migrate_in_prepare(in->virt, &in->in, error);
    if (ok && !fsn_pager_connect(in->path, CONNECT_US, out_fd, error)) {
        if (!recover) {
            fsn_incoming_cancel(in);
        }
        ok = false;
    }
    (void)unlink(in->path); /* nobody else shall find it; QEMU may have done so */
    if (ok && !in->domain &&
        !fsn_virt_lookup(in->watcher, in->in.uuid, &in->domain, NULL)) {
        in->domain = NULL; /* only its state cannot be told then */
    }
    return ok;
}

void
fsn_incoming_cancel(FsnIncoming *in)
{
    g_autoptr(GError) error = NULL;

    if (!fsn_migrate_in_finish(in->virt, &in->in, true, &error)) {
        g_printerr("foresnap-pager: ending the domain: %s\n", error->message);
    }
}

static gpointer
finish_thread(gpointer data)
{
    FsnIncoming *in = data;

    in->ok = fsn_migrate_in_finish(in->virt, &in->in, false, &in->error);
    g_atomic_int_set(&in->returned, 1);
    return NULL;
}

void
fsn_incoming_finish(FsnIncoming *in)
{
    g_assert(!in->thread);
    g_clear_error(&in->error);
    in->returned = 0;
    in->thread = g_thread_new("fsn-finish", finish_thread, in);
}

bool
fsn_incoming_continue(FsnIncoming *in, GError **error)
{
    if (!in->domain) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "the domain cannot be found");
        return false;
    }
    return fsn_virt_domain_resume(in->domain, error);
}

bool
fsn_incoming_is_finished(FsnIncoming *in, bool wait, bool *out_ok, GError **error)
{
    if (!in->thread || (!wait && !g_atomic_int_get(&in->returned))) {
        return false;
    }
    g_thread_join(g_steal_pointer(&in->thread));
    *out_ok = in->ok;
    if (in->error) {
        g_propagate_error(error, g_steal_pointer(&in->error));
    }
    return true;
}

bool
fsn_incoming_is_running(FsnIncoming *in)
{
    FsnVirtStatus status;

    return in->domain && fsn_virt_domain_status(in->domain, &status, NULL) &&
           status.state == FSN_VIRT_RUNNING;
}

bool
fsn_incoming_was_let_run(FsnIncoming *in)
{
    return g_atomic_int_get(&in->let_run) != 0;
}

char *
fsn_incoming_last_words(FsnIncoming *in, int64_t since_us)
{
    return fsn_virt_last_words(in->virt, in->in.name, since_us);
}

bool
fsn_incoming_may_recover(FsnIncoming *in, GError **why_not)
{
    return fsn_migrate_in_recover_is_safe(in->virt, why_not);
}
