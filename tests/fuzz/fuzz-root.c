/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A root. The fuzzer cannot make a SHA-256, so it is made here: what lies behind is then
 * reached; what parses must build the same bytes again. */
#include "config.h"

#include "repofmt/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) sealed = g_byte_array_new();
    g_autoptr(GByteArray) again = NULL;
    g_autoptr(FsnRoot) root = NULL;
    FsnId id = { { 0 } };

    (void)!fsn_root_parse(data, size, &id, "root", &root, NULL);
    g_clear_pointer(&root, fsn_root_free);
    if (size < FSN_SHA256_SIZE) {
        return 0;
    }
    g_byte_array_append(sealed, data, (guint)(size - FSN_SHA256_SIZE));
    fsn_object_seal(sealed);
    memcpy(id.bytes, sealed->data + sealed->len - FSN_SHA256_SIZE, FSN_ID_SIZE);
    if (fsn_root_parse(sealed->data, sealed->len, &id, "root", &root, NULL)) {
        again = fsn_root_build(root, &id);
        g_assert_cmpint(again->len, ==, sealed->len);
    }
    return 0;
}
