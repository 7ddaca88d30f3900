/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/words.c: words of QEMU and what they mean; the tests of the commands see them come from
 * a real one. */
#include "config.h"

#include "base/error.h"
#include "qmp-script.h"
#include "qmp/words.h"

static void
test_table(void)
{
    static const struct {
        const char *words;
        int code;
    } cases[] = {
        { "QEMU: Dirty bitmap 'x' not found", FSN_ERROR_NOT_FOUND },
        { "QEMU: Cannot find device='' nor node-name='n'", FSN_ERROR_NOT_FOUND },
        { "QEMU: Could not open backing file: Cannot find device='n' nor node-name='n'",
          FSN_ERROR_NOT_FOUND },
        { "QEMU: File descriptor named 'f' has not been found", FSN_ERROR_NOT_FOUND },
        { "QEMU: Failed to find node with node-name='n'", FSN_ERROR_NOT_FOUND },
        { "QEMU: Job not found", FSN_ERROR_NOT_FOUND },
        { "QEMU: Bitmap already exists: x", FSN_ERROR_EXISTS },
        { "QEMU: Duplicate nodes with node-name='n'", FSN_ERROR_EXISTS },
        { "QEMU: Block export id 'e' is already in use", FSN_ERROR_EXISTS },
        { "QEMU: Bitmap 'x' is currently in use by another operation and cannot be used",
          FSN_ERROR_BUSY },
        { "QEMU: export 'e' still in use", FSN_ERROR_BUSY },
        { "QEMU: Node 'n' is busy: node is used as backing hd of 'm'", FSN_ERROR_BUSY },
        { "QEMU: Node n is in use", FSN_ERROR_BUSY },
        { "QEMU: NBD server already running", FSN_ERROR_BUSY },
        { "QEMU: NBD server not running", FSN_ERROR_STATE },
        { "QEMU: Job 'j' in state 'concluded' cannot accept command verb 'cancel'",
          FSN_ERROR_STATE },
        { "QEMU: Background-snapshot is not supported by host kernel",
          FSN_ERROR_UNSUPPORTED },
        { "QEMU: Background-snapshot is not compatible with multifd",
          FSN_ERROR_UNSUPPORTED },
        { "QEMU: Something else", FSN_ERROR_FAILED },
        { "QEMU: Cannot open 'Job not found': no", FSN_ERROR_FAILED },
        { "our own: Job not found", FSN_ERROR_FAILED },
        { "QEMU: ", FSN_ERROR_FAILED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error =
            g_error_new_literal(FSN_ERROR, FSN_ERROR_FAILED, cases[i].words);

        fsn_qmp_judge_words(error);
        g_test_message("%s", cases[i].words);
        g_assert_error(error, FSN_ERROR, cases[i].code);
        g_assert_cmpstr(error->message, ==, cases[i].words);
    }
}

/* Only what QEMU refuses is judged. */
static void
test_other_errors(void)
{
    g_autoptr(GError) timeout =
        g_error_new_literal(FSN_ERROR, FSN_ERROR_TIMEOUT, "QEMU: Job not found");
    g_autoptr(GError) foreign =
        g_error_new_literal(G_FILE_ERROR, 0, "QEMU: Job not found");

    fsn_qmp_judge_words(timeout);
    g_assert_error(timeout, FSN_ERROR, FSN_ERROR_TIMEOUT);
    fsn_qmp_judge_words(foreign);
    g_assert_error(foreign, G_FILE_ERROR, 0);
}

static void
test_execute(void)
{
    g_autoptr(FsnQmp) good = fsn_qmp_new(test_script_new("{\"return\":{}}", NULL));
    g_autoptr(FsnQmp) bad = fsn_qmp_new(test_script_new(
        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Job not found\"}}", NULL));
    g_autoptr(FsnQmp) silent = fsn_qmp_new(test_script_new(NULL, NULL));
    GError *errors[2] = { NULL };

    g_assert_true(fsn_qmp_execute_judged(good, "x", NULL, NULL));
    g_assert_false(fsn_qmp_execute_judged(bad, "x", NULL, &errors[0]));
    g_assert_error(errors[0], FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_false(fsn_qmp_execute_judged(silent, "x", NULL, &errors[1]));
    g_assert_error(errors[1], FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_assert_false(fsn_qmp_execute_judged(bad, "x", NULL, NULL));
    g_error_free(errors[0]);
    g_error_free(errors[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/words/table", test_table);
    g_test_add_func("/qmp/words/other-errors", test_other_errors);
    g_test_add_func("/qmp/words/execute", test_execute);
    return g_test_run();
}
