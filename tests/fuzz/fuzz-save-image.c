/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a save image: an error, or texts and an offset inside the input. */
#include "config.h"

#include "stream/save-image.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_autoptr(FsnSaveImage) image = NULL;
    g_autoptr(GError) error = NULL;
    size_t need = 0;
    bool measured = fsn_save_image_measure(copy, size, &need, NULL);

    if (!fsn_save_image_parse(copy, size, &image, &error)) {
        g_assert_nonnull(error);
        return 0;
    }
    g_assert_true(measured);
    g_assert_cmpuint(image->stream_offset, ==, need);
    g_assert_cmpuint(need, <=, size);
    g_assert_cmpuint(strlen(image->xml), <, need - FSN_SAVE_IMAGE_HEADER_SIZE);
    return 0;
}
