/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/virt/connection.c, domain.c, domain-control.c, events.c, migrate-in.c on libvirt's
 * test driver, which runs in this process; what only QEMU can do is refused there. */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "virt/domain.h"
#include "virt/events.h"
#include "virt/migrate-in.h"
#include "virt/qmp-transport.h"
#include "virt/watch.h"

#include <errno.h>
#include <unistd.h>

#define SECOND_US G_USEC_PER_SEC

static FsnVirt *
open_test(void)
{
    FsnVirt *virt = NULL;
    GError *error = NULL;

    g_assert_true(fsn_virt_open("test:///default", &virt, &error));
    g_assert_no_error(error);
    return virt;
}

static FsnVirtDomain *
find(FsnVirt *virt, const char *who)
{
    FsnVirtDomain *domain = NULL;
    GError *error = NULL;

    g_assert_true(fsn_virt_lookup(virt, who, &domain, &error));
    g_assert_no_error(error);
    return domain;
}

static void
test_uris(void)
{
    static const char *const local[] = { "qemu:///system", "qemu:///session",
                                         "qemu+unix:///system?socket=/run/x",
                                         "test:///default", "alias" };
    static const char *const remote[] = {
        "qemu+ssh://host/system",
        "qemu+tls://host/system",
        "qemu+tcp:///system",
        "qemu://host/system",
        "qemu+unix://host/system",
        "qemu+libssh2://h/system",
        "xen:///system",
        "lxc:///",
        "qemu:///embed?root=/x",
        "qemu+ext:///system",
        "esx://host",
        "qemu+ssh:///system",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(local); i++) {
        g_assert_true(fsn_virt_uri_check_local(local[i], NULL));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(remote); i++) {
        g_autoptr(GError) error = NULL;
        FsnVirt *virt = NULL;

        g_assert_false(fsn_virt_open(remote[i], &virt, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
        g_assert_nonnull(strstr(error->message, remote[i]));
        g_assert_null(virt);
    }
}

static void
test_default_uri(void)
{
    g_autoptr(GError) error = NULL;
    FsnVirt *virt = NULL;

    g_setenv("LIBVIRT_DEFAULT_URI", "qemu+ssh://elsewhere/system", true);
    g_assert_false(fsn_virt_open(NULL, &virt, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_setenv("LIBVIRT_DEFAULT_URI", "test:///default", true);
    g_assert_true(fsn_virt_open(NULL, &virt, NULL));
    g_assert_cmpstr(fsn_virt_uri(virt), ==, "test:///default");
    fsn_virt_free(virt);
    g_unsetenv("LIBVIRT_DEFAULT_URI");
}

static void
test_connection(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autofree char *hostname = NULL;
    g_autofree char *xml = NULL;
    FsnVirtVersions versions;

    g_assert_false(fsn_virt_is_session(virt));
    g_assert_cmpstr(fsn_virt_driver(virt), ==, "TEST");
    g_assert_true(fsn_virt_versions(virt, &versions, NULL));
    g_assert_cmpuint(versions.library, >=, 9000000);
    g_assert_cmpuint(versions.daemon, ==, versions.library);
    g_assert_true(fsn_virt_hostname(virt, &hostname, NULL));
    g_assert_true(fsn_virt_capabilities(virt, &xml, NULL));
    g_assert_nonnull(strstr(xml, "<capabilities>"));
}

static void
test_lookup(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) by_name = find(virt, "test");
    g_autoptr(FsnVirtDomain) by_id = find(virt, "1");
    g_autoptr(FsnVirtDomain) by_uuid = find(virt, fsn_virt_domain_uuid(by_name));
    g_autoptr(FsnVirtDomain) none = NULL;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) empty = NULL;

    g_assert_cmpstr(fsn_virt_domain_name(by_id), ==, "test");
    g_assert_cmpstr(fsn_virt_domain_name(by_uuid), ==, "test");
    g_assert_true(fsn_virt_list(virt, &all, NULL));
    g_assert_cmpuint(all->len, ==, 1);
    g_assert_false(fsn_virt_lookup(virt, "nobody", &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "'nobody'"));
    g_assert_false(fsn_virt_lookup(virt, "", &none, &empty));
    g_assert_error(empty, FSN_ERROR, FSN_ERROR_USAGE);
}

static void
assert_state(FsnVirtDomain *domain, FsnVirtState expected)
{
    FsnVirtStatus status;

    g_assert_true(fsn_virt_domain_status(domain, &status, NULL));
    g_assert_cmpint(status.state, ==, expected);
    g_assert_true(status.persistent);
    g_assert_false(status.post_copy || status.post_copy_failed || status.managed_save);
}

/* A libvirtd that ends is an error of the next call, not the end of this process. */
static void
test_no_sigpipe(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    close(ends[0]);
    g_assert_cmpint(write(ends[1], "x", 1), ==, -1);
    g_assert_cmpint(errno, ==, EPIPE);
    close(ends[1]);
}

static void
test_control(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain = find(virt, "test");
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = NULL;

    assert_state(domain, FSN_VIRT_RUNNING);
    g_assert_true(fsn_virt_domain_suspend(domain, NULL));
    assert_state(domain, FSN_VIRT_PAUSED);
    g_assert_true(fsn_virt_domain_resume(domain, NULL));
    assert_state(domain, FSN_VIRT_RUNNING);
    g_assert_true(fsn_virt_domain_xml(domain, FSN_VIRT_XML_MIGRATABLE, &xml, NULL));
    g_assert_nonnull(strstr(xml, "<name>test</name>"));
    g_assert_true(fsn_virt_domain_destroy(domain, false, NULL));
    assert_state(domain, FSN_VIRT_OFF);
    g_assert_true(fsn_virt_domain_end(domain, NULL));
    g_assert_false(fsn_virt_domain_destroy(domain, false, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
    g_assert_true(fsn_virt_domain_start(domain, false, NULL));
    assert_state(domain, FSN_VIRT_RUNNING);
}

static gpointer
pause_soon(gpointer data)
{
    g_usleep(20000);
    g_assert_true(fsn_virt_domain_suspend(data, NULL));
    return NULL;
}

static void
test_wait_state(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain = find(virt, "test");
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_new("pause", pause_soon, domain);
    int64_t start_us = fsn_monotonic_us();

    g_assert_true(
        fsn_virt_domain_wait_state(domain, FSN_VIRT_PAUSED, 20 * SECOND_US, NULL));
    g_assert_cmpint(fsn_monotonic_us() - start_us, <, 10 * SECOND_US);
    g_thread_join(thread);
    g_assert_false(
        fsn_virt_domain_wait_state(domain, FSN_VIRT_OFF, SECOND_US / 20, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_assert_nonnull(strstr(error->message, "paused, not shut off"));
}

static void
test_events(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain = find(virt, "test");
    g_autoptr(FsnVirtEvents) events = NULL;
    g_autoptr(GError) error = NULL;
    FsnVirtEvent event;

    g_assert_true(fsn_virt_events_new(domain, &events, NULL));
    g_assert_false(fsn_virt_events_wait(events, 0, &event, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_assert_true(fsn_virt_domain_suspend(domain, NULL));
    g_assert_true(fsn_virt_domain_resume(domain, NULL));
    g_assert_true(fsn_virt_domain_destroy(domain, false, NULL));
    g_assert_true(fsn_virt_events_wait(events, 20 * SECOND_US, &event, NULL));
    g_assert_cmpint(event.kind, ==, FSN_VIRT_EVENT_SUSPENDED);
    g_assert_cmpstr(event.uuid, ==, fsn_virt_domain_uuid(domain));
    g_assert_true(fsn_virt_events_wait(events, 20 * SECOND_US, &event, NULL));
    g_assert_cmpint(event.kind, ==, FSN_VIRT_EVENT_RESUMED);
    g_assert_true(fsn_virt_events_wait(events, 20 * SECOND_US, &event, NULL));
    g_assert_cmpint(event.kind, ==, FSN_VIRT_EVENT_STOPPED);
}

static void
on_watched(const FsnVirtEvent *event, const char *name, gpointer user)
{
    g_assert_nonnull(event);
    g_async_queue_push(user,
                       g_strdup_printf("%s %s", name, fsn_virt_event_name(event->kind)));
}

/* All domains by one callback; after its end nothing comes. */
static void
test_watch(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain = find(virt, "test");
    GAsyncQueue *heard = g_async_queue_new_full(g_free);
    g_autoptr(FsnVirtWatch) watch = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    g_assert_true(fsn_virt_watch_new(virt, on_watched, heard, &watch, NULL));
    g_assert_true(fsn_virt_domain_suspend(domain, NULL));
    g_assert_true(fsn_virt_domain_resume(domain, NULL));
    first = g_async_queue_timeout_pop(heard, 20 * SECOND_US);
    second = g_async_queue_timeout_pop(heard, 20 * SECOND_US);
    g_assert_cmpstr(first, ==, "test paused");
    g_assert_cmpstr(second, ==, "test resumed");
    fsn_virt_watch_free(g_steal_pointer(&watch));
    g_assert_true(fsn_virt_domain_suspend(domain, NULL));
    g_assert_null(g_async_queue_timeout_pop(heard, SECOND_US / 10));
    g_assert_true(fsn_virt_domain_resume(domain, NULL));
    g_async_queue_unref(heard);
}

/* The test driver has neither a monitor nor migration: errors, not crashes. */
static void
test_only_qemu(void)
{
    g_autoptr(FsnVirt) virt = open_test();
    g_autoptr(FsnVirtDomain) domain = find(virt, "test");
    g_autoptr(FsnQmpTransport) transport = fsn_virt_qmp_transport(domain);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) migrate = NULL;
    g_autoptr(GError) recover = NULL;
    FsnMigrateIn in = { 0 };
    char *reply = NULL;

    g_assert_false(transport->ops->execute(transport, "{\"execute\":\"stop\"}", NULL, 0,
                                           20 * SECOND_US, &reply, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_assert_null(reply);
    g_assert_false(fsn_migrate_in_prepare(virt, &in, &migrate));
    g_assert_error(migrate, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_assert_false(fsn_migrate_in_recover_is_safe(virt, &recover));
    g_assert_error(recover, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt/uris", test_uris);
    g_test_add_func("/virt/default-uri", test_default_uri);
    g_test_add_func("/virt/connection", test_connection);
    g_test_add_func("/virt/lookup", test_lookup);
    g_test_add_func("/virt/no-sigpipe", test_no_sigpipe);
    g_test_add_func("/virt/control", test_control);
    g_test_add_func("/virt/wait-state", test_wait_state);
    g_test_add_func("/virt/events", test_events);
    g_test_add_func("/virt/watch", test_watch);
    g_test_add_func("/virt/only-qemu", test_only_qemu);
    return g_test_run();
}
