/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes through the framing of QMP, twice: at once, and cut at places that the input
 * chooses. Both must find the same messages and end in the same way, and no message may
 * exceed the limit.
 */
#include "config.h"

#include "base/json.h"
#include "qmp/framing.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MESSAGE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Adds the messages of one chunk to @found; false after an error. */
static bool
push_chunk(FsnQmpFraming *framing, const char *data, size_t len, GPtrArray *found)
{
    for (size_t done = 0; done < len;) {
        char *message;
        size_t used;

        if (!fsn_qmp_framing_push(framing, data + done, len - done, &used, &message,
                                  NULL)) {
            return false;
        }
        if (used == 0 || used > len - done) {
            abort();
        }
        done += used;
        if (message) {
            g_ptr_array_add(found, message);
        }
    }
    return true;
}

static void
check_message(const char *message)
{
    g_autoptr(JsonObject) object = NULL;
    size_t len = strlen(message);

    if (len > MAX_MESSAGE || message[0] != '{' || message[len - 1] != '}') {
        abort();
    }
    (void)!fsn_json_parse_object(message, len, MAX_MESSAGE, "fuzz", &object, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(FsnQmpFraming) whole = fsn_qmp_framing_new(MAX_MESSAGE);
    g_autoptr(FsnQmpFraming) cut = fsn_qmp_framing_new(MAX_MESSAGE);
    g_autoptr(GPtrArray) expected = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    const char *text = (const char *)data;
    bool expected_ok = push_chunk(whole, text, size, expected);
    bool ok = true;
    size_t step;

    for (size_t i = 0; i < size && ok; i += step) {
        step = MIN((size_t)data[i] % 7 + 1, size - i);
        ok = push_chunk(cut, text + i, step, found);
    }
    if (ok != expected_ok || found->len != expected->len) {
        abort();
    }
    for (guint i = 0; i < found->len; i++) {
        if (strcmp(found->pdata[i], expected->pdata[i]) != 0) {
            abort();
        }
        check_message(found->pdata[i]);
    }
    return 0;
}
