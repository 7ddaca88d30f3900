/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of an image in progress: in memory while it is small, in a mapped scratch file
 * without a name when it is not. The file's space is taken at once, since a mapped file
 * that cannot grow because the disk is full would end the process with a signal.
 */
#include "config.h"

#include "repo/granule-map.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Maps up to this size (of guests up to 10.6 GiB) are kept in memory. */
#define MEMORY_LIMIT ((size_t)64 << 20)

struct FsnGranuleMap {
    FsnMapEntry *entries;
    size_t size;
    bool in_file;
};

/* Maps @size bytes of a scratch file; MAP_FAILED, with the error set, if that fails. */
static void *
map_scratch(FsnRepo *repo, size_t size, GError **error)
{
    int fd = fsn_blob_scratch(fsn_repo_store(repo), error);
    void *p = MAP_FAILED;
    int saved;

    if (fd < 0) {
        return MAP_FAILED;
    }
    saved = posix_fallocate(fd, 0, (off_t)size);
    if (saved == 0) {
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        saved = errno;
    }
    if (p == MAP_FAILED) {
        fsn_set_errno(error, saved, "cannot make room for the index in progress");
    }
    close(fd);
    return p;
}

FsnGranuleMap *
fsn_granule_map_new(FsnRepo *repo, uint64_t n_granules, GError **error)
{
    size_t size = (size_t)MAX(n_granules, 1) * sizeof(FsnMapEntry);
    bool in_file = size > MEMORY_LIMIT;
    FsnGranuleMap *map;
    void *p;

    if (in_file) {
        p = map_scratch(repo, size, error);
    } else {
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) {
            fsn_set_errno(error, errno, "no memory for the index in progress");
        }
    }
    if (p == MAP_FAILED) {
        return NULL;
    }
    map = g_new0(FsnGranuleMap, 1);
    map->entries = p;
    map->size = size;
    map->in_file = in_file;
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
    if (map->in_file) {
        (void)madvise(map->entries, map->size, MADV_DONTNEED);
    }
}
