/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has become of a save or restore is known to libvirt, which the server must never wait
 * for: it may be waiting for the server. So another process asks, and recovery decides.
 */
#include "config.h"

#include "base/clock.h"
#include "cycle/journal.h"
#include "cycle/recover.h"
#include "savefs/savefs.h"
#include "virt/domain.h"

#include <unistd.h>

#define LOCK_FD   3
#define LIMIT_US  (10 * 60 * (int64_t)G_USEC_PER_SEC)
#define QUICK_US  (3 * (int64_t)G_USEC_PER_SEC)
#define QUICK_GAP ((gulong)G_USEC_PER_SEC / 20)
#define SLOW_GAP  ((gulong)G_USEC_PER_SEC)

void
fsn_savefs_settle_spawn(const FsnSavefsConfig *config, const char *uuid, int lock_fd)
{
    g_autofree char *program = fsn_cycle_helper_path("foresnap-savefs");
    g_autoptr(GError) error = NULL;
    const char *argv[] = { program,
                           "--settle",
                           uuid,
                           config->uri ? config->uri : "",
                           config->repo,
                           config->state_dir,
                           config->save_folder,
                           NULL };
    const int target = LOCK_FD;

    if (!g_spawn_async_with_pipes_and_fds(
            "/", argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, -1, -1, -1, &lock_fd, &target,
            lock_fd >= 0 ? 1 : 0, NULL, NULL, NULL, NULL, &error)) {
        g_message("domain %s: %s", uuid, error->message);
    }
}

/* Whether libvirt still works on it. An error counts as yes: libvirtd may be back soon. */
static bool
has_job(const FsnSavefsConfig *config, const char *uuid)
{
    g_autoptr(FsnVirt) virt = NULL;
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(GError) error = NULL;
    FsnVirtStatus status;
    bool active = true;

    if (!fsn_virt_open(config->uri, &virt, &error) ||
        !fsn_virt_lookup(virt, uuid, &domain, &error) ||
        !fsn_virt_domain_status(domain, &status, &error)) {
        return true;
    }
    return status.state != FSN_VIRT_OFF &&
           (!fsn_virt_domain_has_job(domain, &active, &error) || active);
}

static bool
settled(const FsnSavefsConfig *config, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnCycle) cycle =
        fsn_cycle_new(config->uri, config->repo, config->state_dir, &error);

    if (!cycle || !fsn_cycle_recover_domain(cycle, uuid, 1000, NULL, &error)) {
        return false;
    }
    return !fsn_journal_exists(config->state_dir, uuid);
}

int
fsn_savefs_settle(const FsnSavefsConfig *config, const char *uuid)
{
    int64_t start_us = fsn_monotonic_us();
    bool locked = true;

    for (;;) {
        int64_t passed_us = fsn_monotonic_us() - start_us;

        /* Until libvirt has ended its job nobody else may have the domain. */
        if (locked && !has_job(config, uuid)) {
            close(LOCK_FD);
            locked = false;
        }
        if (!locked && settled(config, uuid)) {
            return 0;
        }
        if (passed_us > LIMIT_US) {
            g_message("domain %s is left to 'foresnap recover'", uuid);
            return 1;
        }
        g_usleep(passed_us < QUICK_US ? QUICK_GAP : SLOW_GAP);
    }
}
