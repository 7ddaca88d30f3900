/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/commands-migration.c: real migrations of a real QEMU, to the test and to another QEMU. */
#include "config.h"

#include "base/error.h"
#include "qemu-process.h"
#include "qmp-script.h"
#include "qmp/commands-migration.h"
#include "qmp/commands-status.h"
#include "qmp/migration-info.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONG_US (60 * G_USEC_PER_SEC)

static const char *const machine[] = { "-machine", "q35", "-m", "64M", NULL };
static const char *const incoming[] = { "-machine",  "q35",   "-m", "64M",
                                        "-incoming", "defer", NULL };

static void
make_pair(int pair[2])
{
    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
}

static void
assert_ok(bool ok, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(ok);
}

/* Gives @fd, which it closes, to QEMU and begins an outgoing migration into it. */
static void
migrate_to(FsnQmp *qmp, int fd)
{
    g_autoptr(GError) error = NULL;

    assert_ok(fsn_qmp_getfd(qmp, "out", fd, &error), error);
    close(fd);
    assert_ok(fsn_qmp_migrate(qmp, "fd:out", &error), error);
}

static void
test_capabilities(void)
{
    g_autoptr(TestQemu) qemu = test_qemu_new(machine);
    const FsnMigrationCapability on[] = { { "return-path", true }, { "events", true } };
    const FsnMigrationCapability off[] = { { "events", false } };
    const FsnMigrationCapability bad[] = { { "nonsense", true } };
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(GHashTable) first = NULL;
    g_autoptr(GHashTable) second = NULL;
    g_autoptr(GError) error = NULL;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    assert_ok(fsn_qmp_migrate_set_capabilities(qmp, on, 2, &error), error);
    assert_ok(fsn_qmp_query_migrate_capabilities(qmp, &first, &error), error);
    g_assert_true(g_hash_table_contains(first, "return-path"));
    g_assert_true(g_hash_table_contains(first, "events"));
    g_assert_false(g_hash_table_contains(first, "multifd"));
    assert_ok(fsn_qmp_migrate_set_capabilities(qmp, off, 1, &error), error);
    assert_ok(fsn_qmp_query_migrate_capabilities(qmp, &second, &error), error);
    g_assert_true(g_hash_table_contains(second, "return-path"));
    g_assert_false(g_hash_table_contains(second, "events"));
    g_assert_false(fsn_qmp_migrate_set_capabilities(qmp, bad, 1, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

/* This thread and what it starts may not use userfaultfd, as where the host forbids it. */
static void
forbid_userfaultfd(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_userfaultfd, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 3),
        /* newer QEMU asks /dev/userfaultfd first */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, USERFAULTFD_IOC_NEW, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { G_N_ELEMENTS(filter), filter };

    g_assert_no_errno(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    g_assert_no_errno(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static gpointer
refuse_background_snapshot(gpointer data)
{
    const FsnMigrationCapability wish[] = { { "background-snapshot", true } };
    const FsnMigrationCapability rival[] = { { "background-snapshot", true },
                                             { "postcopy-ram", true } };
    g_autoptr(TestQemu) qemu = NULL;
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(GHashTable) enabled = NULL;
    g_autoptr(GError) first = NULL;
    g_autoptr(GError) second = NULL;

    forbid_userfaultfd();
    qemu = test_qemu_new(machine);
    if (!qemu) {
        return NULL;
    }
    qmp = test_qemu_session(qemu);
    g_assert_false(fsn_qmp_migrate_set_capabilities(qmp, wish, 1, &first));
    g_assert_error(first, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(first->message, "host kernel"));
    g_assert_false(fsn_qmp_migrate_set_capabilities(qmp, rival, 2, &second));
    g_assert_error(second, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    assert_ok(fsn_qmp_query_migrate_capabilities(qmp, &enabled, NULL), NULL);
    g_assert_false(g_hash_table_contains(enabled, "background-snapshot"));
    g_assert_false(g_hash_table_contains(enabled, "postcopy-ram"));
    return NULL;
}

/* In a thread, since what is forbidden cannot be allowed again. */
static void
test_background_snapshot_refused(void)
{
    g_thread_join(g_thread_new("forbidden", refuse_background_snapshot, NULL));
}

static void
test_parameters(void)
{
    g_autoptr(TestQemu) qemu = test_qemu_new(machine);
    FsnMigrationParameters wish = FSN_MIGRATION_PARAMETERS_INIT;
    FsnMigrationParameters before = FSN_MIGRATION_PARAMETERS_INIT;
    FsnMigrationParameters after = FSN_MIGRATION_PARAMETERS_INIT;
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(GError) error = NULL;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    assert_ok(fsn_qmp_query_migrate_parameters(qmp, &before, &error), error);
    g_assert_cmpint(before.downtime_limit_ms, >=, 0);
    g_assert_cmpint(before.max_postcopy_bandwidth, >=, 0);
    wish.max_bandwidth = 12345678;
    assert_ok(fsn_qmp_migrate_set_parameters(qmp, &wish, &error), error);
    assert_ok(fsn_qmp_query_migrate_parameters(qmp, &after, &error), error);
    g_assert_cmpint(after.max_bandwidth, ==, 12345678);
    g_assert_cmpint(after.downtime_limit_ms, ==, before.downtime_limit_ms);
    wish.downtime_limit_ms = INT64_MAX;
    g_assert_false(fsn_qmp_migrate_set_parameters(qmp, &wish, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

static void
test_parameters_script(void)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(
        test_script_new("{\"return\":{\"max-bandwidth\":18446744073709551615}}", NULL));
    FsnMigrationParameters found = { 0 };

    g_assert_true(fsn_qmp_query_migrate_parameters(qmp, &found, NULL));
    g_assert_cmpint(found.max_bandwidth, ==, INT64_MAX);
    g_assert_cmpint(found.downtime_limit_ms, ==, -1);
}

/* Takes all there is until the end of file and returns how much it was. */
static gpointer
drain(gpointer data)
{
    static char buffer[65536];
    gsize total = 0;
    ssize_t n;

    while ((n = read(GPOINTER_TO_INT(data), buffer, sizeof buffer)) > 0) {
        total += (gsize)n;
    }
    return GSIZE_TO_POINTER(total);
}

static void
test_to_fd(void)
{
    g_autoptr(TestQemu) qemu = test_qemu_new(machine);
    g_autoptr(FsnQmp) qmp = NULL;
    g_auto(FsnMigrationInfo) info = { 0 };
    g_autoptr(GError) error = NULL;
    g_autofree char *status = NULL;
    char magic[4];
    GThread *thread;
    gsize total;
    int pair[2];

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    make_pair(pair);
    migrate_to(qmp, pair[1]);
    g_assert_cmpint(recv(pair[0], magic, 4, MSG_WAITALL), ==, 4);
    g_assert_cmpmem(magic, 4, "QEVM", 4);
    thread = g_thread_new("drain", drain, GINT_TO_POINTER(pair[0]));
    assert_ok(fsn_qmp_wait_migration(qmp, FSN_MIGRATION_BIT(FSN_MIGRATION_COMPLETED),
                                     LONG_US, &info, &error),
              error);
    g_assert_true(info.has_ram);
    g_assert_cmpuint(info.ram.page_size, ==, 4096);
    g_assert_cmpuint(info.ram.total, >=, 64 << 20);
    g_assert_cmpuint(info.ram.remaining, ==, 0);
    g_assert_cmpint(info.total_us, >=, 0);
    total = GPOINTER_TO_SIZE(g_thread_join(thread));
    g_assert_cmpuint(total, >=, info.ram.transferred / 2);
    close(pair[0]);
    g_assert_true(fsn_qmp_query_status(qmp, NULL, &status, NULL));
    g_assert_cmpstr(status, ==, "postmigrate");
}

/* Nobody reads: it stays active until it is cancelled, and can then be done again. */
static void
test_cancel(void)
{
    g_autoptr(TestQemu) qemu = test_qemu_new(machine);
    g_autoptr(FsnQmp) qmp = NULL;
    g_auto(FsnMigrationInfo) info = { 0 };
    g_autoptr(GError) error = NULL;
    int pair[2];

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    assert_ok(fsn_qmp_migrate_cancel(qmp, &error), error);
    make_pair(pair);
    migrate_to(qmp, pair[1]);
    assert_ok(fsn_qmp_wait_migration(qmp, FSN_MIGRATION_BIT(FSN_MIGRATION_ACTIVE),
                                     LONG_US, NULL, &error),
              error);
    g_assert_false(fsn_qmp_wait_migration(qmp, FSN_MIGRATION_BIT(FSN_MIGRATION_COMPLETED),
                                          200000, NULL, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_clear_error(&error);
    g_assert_false(fsn_qmp_migrate(qmp, "fd:out", &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
    g_clear_error(&error);
    assert_ok(fsn_qmp_migrate_cancel(qmp, &error), error);
    assert_ok(fsn_qmp_wait_migration(qmp, FSN_MIGRATION_BIT(FSN_MIGRATION_CANCELLED),
                                     LONG_US, &info, &error),
              error);
    close(pair[0]);
    make_pair(pair);
    migrate_to(qmp, pair[1]);
    close(pair[0]);
    g_assert_false(fsn_qmp_wait_migration(qmp, FSN_MIGRATION_BIT(FSN_MIGRATION_COMPLETED),
                                          LONG_US, NULL, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

static void
test_to_another(void)
{
    g_autoptr(TestQemu) source = test_qemu_new(machine);
    g_autoptr(TestQemu) target = test_qemu_new(incoming);
    g_autoptr(FsnQmp) out = NULL;
    g_autoptr(FsnQmp) in = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *before = NULL;
    const uint32_t completed = FSN_MIGRATION_BIT(FSN_MIGRATION_COMPLETED);
    int pair[2];

    if (!source || !target) {
        return;
    }
    out = test_qemu_session(source);
    in = test_qemu_session(target);
    g_assert_true(fsn_qmp_query_status(in, NULL, &before, NULL));
    g_assert_cmpstr(before, ==, "inmigrate");
    make_pair(pair);
    assert_ok(fsn_qmp_getfd(in, "in", pair[0], &error), error);
    close(pair[0]);
    assert_ok(fsn_qmp_migrate_incoming(in, "fd:in", &error), error);
    migrate_to(out, pair[1]);
    assert_ok(fsn_qmp_wait_migration(out, completed, LONG_US, NULL, &error), error);
    assert_ok(fsn_qmp_wait_migration(in, completed, LONG_US, NULL, &error), error);
}

/* Without a broken postcopy migration each of these is refused by QEMU, in its words: the
 * command and its arguments are ones that it knows. */
static void
test_refused(void)
{
    g_autoptr(TestQemu) qemu = test_qemu_new(machine);
    g_autoptr(FsnQmp) qmp = NULL;
    GError *errors[4] = { NULL };

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    g_assert_false(fsn_qmp_migrate_recover(qmp, "unix:/nonexistent/x", &errors[0]));
    g_assert_false(fsn_qmp_migrate_pause(qmp, &errors[1]));
    g_assert_false(fsn_qmp_migrate_continue(qmp, &errors[2]));
    g_assert_false(fsn_qmp_migrate(qmp, "fd:missing", &errors[3]));
    for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
        g_assert_error(errors[i], FSN_ERROR, FSN_ERROR_FAILED);
        g_assert_true(g_str_has_prefix(errors[i]->message, "QEMU: "));
        g_test_message("%s", errors[i]->message);
        g_error_free(errors[i]);
    }
}

static void
test_exec_is_refused(void)
{
    g_autoptr(GPtrArray) commands = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new("{\"return\":{}}", commands));
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_qmp_migrate(qmp, "exec:cat", &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    g_assert_cmpuint(commands->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/migration/capabilities", test_capabilities);
    g_test_add_func("/qmp/migration/background-snapshot-refused",
                    test_background_snapshot_refused);
    g_test_add_func("/qmp/migration/parameters", test_parameters);
    g_test_add_func("/qmp/migration/parameters-script", test_parameters_script);
    g_test_add_func("/qmp/migration/to-fd", test_to_fd);
    g_test_add_func("/qmp/migration/cancel", test_cancel);
    g_test_add_func("/qmp/migration/to-another", test_to_another);
    g_test_add_func("/qmp/migration/refused", test_refused);
    g_test_add_func("/qmp/migration/exec-is-refused", test_exec_is_refused);
    return g_test_run();
}
