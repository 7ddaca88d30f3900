/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The working set of a VM as one sequential read: written after a suspend is complete. */
#include "config.h"

#include "cycle/workingset-pack.h"

#include "base/error.h"
#include "memory/workingset.h"
#include "repo/image.h"
#include "repo/sequence.h"

static FsnWorkingSet *
read_set(FsnRepo *repo, const char *uuid, GError **error)
{
    g_autofree char *name = g_strconcat("workingset/", uuid, NULL);
    g_autoptr(GBytes) bytes = NULL;
    FsnWorkingSet *set;

    return fsn_repo_get_ref(repo, name, FSN_WORKING_SET_BYTES, &bytes, error) &&
                   fsn_working_set_parse(bytes, &set, error)
               ? set
               : NULL;
}

static bool
write_sequence(FsnRepo *repo,
               const char *id,
               const char *root,
               const FsnWorkingSet *set,
               GError **error)
{
    g_autoptr(FsnImage) image = fsn_image_open(repo, root, error);
    uint32_t n = fsn_working_set_length(set);
    const FsnWorkingEntry *entries = fsn_working_set_entries(set);
    g_autofree uint64_t *granules = g_new(uint64_t, n);
    size_t used = 0;

    if (!image) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        /* A VM whose memory shrank may know pages that are no more. */
        if (entries[i].granule < fsn_image_n_granules(image)) {
            granules[used++] = entries[i].granule;
        }
    }
    return fsn_sequence_write(repo, id, image, granules, used, FSN_CODEC_LZ4, error);
}

void
fsn_workingset_pack(FsnRepo *repo, const char *uuid, const char *id, const char *root)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnWorkingSet) set = read_set(repo, uuid, &error);

    if (!set) {
        if (!g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_warning("working set of %s: %s", uuid, error->message);
        }
        return;
    }
    if (!write_sequence(repo, id, root, set, &error)) {
        g_warning("working set of snapshot %s: %s", id, error->message);
    }
}
