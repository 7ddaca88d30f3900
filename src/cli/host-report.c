/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the facts about a host mean for foresnap, and what mends what is missing. Pure: the
 * same facts give the same report.
 */
#include "config.h"

#include "cli/host-report.h"

#include "cli/units.h"

#include <errno.h>

/* Older ones lose dirty pages of emulated guests in live migration. */
#define EMULATION_SAFE_MAJOR 9
/* Less than this and the processes of foresnap themselves are in want of memory. */
#define MEMORY_LOW           (512 * UINT64_C(1048576))
/* Less than this does not hold the memory of a small guest. */
#define SPACE_LOW            (1024 * UINT64_C(1048576))

static void
item_free(gpointer data)
{
    FsnHostItem *item = data;

    g_free(item->message);
    g_free(item->remedy);
    g_free(item);
}

/* Takes @message and @remedy. */
static void
add_item(
    GPtrArray *items, const char *name, FsnHostState state, char *message, char *remedy)
{
    FsnHostItem *item = g_new0(FsnHostItem, 1);

    item->name = name;
    item->state = state;
    item->message = message;
    item->remedy = remedy;
    g_ptr_array_add(items, item);
}

static void
report_libvirt(GPtrArray *items, const FsnHostLibvirt *libvirt)
{
    if (libvirt->error) {
        add_item(
            items, "libvirt", FSN_HOST_FAIL,
            g_strdup_printf("libvirt cannot be used: %s", libvirt->error),
            g_strdup("install and start it (on Debian the package "
                     "libvirt-daemon-system), join group libvirt, or name another one "
                     "with --connect"));
        return;
    }
    add_item(items, "libvirt", FSN_HOST_OK,
             g_strdup_printf("libvirt %s with driver %s at %s", libvirt->version,
                             libvirt->driver, libvirt->uri),
             NULL);
    if (libvirt->no_incoming) {
        add_item(
            items, "incoming", FSN_HOST_WARN,
            g_strdup_printf("this libvirt cannot be given a guest whose memory is still "
                            "on its way: %s",
                            libvirt->no_incoming),
            g_strdup("use a libvirt whose library has the entry points of migration; "
                     "until then a resume goes through QEMU's monitor and marks the "
                     "domain as tainted"));
    } else {
        add_item(items, "incoming", FSN_HOST_OK,
                 g_strdup("libvirt takes in guests whose memory is still on its way"),
                 NULL);
    }
    if (libvirt->no_continuation) {
        add_item(
            items, "continuation", FSN_HOST_WARN,
            g_strdup_printf("a load of memory that lost its connection could not be "
                            "continued: %s",
                            libvirt->no_continuation),
            g_strdup("nothing needs to be done: two processes hold the connection, and "
                     "the one goes on for the other"));
    } else {
        add_item(items, "continuation", FSN_HOST_OK,
                 g_strdup("a load of memory that lost its connection can be continued"),
                 NULL);
    }
}

static void
report_hook(GPtrArray *items, const FsnHostHook *hook)
{
    if (hook->session) {
        add_item(
            items, "hook", FSN_HOST_OK,
            g_strdup("the libvirt of a session runs no hooks: it can be told to boot "
                     "a suspended domain all the same ('virsh start --force-boot')"),
            NULL);
    } else if (!hook->installed) {
        add_item(items, "hook", FSN_HOST_WARN,
                 g_strdup_printf("'%s' is not installed: libvirt can be told to boot a "
                                 "suspended domain all the same ('virsh start "
                                 "--force-boot')",
                                 hook->path),
                 g_strdup("foresnap hooks install"));
    } else if (hook->old) {
        add_item(items, "hook", FSN_HOST_WARN,
                 g_strdup_printf("'%s' is of another version of foresnap", hook->path),
                 g_strdup("foresnap hooks install"));
    } else {
        add_item(items, "hook", FSN_HOST_OK,
                 g_strdup_printf("'%s' keeps libvirt from booting suspended domains",
                                 hook->path),
                 NULL);
    }
}

static void
report_repo(GPtrArray *items, const FsnHostRepo *repo)
{
    g_autofree char *free_text = fsn_cli_size_text(repo->free_bytes);

    if (repo->error) {
        add_item(items, "repository", FSN_HOST_FAIL,
                 g_strdup_printf("the repository in '%s' cannot be used: %s",
                                 repo->location, repo->error),
                 g_strdup("mend that, or name another one with --repo or FORESNAP_REPO"));
    } else if (repo->free_bytes < SPACE_LOW) {
        add_item(
            items, "repository", FSN_HOST_WARN,
            g_strdup_printf("'%s' has only %s free", repo->location, free_text),
            g_strdup("make room with 'foresnap delete SNAPSHOT' and 'foresnap gc', or "
                     "name another one with --repo or FORESNAP_REPO"));
    } else {
        add_item(items, "repository", FSN_HOST_OK,
                 g_strdup_printf("'%s' %s, %s free", repo->location,
                                 repo->exists ? "can be written" : "is made on first use",
                                 free_text),
                 NULL);
    }
}

static void
report_qemu(GPtrArray *items, const FsnHostQemu *qemu)
{
    if (qemu->error) {
        add_item(items, "qemu", FSN_HOST_FAIL,
                 g_strdup_printf("QEMU cannot be asked what it can do: %s", qemu->error),
                 g_strdup(qemu->binary
                              ? "see why it does not start, with -machine none"
                              : "install QEMU: on Debian the package qemu-system-x86"));
    } else if (!qemu->migrates_to_fd) {
        add_item(items, "qemu", FSN_HOST_FAIL,
                 g_strdup_printf("QEMU %s cannot send a guest's memory", qemu->version),
                 g_strdup("use QEMU 7.2 or newer, built with migration"));
    } else if (!qemu->postcopy) {
        add_item(items, "qemu", FSN_HOST_WARN,
                 g_strdup_printf("QEMU %s has no postcopy: a resume has to read all RAM "
                                 "before the guest runs",
                                 qemu->version),
                 g_strdup("use a QEMU built for Linux with userfaultfd"));
    } else {
        add_item(
            items, "qemu", FSN_HOST_OK,
            g_strdup_printf("QEMU %s has postcopy%s", qemu->version,
                            qemu->background_snapshot ? " and background snapshots" : ""),
            NULL);
    }
}

static char *
uffd_remedy(const FsnHostUffd *uffd)
{
    g_autofree char *device = NULL;

    if (uffd->sysctl < 0) {
        return g_strdup("use a kernel built with CONFIG_USERFAULTFD");
    }
    if (uffd->device) {
        device =
            g_strdup_printf("; with QEMU 8.0 or newer, giving '%s' access to "
                            "/dev/userfaultfd (and listing it in cgroup_device_acl of "
                            "qemu.conf) is enough",
                            uffd->user);
    }
    return g_strdup_printf(
        "'foresnap check-host --fix' sets vm.unprivileged_userfaultfd to 1 until the next "
        "boot, with --persist for good. QEMU needs it to run a guest whose RAM is still being "
        "read. What it opens: every local process may then answer its own page faults, also "
        "those inside the kernel, which makes some flaws of the kernel easier to exploit%s",
        device ? device : "");
}

static void
report_uffd(GPtrArray *items, const FsnHostUffd *uffd)
{
    if (uffd->error == 0) {
        add_item(
            items, "userfaultfd", FSN_HOST_OK,
            g_strdup_printf("user '%s' may use userfaultfd: guests run while their RAM "
                            "is being read",
                            uffd->user),
            NULL);
    } else if (uffd->device_open) {
        add_item(
            items, "userfaultfd", FSN_HOST_OK,
            g_strdup_printf("user '%s' may open /dev/userfaultfd, which QEMU 8.0 and "
                            "newer use: guests run while their RAM is being read",
                            uffd->user),
            NULL);
    } else {
        add_item(
            items, "userfaultfd", FSN_HOST_WARN,
            g_strdup_printf("user '%s' may not use userfaultfd (%s): a resume has to "
                            "read all RAM before the guest runs",
                            uffd->user, g_strerror(uffd->error)),
            uffd_remedy(uffd));
    }
}

static void
report_kvm(GPtrArray *items, const FsnHostFacts *facts)
{
    int error = facts->kvm_error;
    const char *loss = "";

    if (error == 0) {
        add_item(items, "kvm", FSN_HOST_OK, g_strdup("/dev/kvm can be opened"), NULL);
        return;
    }
    if (!facts->qemu.error && facts->qemu.major < EMULATION_SAFE_MAJOR) {
        loss =
            "; emulated guests cannot be prepared: this QEMU misses some of their writes "
            "in a live migration";
    }
    add_item(
        items, "kvm", FSN_HOST_WARN,
        g_strdup_printf("/dev/kvm cannot be opened by this user (%s)%s",
                        g_strerror(error), loss),
        g_strdup(error == ENOENT
                     ? "enable virtualisation in the firmware and load kvm_intel or "
                       "kvm_amd; without it guests are emulated, slowly"
                     : "for guests of the system's libvirt this does not matter; for "
                       "your own add yourself to group kvm"));
}

static void
report_memory(GPtrArray *items, const FsnHostFacts *facts)
{
    g_autofree char *total = fsn_cli_size_text(facts->memory_total);
    g_autofree char *available = fsn_cli_size_text(facts->memory_available);

    if (facts->memory_total == 0) {
        add_item(items, "memory", FSN_HOST_WARN, g_strdup("/proc/meminfo cannot be read"),
                 g_strdup("mount /proc"));
        return;
    }
    add_item(
        items, "memory",
        facts->memory_available < MEMORY_LOW ? FSN_HOST_WARN : FSN_HOST_OK,
        g_strdup_printf("%s of %s are available", available, total),
        facts->memory_available < MEMORY_LOW
            ? g_strdup("suspend a guest, or end something else, before you resume one")
            : NULL);
}

const char *
fsn_host_state_word(FsnHostState state)
{
    switch (state) {
    case FSN_HOST_OK:
        return "ok";
    case FSN_HOST_WARN:
        return "warn";
    case FSN_HOST_FAIL:
        break;
    }
    return "fail";
}

GPtrArray *
fsn_host_report(const FsnHostFacts *facts)
{
    GPtrArray *items = g_ptr_array_new_with_free_func(item_free);

    report_libvirt(items, &facts->libvirt);
    report_hook(items, &facts->hook);
    report_qemu(items, &facts->qemu);
    report_uffd(items, &facts->uffd);
    report_kvm(items, facts);
    report_repo(items, &facts->repo);
    report_memory(items, facts);
    return items;
}

FsnHostState
fsn_host_worst(GPtrArray *items)
{
    FsnHostState worst = FSN_HOST_OK;

    for (guint i = 0; i < items->len; i++) {
        const FsnHostItem *item = items->pdata[i];

        worst = MAX(worst, item->state);
    }
    return worst;
}
