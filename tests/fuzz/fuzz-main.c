/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replays corpus files through a fuzz target, for builds without libFuzzer. */

#include "config.h"

#include <glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        g_autofree char *data = NULL;
        gsize len;
        g_autoptr(GError) error = NULL;

        if (!g_file_get_contents(argv[i], &data, &len, &error)) {
            g_printerr("%s\n", error->message);
            return 99;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)data, len);
    }
    return 0;
}
