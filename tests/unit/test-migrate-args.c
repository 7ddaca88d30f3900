/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/virt/migrate-args.c: golden arguments, and no bad input gets through, for libvirtd
 * may end on one. */
#include "config.h"

#include "base/error.h"
#include "virt/migrate-args.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define UUID "0a0b0c0d-1111-2222-3333-444455556666"
#define HOST "99999999-1111-2222-3333-444455556666"
#define PEER "5e0cae71-6f72-4573-8e61-70f0e5a90001"

#define CAPABILITIES                                                                    \
    "<capabilities><cap name='xbzrle' auto='no'/><cap name='auto-converge' auto='no'/>" \
    "<cap name='rdma-pin-all' auto='no'/><cap name='postcopy-ram' auto='no'/>"          \
    "<cap name='compress' auto='no'/><cap name='pause-before-switchover' auto='no'/>"   \
    "<cap name='late-block-activate' auto='no'/><cap name='multifd' auto='no'/>"        \
    "<cap name='dirty-bitmaps' auto='no'/><cap name='return-path' auto='no'/>"          \
    "</capabilities></qemu-migration>"

static const FsnMigrateIn good = {
    .xml = "<domain type='kvm'><name>a&amp;b</name><uuid>" UUID "</uuid>"
           "<memory>1024</memory><vcpu>1</vcpu></domain>",
    .name = "a&b",
    .uuid = UUID,
    .socket_path = "/run/foresnap/in.sock",
    .cpu_xml = "<cpu mode='custom'> <model>qemu64</model></cpu>",
    .postcopy = true,
};

static void
test_golden(void)
{
    g_autoptr(FsnMigrateArgs) args = NULL;

    g_assert_true(fsn_migrate_args_build(&good, HOST, &args, NULL));
    g_assert_cmpstr(args->xml, ==, good.xml);
    g_assert_cmpstr(args->name, ==, "a&b");
    g_assert_cmpstr(args->uri, ==, "unix:///run/foresnap/in.sock");
    g_assert_cmpuint(args->flags, ==,
                     VIR_MIGRATE_LIVE | VIR_MIGRATE_UNSAFE | VIR_MIGRATE_POSTCOPY);
    g_assert_cmpstr(args->cookie, ==,
                    "<qemu-migration><name>a&amp;b</name><uuid>" UUID "</uuid>"
                    "<hostname>foresnap</hostname><hostuuid>" PEER "</hostuuid>"
                    "<cpu mode=\"custom\"> <model>qemu64</model></cpu>" CAPABILITIES);
    g_assert_cmpuint(args->cookie_len, ==, strlen(args->cookie) + 1);
}

/* Without a CPU, paused and at once; the peer is never the host itself. */
static void
test_eager(void)
{
    g_autoptr(FsnMigrateArgs) args = NULL;
    FsnMigrateIn in = good;

    in.postcopy = false;
    in.paused = true;
    in.cpu_xml = NULL;
    g_assert_true(fsn_migrate_args_build(&in, PEER, &args, NULL));
    g_assert_cmpuint(args->flags, ==,
                     VIR_MIGRATE_LIVE | VIR_MIGRATE_UNSAFE | VIR_MIGRATE_PAUSED);
    g_assert_null(strstr(args->cookie, "<cpu"));
    g_assert_null(strstr(args->cookie, PEER));
    g_assert_nonnull(strstr(args->cookie, "<capabilities>"));
}

static void
test_recovery(void)
{
    g_autoptr(FsnMigrateArgs) args = NULL;
    FsnMigrateIn in = good;

    in.resume = true;
    g_assert_true(fsn_migrate_args_build(&in, HOST, &args, NULL));
    g_assert_cmpuint(args->flags, ==,
                     VIR_MIGRATE_LIVE | VIR_MIGRATE_UNSAFE | VIR_MIGRATE_POSTCOPY |
                         VIR_MIGRATE_POSTCOPY_RESUME);
}

static void
assert_refused(const FsnMigrateIn *in, const char *host_uuid)
{
    FsnMigrateArgs *args = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_migrate_args_build(in, host_uuid, &args, &error));
    g_assert_nonnull(error);
    g_assert_null(args);
}

/* One bad string in one member at a time. */
static void
test_bad_strings(void)
{
    static const char *const names[] = { NULL, "", "other", "a/b", "a\nb", "a\xff" };
    static const char *const uuids[] = { NULL, "", "0a0b0c0d", HOST,
                                         "0A0B0C0D-1111-2222-3333-444455556666" };
    static const char *const sockets[] = { NULL,        "",         "in.sock",
                                           "/run/a b",  "/run/",    "//run/a",
                                           "/run/a%20", "/run/a,b", "/run/\n" };
    static const char *const cpus[] = { "",
                                        "<cpu>",
                                        "<model/>",
                                        "</cpu><cpu>",
                                        "<cpu/><capabilities/>",
                                        "<!DOCTYPE cpu><cpu/>" };
    static const char *const xmls[] = {
        NULL,
        "",
        "<domain/>",
        "<domain type='kvm'><name>a&amp;b</name><uuid>" HOST "</uuid>"
        "<memory>1024</memory><vcpu>1</vcpu></domain>",
    };

    const struct {
        const char *const *values;
        size_t n;
        size_t offset;
    } members[] = {
        { names, G_N_ELEMENTS(names), G_STRUCT_OFFSET(FsnMigrateIn, name) },
        { uuids, G_N_ELEMENTS(uuids), G_STRUCT_OFFSET(FsnMigrateIn, uuid) },
        { sockets, G_N_ELEMENTS(sockets), G_STRUCT_OFFSET(FsnMigrateIn, socket_path) },
        { cpus, G_N_ELEMENTS(cpus), G_STRUCT_OFFSET(FsnMigrateIn, cpu_xml) },
        { xmls, G_N_ELEMENTS(xmls), G_STRUCT_OFFSET(FsnMigrateIn, xml) },
    };

    for (size_t m = 0; m < G_N_ELEMENTS(members); m++) {
        for (size_t i = 0; i < members[m].n; i++) {
            FsnMigrateIn in = good;

            G_STRUCT_MEMBER(const char *, &in, members[m].offset) = members[m].values[i];
            assert_refused(&in, HOST);
        }
    }
}

static void
test_bad_host(void)
{
    assert_refused(&good, NULL);
    assert_refused(&good, "");
    assert_refused(&good, "host");
}

static void
test_socket_length(void)
{
    g_autofree char *name = g_strnfill(107, 'x');
    g_autoptr(FsnMigrateArgs) args = NULL;
    FsnMigrateIn in = good;

    name[0] = '/';
    in.socket_path = name;
    g_assert_true(fsn_migrate_args_build(&in, HOST, &args, NULL));
    g_free(name);
    name = g_strnfill(108, 'x');
    name[0] = '/';
    in.socket_path = name;
    assert_refused(&in, HOST);
}

static void
test_bad_modes(void)
{
    FsnMigrateIn in = good;

    in.paused = true;
    assert_refused(&in, HOST);
    in = good;
    in.postcopy = false;
    in.resume = true;
    assert_refused(&in, HOST);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migrate-args/golden", test_golden);
    g_test_add_func("/migrate-args/eager", test_eager);
    g_test_add_func("/migrate-args/recovery", test_recovery);
    g_test_add_func("/migrate-args/bad-strings", test_bad_strings);
    g_test_add_func("/migrate-args/bad-host", test_bad_host);
    g_test_add_func("/migrate-args/socket-length", test_socket_length);
    g_test_add_func("/migrate-args/bad-modes", test_bad_modes);
    return g_test_run();
}
