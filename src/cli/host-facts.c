/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The look at the host that check-host reports on. It changes nothing and judges nothing:
 * what a finding means is decided in host-report.c.
 */
#include "config.h"

#include "cli/host-facts.h"

#include "cli/host-hook.h"
#include "cli/host-libvirt.h"
#include "cli/host-qemu.h"
#include "cli/host-repo.h"
#include "cli/host-uffd.h"
#include "cycle/context.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The value in bytes of line "@name   123 kB". */
static uint64_t
meminfo_value(const char *text, const char *name)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (g_str_has_prefix(line, name) && line[strlen(name)] == ':') {
            return g_ascii_strtoull(line + strlen(name) + 1, NULL, 10) * 1024;
        }
    }
    return 0;
}

void
fsn_host_parse_meminfo(const char *text, uint64_t *out_total, uint64_t *out_available)
{
    *out_total = meminfo_value(text, "MemTotal");
    *out_available = meminfo_value(text, "MemAvailable");
}

static void
collect_memory(FsnHostFacts *facts)
{
    g_autofree char *text = NULL;

    /* A file of /proc has no size beforehand: GLib reads until its end. */
    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL)) {
        fsn_host_parse_meminfo(text, &facts->memory_total, &facts->memory_available);
    }
}

static int
kvm_error(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    close(fd);
    return 0;
}

FsnHostFacts *
fsn_host_facts_collect(FsnCliContext *context)
{
    FsnHostFacts *facts = g_new0(FsnHostFacts, 1);
    g_autofree char *state_dir = fsn_cycle_default_state_dir();

    /* First, while this process has no other thread: it forks. */
    fsn_host_uffd_probe(context->uri, &facts->uffd);
    fsn_host_qemu_probe(&facts->qemu);
    fsn_host_libvirt_probe(context->uri, &facts->libvirt);
    fsn_host_hook_probe(facts->libvirt.uri, state_dir, &facts->hook);
    fsn_host_repo_probe(context->repo_location, &facts->repo);
    facts->kvm_error = kvm_error();
    collect_memory(facts);
    return facts;
}

void
fsn_host_facts_free(FsnHostFacts *facts)
{
    if (!facts) {
        return;
    }
    fsn_host_libvirt_clear(&facts->libvirt);
    fsn_host_qemu_clear(&facts->qemu);
    fsn_host_hook_clear(&facts->hook);
    fsn_host_repo_clear(&facts->repo);
    g_free(facts->uffd.user);
    g_free(facts);
}
