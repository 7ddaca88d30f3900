/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/commands-memory.c: the sizes a real QEMU was started with. */
#include "config.h"

#include "base/error.h"
#include "qemu-process.h"
#include "qmp-script.h"
#include "qmp/commands-memory.h"

#define MIB (UINT64_C(1) << 20)

static void
test_real(void)
{
    g_autoptr(TestQemu) qemu = test_qemu_new((const char *[]){
        "-machine", "q35", "-m", "64M,slots=1,maxmem=1G", "-object",
        "memory-backend-ram,id=m1,size=128M", "-device", "pc-dimm,memdev=m1", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    uint64_t base = 0, plugged = 0;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    g_assert_true(fsn_qmp_query_memory_size(qmp, &base, &plugged, NULL));
    g_assert_cmpuint(base, ==, 64 * MIB);
    g_assert_cmpuint(plugged, ==, 128 * MIB);
}

static void
test_script(void)
{
    const char *bad[] = { "{\"return\":{}}", "{\"return\":{\"base-memory\":-1}}",
                          "{\"return\":{\"base-memory\":1,\"plugged-memory\":\"x\"}}" };
    g_autoptr(FsnQmp) good =
        fsn_qmp_new(test_script_new("{\"return\":{\"base-memory\":5}}", NULL));
    uint64_t base = 0, plugged = 1;

    g_assert_true(fsn_qmp_query_memory_size(good, &base, &plugged, NULL));
    g_assert_cmpuint(base, ==, 5);
    g_assert_cmpuint(plugged, ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(bad[i], NULL));
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_qmp_query_memory_size(qmp, &base, &plugged, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/memory/real", test_real);
    g_test_add_func("/qmp/memory/script", test_script);
    return g_test_run();
}
