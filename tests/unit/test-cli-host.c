/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cli/host-*.c: what each finding means, and that the permission is written as said. */
#include "config.h"

#include "cli/host-libvirt.h"
#include "cli/host-qemu.h"
#include "cli/host-repo.h"
#include "cli/host-report.h"
#include "cli/host-uffd.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* A host that has everything. */
static FsnHostFacts
good_facts(void)
{
    return (FsnHostFacts){
        .qemu = { .binary = (char *)"/usr/bin/qemu",
                  .version = (char *)"7.2.0",
                  .major = 7,
                  .migrates_to_fd = true,
                  .postcopy = true,
                  .background_snapshot = true },
        .libvirt = { .uri = (char *)"qemu:///system",
                     .driver = (char *)"QEMU",
                     .version = (char *)"9.0.0" },
        .hook = { .path = (char *)"/hooks/foresnap", .installed = true },
        .repo = { .location = (char *)"/repo",
                  .exists = true,
                  .free_bytes = UINT64_C(1) << 40 },
        .uffd = { .user = (char *)"qemu", .sysctl = 1 },
        .memory_total = UINT64_C(8) << 30,
        .memory_available = UINT64_C(4) << 30,
    };
}

static const FsnHostItem *
find_item(GPtrArray *items, const char *name)
{
    for (guint i = 0; i < items->len; i++) {
        const FsnHostItem *item = items->pdata[i];

        if (strcmp(item->name, name) == 0) {
            return item;
        }
    }
    g_assert_not_reached();
}

static void
test_good(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) items = fsn_host_report(&facts);

    g_assert_cmpint(fsn_host_worst(items), ==, FSN_HOST_OK);
    for (guint i = 0; i < items->len; i++) {
        const FsnHostItem *item = items->pdata[i];

        g_assert_null(item->remedy);
    }
}

static void
test_hook(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) absent = NULL;
    g_autoptr(GPtrArray) old = NULL;
    g_autoptr(GPtrArray) session = NULL;

    facts.hook.installed = false;
    absent = fsn_host_report(&facts);
    g_assert_cmpint(find_item(absent, "hook")->state, ==, FSN_HOST_WARN);
    g_assert_cmpstr(find_item(absent, "hook")->remedy, ==, "foresnap hooks install");
    facts.hook.installed = true;
    facts.hook.old = true;
    old = fsn_host_report(&facts);
    g_assert_cmpint(find_item(old, "hook")->state, ==, FSN_HOST_WARN);
    facts.hook.session = true;
    session = fsn_host_report(&facts);
    g_assert_cmpint(find_item(session, "hook")->state, ==, FSN_HOST_OK);
    g_assert_nonnull(strstr(find_item(session, "hook")->message, "runs no hooks"));
}

static void
test_qemu(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) no_postcopy = NULL;
    g_autoptr(GPtrArray) no_migration = NULL;
    g_autoptr(GPtrArray) broken = NULL;
    g_autoptr(GPtrArray) absent = NULL;

    facts.qemu.postcopy = false;
    no_postcopy = fsn_host_report(&facts);
    g_assert_cmpint(find_item(no_postcopy, "qemu")->state, ==, FSN_HOST_WARN);
    facts.qemu.migrates_to_fd = false;
    no_migration = fsn_host_report(&facts);
    g_assert_cmpint(fsn_host_worst(no_migration), ==, FSN_HOST_FAIL);
    facts.qemu.error = (char *)"it died";
    broken = fsn_host_report(&facts);
    g_assert_nonnull(strstr(find_item(broken, "qemu")->message, "it died"));
    g_assert_null(strstr(find_item(broken, "qemu")->remedy, "install"));
    facts.qemu.binary = NULL;
    absent = fsn_host_report(&facts);
    g_assert_cmpint(find_item(absent, "qemu")->state, ==, FSN_HOST_FAIL);
    g_assert_nonnull(strstr(find_item(absent, "qemu")->remedy, "install"));
}

/* What an emulated guest goes without depends on QEMU. */
static void
test_emulation(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) old = NULL;
    g_autoptr(GPtrArray) new = NULL;

    facts.kvm_error = ENOENT;
    old = fsn_host_report(&facts);
    facts.qemu.major = 9;
    new = fsn_host_report(&facts);
    g_assert_cmpint(find_item(old, "kvm")->state, ==, FSN_HOST_WARN);
    g_assert_nonnull(strstr(find_item(old, "kvm")->message, "cannot be prepared"));
    g_assert_null(strstr(find_item(new, "kvm")->message, "cannot be prepared"));
}

static void
test_qemu_probe(void)
{
    FsnHostQemu qemu;

    fsn_host_qemu_probe(&qemu);
    if (!qemu.binary) {
        g_test_skip("there is no QEMU here");
    } else {
        g_assert_cmpstr(qemu.error, ==, NULL);
        g_assert_cmpint(qemu.major, >=, 7);
        g_assert_true(qemu.migrates_to_fd);
        g_assert_true(qemu.postcopy);
    }
    fsn_host_qemu_clear(&qemu);
}

static void
test_libvirt(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) limited = NULL;
    g_autoptr(GPtrArray) broken = NULL;

    facts.libvirt.no_incoming = (char *)"no symbol";
    facts.libvirt.no_continuation = (char *)"it crashes";
    limited = fsn_host_report(&facts);
    g_assert_cmpint(find_item(limited, "incoming")->state, ==, FSN_HOST_WARN);
    g_assert_nonnull(strstr(find_item(limited, "incoming")->message, "no symbol"));
    g_assert_cmpint(find_item(limited, "continuation")->state, ==, FSN_HOST_WARN);
    facts.libvirt.error = (char *)"nobody there";
    broken = fsn_host_report(&facts);
    g_assert_cmpint(find_item(broken, "libvirt")->state, ==, FSN_HOST_FAIL);
    g_assert_nonnull(strstr(find_item(broken, "libvirt")->message, "nobody there"));
}

static void
test_libvirt_probe(void)
{
    FsnHostLibvirt test;
    FsnHostLibvirt remote;

    fsn_host_libvirt_probe("test:///default", &test);
    g_assert_cmpstr(test.error, ==, NULL);
    g_assert_cmpstr(test.uri, ==, "test:///default");
    g_assert_nonnull(strchr(test.version, '.'));
    fsn_host_libvirt_probe("qemu+ssh://elsewhere/system", &remote);
    g_assert_nonnull(remote.error);
    fsn_host_libvirt_clear(&test);
    fsn_host_libvirt_clear(&remote);
}

static void
test_repo(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) full = NULL;
    g_autoptr(GPtrArray) broken = NULL;

    facts.repo.free_bytes = 4096;
    full = fsn_host_report(&facts);
    g_assert_cmpint(find_item(full, "repository")->state, ==, FSN_HOST_WARN);
    facts.repo.error = (char *)"it is read-only";
    broken = fsn_host_report(&facts);
    g_assert_cmpint(find_item(broken, "repository")->state, ==, FSN_HOST_FAIL);
    g_assert_nonnull(strstr(find_item(broken, "repository")->message, "it is read-only"));
}

/* One that is not there yet is no fault, and is not made by looking. */
static void
test_repo_probe(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-host-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(dir, "file", NULL);
    g_autofree char *absent = g_build_filename(dir, "a", "repo", NULL);
    g_autofree char *below_file = g_build_filename(file, "repo", NULL);
    FsnHostRepo fresh;
    FsnHostRepo impossible;

    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    fsn_host_repo_probe(absent, &fresh);
    g_assert_cmpstr(fresh.error, ==, NULL);
    g_assert_false(fresh.exists);
    g_assert_cmpint(fresh.free_bytes, >, 0);
    g_assert_false(g_file_test(absent, G_FILE_TEST_EXISTS));
    fsn_host_repo_probe(below_file, &impossible);
    g_assert_nonnull(impossible.error);
    fsn_host_repo_clear(&fresh);
    fsn_host_repo_clear(&impossible);
    g_unlink(file);
    g_rmdir(dir);
}

static void
test_uffd_denied(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) items = NULL;
    const FsnHostItem *item;

    facts.uffd.error = EPERM;
    facts.uffd.sysctl = 0;
    items = fsn_host_report(&facts);
    item = find_item(items, "userfaultfd");
    g_assert_cmpint(item->state, ==, FSN_HOST_WARN);
    g_assert_nonnull(strstr(item->remedy, "check-host --fix"));
    g_assert_nonnull(strstr(item->remedy, "What it opens"));
    g_assert_null(strstr(item->remedy, "/dev/userfaultfd"));
}

static void
test_uffd_device(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) closed = NULL;
    g_autoptr(GPtrArray) opened = NULL;

    facts.uffd.error = EPERM;
    facts.uffd.sysctl = 0;
    facts.uffd.device = true;
    closed = fsn_host_report(&facts);
    g_assert_nonnull(
        strstr(find_item(closed, "userfaultfd")->remedy, "/dev/userfaultfd"));
    facts.uffd.device_open = true;
    opened = fsn_host_report(&facts);
    g_assert_cmpint(find_item(opened, "userfaultfd")->state, ==, FSN_HOST_OK);
}

static void
test_no_uffd_in_kernel(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) items = NULL;

    facts.uffd.error = ENOSYS;
    facts.uffd.sysctl = -1;
    items = fsn_host_report(&facts);
    g_assert_nonnull(
        strstr(find_item(items, "userfaultfd")->remedy, "CONFIG_USERFAULTFD"));
}

static void
test_little_memory(void)
{
    FsnHostFacts facts = good_facts();
    g_autoptr(GPtrArray) items = NULL;

    facts.memory_available = 1 << 20;
    items = fsn_host_report(&facts);
    g_assert_cmpint(find_item(items, "memory")->state, ==, FSN_HOST_WARN);
    g_assert_nonnull(find_item(items, "memory")->remedy);
}

static void
test_meminfo(void)
{
    uint64_t total = 1;
    uint64_t available = 1;

    fsn_host_parse_meminfo("MemTotal:  8 kB\nMemFree: 1 kB\nMemAvailable:    4 kB\n",
                           &total, &available);
    g_assert_cmpuint(total, ==, 8192);
    g_assert_cmpuint(available, ==, 4096);
    fsn_host_parse_meminfo("", &total, &available);
    g_assert_cmpuint(total, ==, 0);
}

/* The probe and the kernel's own switch cannot disagree. */
static void
test_probe(void)
{
    FsnHostUffd uffd = { 0 };

    fsn_host_uffd_probe(NULL, &uffd);
    g_assert_nonnull(uffd.user);
    g_assert_cmpint(uffd.error, !=, EAGAIN);
    if (uffd.sysctl == 0 && strcmp(uffd.user, "root") != 0) {
        /* valgrind does not know the call at all */
        g_assert_true(uffd.error == EPERM || uffd.error == ENOSYS);
    }
    g_assert_true(uffd.device || !uffd.device_open);
    g_free(uffd.user);
}

static void
test_permit(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-host-XXXXXX", NULL);
    g_autofree char *sysctl = g_build_filename(dir, "sysctl", NULL);
    g_autofree char *persist = g_build_filename(dir, "persist", NULL);
    g_autofree char *written = NULL;
    g_autofree char *lines = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_host_uffd_permit(sysctl, persist, &error));
    g_assert_nonnull(strstr(error->message, sysctl));
    g_assert_false(g_file_test(persist, G_FILE_TEST_EXISTS));

    g_assert_true(g_file_set_contents(sysctl, "0\n", -1, NULL));
    g_assert_true(fsn_host_uffd_permit(sysctl, NULL, NULL));
    g_assert_false(g_file_test(persist, G_FILE_TEST_EXISTS));
    g_assert_true(fsn_host_uffd_permit(sysctl, persist, NULL));
    g_assert_true(g_file_get_contents(sysctl, &written, NULL, NULL));
    g_assert_cmpstr(written, ==, "1\n");
    g_assert_true(g_file_get_contents(persist, &lines, NULL, NULL));
    g_assert_nonnull(strstr(lines, "\nvm.unprivileged_userfaultfd = 1\n"));
    g_unlink(sysctl);
    g_unlink(persist);
    g_rmdir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/host/good", test_good);
    g_test_add_func("/cli/host/hook", test_hook);
    g_test_add_func("/cli/host/qemu", test_qemu);
    g_test_add_func("/cli/host/emulation", test_emulation);
    g_test_add_func("/cli/host/qemu-probe", test_qemu_probe);
    g_test_add_func("/cli/host/libvirt", test_libvirt);
    g_test_add_func("/cli/host/libvirt-probe", test_libvirt_probe);
    g_test_add_func("/cli/host/repo", test_repo);
    g_test_add_func("/cli/host/repo-probe", test_repo_probe);
    g_test_add_func("/cli/host/uffd-denied", test_uffd_denied);
    g_test_add_func("/cli/host/uffd-device", test_uffd_device);
    g_test_add_func("/cli/host/no-uffd-in-kernel", test_no_uffd_in_kernel);
    g_test_add_func("/cli/host/little-memory", test_little_memory);
    g_test_add_func("/cli/host/meminfo", test_meminfo);
    g_test_add_func("/cli/host/probe", test_probe);
    g_test_add_func("/cli/host/permit", test_permit);
    return g_test_run();
}
