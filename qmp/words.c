/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which refusal of QEMU is which. Its error classes say GenericError to nearly everything, so
 * that the words have to be read. A phrase that a newer QEMU words differently stays
 * FSN_ERROR_FAILED: the caller then reports instead of going on, which is safe. Names of
 * nodes, bitmaps and jobs are quoted within the words, so phrases are looked for at the
 * beginning or the end of them, not in between, wherever that is possible.
 */
#include "config.h"

#include "qmp/words.h"

#include "base/error.h"

#include <string.h>

typedef enum {
    AT_START,
    AT_END,
    ANYWHERE,
} Place;

static const struct {
    const char *phrase;
    Place place;
    FsnError code;
} known[] = {
    { "NBD server not running", AT_START, FSN_ERROR_STATE },
    { "NBD server already running", AT_START, FSN_ERROR_BUSY },
    { "Background-snapshot is not supported", AT_START, FSN_ERROR_UNSUPPORTED },
    { "Background-snapshot is not compatible", AT_START, FSN_ERROR_UNSUPPORTED },
    { "Bitmap already exists", AT_START, FSN_ERROR_EXISTS },
    { "Duplicate nodes with node-name", AT_START, FSN_ERROR_EXISTS },
    { "is already in use", AT_END, FSN_ERROR_EXISTS },
    { "already in use by", ANYWHERE, FSN_ERROR_EXISTS },
    { "not found", AT_END, FSN_ERROR_NOT_FOUND },
    { "not been found", AT_END, FSN_ERROR_NOT_FOUND },
    { "Cannot find device='", ANYWHERE, FSN_ERROR_NOT_FOUND },
    { "Failed to find node", AT_START, FSN_ERROR_NOT_FOUND },
    { "Could not find node", AT_START, FSN_ERROR_NOT_FOUND },
    { "currently in use", ANYWHERE, FSN_ERROR_BUSY },
    { "still in use", AT_END, FSN_ERROR_BUSY },
    { "is in use", AT_END, FSN_ERROR_BUSY },
    { "is busy: ", ANYWHERE, FSN_ERROR_BUSY },
    { "is in use by ", ANYWHERE, FSN_ERROR_BUSY },
    { "cannot accept command verb", ANYWHERE, FSN_ERROR_STATE },
};

static bool
is_at(const char *text, const char *phrase, Place place)
{
    switch (place) {
    case AT_START:
        return g_str_has_prefix(text, phrase);
    case AT_END:
        return g_str_has_suffix(text, phrase);
    case ANYWHERE:
        return strstr(text, phrase) != NULL;
    }
    return false;
}

void
fsn_qmp_judge_words(GError *error)
{
    static const char prefix[] = "QEMU: ";

    if (!g_error_matches(error, FSN_ERROR, FSN_ERROR_FAILED) ||
        !g_str_has_prefix(error->message, prefix)) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (is_at(error->message + strlen(prefix), known[i].phrase, known[i].place)) {
            error->code = (int)known[i].code;
            return;
        }
    }
}

bool
fsn_qmp_execute_judged(FsnQmp *qmp,
                       const char *name,
                       JsonObject *arguments,
                       GError **error)
{
    g_autoptr(GError) local = NULL;

    if (!fsn_qmp_execute(qmp, name, arguments, NULL, &local)) {
        fsn_qmp_judge_words(local);
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return true;
}
