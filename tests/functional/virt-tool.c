/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/virt on a real libvirt, one step per run, for the tests beside this file.
 *
 *   virt-tool save NAME FOLDER          pause, save through the monitor, end the domain;
 *                                       writes domain.xml, cpu.xml, stream
 *   virt-tool load FOLDER SOCKET [OPTION]…
 *       --paused      leave the guest paused       --postcopy    RAM after the start
 *       --cancel      prepare, then give up        --recover     continue a postcopy
 *       --stay        print "prepared" and wait for a signal
 *       --finish-when FILE   call finish only when FILE exists (at most 30 s)
 *       --sender CMD  a shell command that sends the stream to SOCKET; by default the file
 *                     FOLDER/stream is sent as it is
 *   virt-tool watch NAME SECONDS        print the events of a domain
 *   virt-tool disks NAME                print whether a backup job is open, and disk errors
 *   virt-tool freeze NAME SECONDS       freeze and thaw through the agent
 *   virt-tool check                      what is available
 *
 * Exit: 0 done, 1 an error of foresnap's (printed), 2 usage.
 */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "domxml/domain-facts.h"
#include "virt/agent.h"
#include "virt/disk-state.h"
#include "virt/domain.h"
#include "virt/events.h"
#include "virt/migrate-in.h"
#include "virt/qmp-transport.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define QMP_TIMEOUT_US (30 * G_USEC_PER_SEC)

static bool
qmp(FsnQmpTransport *transport,
    const char *command,
    const int *fds,
    size_t n,
    GError **error)
{
    g_autofree char *reply = NULL;

    if (!transport->ops->execute(transport, command, fds, n, QMP_TIMEOUT_US, &reply,
                                 error)) {
        return false;
    }
    if (!strstr(reply, "\"return\"")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "%s: %s", command, reply);
        return false;
    }
    return true;
}

/* All that comes from @from, until its end. */
static bool
copy_all(int from, int to, GError **error)
{
    g_autofree char *buffer = g_malloc(1 << 16);
    ssize_t n;

    while ((n = read(from, buffer, 1 << 16)) > 0) {
        if (!fsn_write_all(to, buffer, (size_t)n, "stream", error)) {
            return false;
        }
    }
    return n == 0 || fsn_set_errno(error, errno, "cannot read the stream");
}

/* The migration goes to one end of a socket pair that QEMU gets by way of libvirt. */
static bool
save_stream(FsnVirtDomain *domain, const char *path, GError **error)
{
    g_autoptr(FsnQmpTransport) transport = fsn_virt_qmp_transport(domain);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int pair[2];
    bool ok;

    if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return fsn_set_errno(error, errno, "cannot create '%s'", path);
    }
    ok = qmp(transport, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"fsn\"}}",
             &pair[1], 1, error);
    (void)close(pair[1]); /* QEMU has its own */
    ok = ok &&
         qmp(transport, "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:fsn\"}}",
             NULL, 0, error) &&
         copy_all(pair[0], file, error);
    (void)close(pair[0]); /* only read from */
    if (close(file) < 0 && ok) {
        ok = fsn_set_errno(error, errno, "cannot write '%s'", path);
    }
    return ok;
}

static bool
save(FsnVirt *virt, const char *name, const char *folder, GError **error)
{
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autofree char *xml = NULL;
    g_autofree char *cpu = NULL;
    g_autofree char *xml_path = g_build_filename(folder, "domain.xml", NULL);
    g_autofree char *cpu_path = g_build_filename(folder, "cpu.xml", NULL);
    g_autofree char *stream_path = g_build_filename(folder, "stream", NULL);

    return fsn_virt_lookup(virt, name, &domain, error) &&
           fsn_virt_domain_xml(domain, FSN_VIRT_XML_MIGRATABLE, &xml, error) &&
           fsn_virt_domain_live_cpu(domain, &cpu, error) &&
           g_file_set_contents(xml_path, xml, -1, error) &&
           (!cpu || g_file_set_contents(cpu_path, cpu, -1, error)) &&
           fsn_virt_domain_suspend(domain, error) &&
           fsn_virt_domain_wait_state(domain, FSN_VIRT_PAUSED, QMP_TIMEOUT_US, error) &&
           save_stream(domain, stream_path, error) &&
           fsn_virt_domain_destroy(domain, false, error) &&
           fsn_virt_domain_wait_state(domain, FSN_VIRT_OFF, QMP_TIMEOUT_US, error);
}

typedef struct {
    FsnMigrateIn in;
    const char *folder;
    char *sender;
    char *finish_when;
    gboolean postcopy, paused, recover, cancel, stay;
} Load;

static bool
send_file(const char *path, const char *socket_path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    bool ok;

    g_strlcpy(address.sun_path, socket_path, sizeof(address.sun_path));
    if (to < 0 || from < 0 ||
        connect(to, (struct sockaddr *)&address, sizeof(address)) < 0) {
        return fsn_set_errno(error, errno, "cannot send '%s' to '%s'", path, socket_path);
    }
    ok = copy_all(from, to, error);
    (void)close(from); /* only read from */
    (void)close(to);   /* the loader tells whether all arrived */
    return ok;
}

static gpointer
send_stream(gpointer data)
{
    const Load *load = data;
    g_autofree char *path = g_build_filename(load->folder, "stream", NULL);
    g_autoptr(GError) error = NULL;
    bool ok = load->sender
                  ? g_spawn_command_line_sync(load->sender, NULL, NULL, NULL, &error)
                  : send_file(path, load->in.socket_path, &error);

    if (!ok) {
        g_printerr("virt-tool: %s\n", error->message);
    }
    return NULL;
}

static bool
run_load(FsnVirt *virt, Load *load, GError **error)
{
    g_autoptr(GThread) thread = NULL;

    if (!fsn_migrate_in_prepare(virt, &load->in, error)) {
        return false;
    }
    g_print("prepared\n");
    if (load->stay) {
        pause();
    }
    if (!load->cancel) {
        thread = g_thread_new("sender", send_stream, load);
    }
    for (int i = 0; load->finish_when && i < 3000; i++) {
        if (g_file_test(load->finish_when, G_FILE_TEST_EXISTS)) {
            break;
        }
        g_usleep(10000);
    }
    return fsn_migrate_in_finish(virt, &load->in, load->cancel, error);
}

static bool
load_domain(FsnVirt *virt, int argc, char **argv, GError **error)
{
    Load load = { 0 };
    GOptionEntry entries[] = {
        { "postcopy", 0, 0, G_OPTION_ARG_NONE, &load.postcopy, NULL, NULL },
        { "paused", 0, 0, G_OPTION_ARG_NONE, &load.paused, NULL, NULL },
        { "recover", 0, 0, G_OPTION_ARG_NONE, &load.recover, NULL, NULL },
        { "cancel", 0, 0, G_OPTION_ARG_NONE, &load.cancel, NULL, NULL },
        { "stay", 0, 0, G_OPTION_ARG_NONE, &load.stay, NULL, NULL },
        { "sender", 0, 0, G_OPTION_ARG_STRING, &load.sender, NULL, NULL },
        { "finish-when", 0, 0, G_OPTION_ARG_STRING, &load.finish_when, NULL, NULL },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) options = g_option_context_new(NULL);
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autofree char *xml_path = g_build_filename(argv[0], "domain.xml", NULL);
    g_autofree char *cpu_path = g_build_filename(argv[0], "cpu.xml", NULL);
    g_autofree char *xml = NULL;
    g_autofree char *cpu = NULL;
    bool ok;

    load.folder = argv[0];
    load.in.socket_path = argv[1];
    argc--;
    argv++;
    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, error) ||
        !g_file_get_contents(xml_path, &xml, NULL, error) ||
        !fsn_domain_facts_parse(xml, &facts, error)) {
        return false;
    }
    (void)g_file_get_contents(cpu_path, &cpu, NULL, NULL); /* not every domain has one */
    load.in.xml = xml;
    load.in.cpu_xml = cpu;
    load.in.name = facts->name;
    load.in.uuid = facts->uuid;
    load.in.postcopy = load.postcopy;
    load.in.paused = load.paused;
    load.in.resume = load.recover;
    ok = run_load(virt, &load, error);
    g_free(load.sender);
    g_free(load.finish_when);
    return ok;
}

static bool
watch(FsnVirt *virt, const char *name, const char *seconds, GError **error)
{
    static const char *const kinds[] = { "other",    "started", "suspended", "resumed",
                                         "shutdown", "stopped", "crashed",   "rebooted" };
    int64_t end_us = g_get_monotonic_time() + atoi(seconds) * G_USEC_PER_SEC;
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(FsnVirtEvents) events = NULL;
    FsnVirtEvent event;

    if (!fsn_virt_lookup(virt, name, &domain, error) ||
        !fsn_virt_events_new(domain, &events, error)) {
        return false;
    }
    g_print("watching\n");
    while (fsn_virt_events_wait(events, end_us - g_get_monotonic_time(), &event, NULL)) {
        g_print("%s %d\n", kinds[event.kind], event.detail);
    }
    return true;
}

static bool
disks(FsnVirt *virt, const char *name, GError **error)
{
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autofree char *errors = NULL;
    bool backup;

    if (!fsn_virt_lookup(virt, name, &domain, error) ||
        !fsn_virt_domain_backup_job(domain, &backup, error) ||
        !fsn_virt_domain_disk_errors(domain, &errors, error)) {
        return false;
    }
    g_print("backup=%d errors=%s\n", backup, errors ? errors : "none");
    return true;
}

static bool
freeze(FsnVirt *virt, const char *name, const char *seconds, GError **error)
{
    g_autoptr(FsnVirtDomain) domain = NULL;
    int frozen, thawed;

    if (!fsn_virt_lookup(virt, name, &domain, error) ||
        !fsn_virt_agent_freeze(domain, atoi(seconds), &frozen, error) ||
        !fsn_virt_agent_thaw(domain, atoi(seconds), &thawed, error)) {
        return false;
    }
    g_print("frozen=%d thawed=%d\n", frozen, thawed);
    return true;
}

static bool
check(FsnVirt *virt, GError **error)
{
    g_autofree char *uuid = NULL;
    FsnVirtVersions versions;

    if (!fsn_migrate_in_available(virt, error) ||
        !fsn_virt_versions(virt, &versions, error) ||
        !fsn_virt_host_uuid(virt, &uuid, error)) {
        return false;
    }
    g_print("uri=%s daemon=%lu qemu=%lu host=%s recover=%d\n", fsn_virt_uri(virt),
            versions.daemon, versions.hypervisor, uuid,
            fsn_migrate_in_recover_is_safe(virt, NULL));
    return true;
}

int
main(int argc, char **argv)
{
    g_autoptr(FsnVirt) virt = NULL;
    g_autoptr(GError) error = NULL;
    bool ok = fsn_virt_open(NULL, &virt, &error);

    setlinebuf(stdout);
    if (argc == 2 && g_str_equal(argv[1], "check")) {
        ok = ok && check(virt, &error);
    } else if (argc == 4 && g_str_equal(argv[1], "save")) {
        ok = ok && save(virt, argv[2], argv[3], &error);
    } else if (argc >= 4 && g_str_equal(argv[1], "load")) {
        ok = ok && load_domain(virt, argc - 2, argv + 2, &error);
    } else if (argc == 4 && g_str_equal(argv[1], "watch")) {
        ok = ok && watch(virt, argv[2], argv[3], &error);
    } else if (argc == 3 && g_str_equal(argv[1], "disks")) {
        ok = ok && disks(virt, argv[2], &error);
    } else if (argc == 4 && g_str_equal(argv[1], "freeze")) {
        ok = ok && freeze(virt, argv[2], argv[3], &error);
    } else {
        g_printerr("usage: see the head of virt-tool.c\n");
        return 2;
    }
    if (!ok) {
        g_printerr("virt-tool: %s\n", error->message);
        return 1;
    }
    g_print("done\n");
    return 0;
}
