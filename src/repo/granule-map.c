/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of an image in progress. The scratch file has no name and is sparse, so it is
 * gone with the process and takes no space where nothing was put.
 */
#include "config.h"

#include "repo/granule-map.h"

#include "base/error.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

struct FsnGranuleMap {
    FsnMapEntry *entries;
    size_t size;
};

FsnGranuleMap *
fsn_granule_map_new(FsnRepo *repo, uint64_t n_granules, GError **error)
{
    size_t size = (size_t)MAX(n_granules, 1) * sizeof(FsnMapEntry);
    int fd = fsn_blob_scratch(fsn_repo_store(repo), error);
    FsnGranuleMap *map;
    void *p = MAP_FAILED;

    if (fd < 0) {
        return NULL;
    }
    if (ftruncate(fd, (off_t)size) == 0) {
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (p == MAP_FAILED) {
        fsn_set_errno(error, errno, "cannot map the index in progress");
        close(fd);
        return NULL;
    }
    close(fd);
    map = g_new0(FsnGranuleMap, 1);
    map->entries = p;
    map->size = size;
    return map;
}

void
fsn_granule_map_free(FsnGranuleMap *map)
{
    if (map) {
        (void)munmap(map->entries, map->size);
        g_free(map);
    }
}

FsnMapEntry *
fsn_granule_map_entries(FsnGranuleMap *map)
{
    return map->entries;
}

void
fsn_granule_map_trim(FsnGranuleMap *map)
{
    /* Of a shared mapping this drops only the mapping of the pages, not the data. */
    (void)madvise(map->entries, map->size, MADV_DONTNEED);
}
