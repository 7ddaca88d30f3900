/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of an image in progress: in memory while it is small, in a mapped scratch file
 * without a name when it is not. Only segments whose granules are of several kinds take
 * space. A file's is taken before it is used, since a mapped file that cannot grow because
 * the disk is full would end the process with a signal.
 */
#include "config.h"

#include "repo/granule-map.h"

#include "base/error.h"
#include "base/files.h"
#include "repofmt/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Maps up to this size (of guests up to 10.6 GiB) are kept in memory. */
#define MEMORY_LIMIT  ((size_t)64 << 20)
#define SEGMENT_BYTES (FSN_SEGMENT_GRANULES * sizeof(FsnMapEntry))

/* What a segment takes is whole pages. */
G_STATIC_ASSERT(SEGMENT_BYTES % 4096 == 0);

struct FsnGranuleMap {
    FsnMapEntry *entries;
    size_t size;
    int fd; /* of the scratch file; -1: in memory */
    uint32_t n_segments;
    uint8_t *fill;      /* per segment: FsnMapKind */
    FsnMapEntry *blank; /* room for a segment, with a scratch file */
};

/* Maps @size bytes of a scratch file without space of its own; null on error. */
static void *
map_scratch(FsnRepo *repo, size_t size, int *out_fd, GError **error)
{
    int fd = fsn_blob_scratch(fsn_repo_store(repo), error);
    void *p;

    if (fd < 0) {
        return NULL;
    }
    p = ftruncate(fd, (off_t)size) == 0
            ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
            : MAP_FAILED;
    if (p == MAP_FAILED) {
        fsn_set_errno(error, errno, "cannot make room for the index in progress");
        close(fd);
        return NULL;
    }
    *out_fd = fd;
    return p;
}

static void *
map_memory(size_t size, GError **error)
{
    void *p =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        fsn_set_errno(error, errno, "no memory for the index in progress");
        return NULL;
    }
    return p;
}

FsnGranuleMap *
fsn_granule_map_new(FsnRepo *repo, uint64_t n_granules, FsnMapKind kind, GError **error)
{
    uint32_t n_segments =
        (uint32_t)((n_granules + FSN_SEGMENT_GRANULES - 1) / FSN_SEGMENT_GRANULES);
    size_t size = (size_t)MAX(n_segments, 1) * SEGMENT_BYTES;
    int fd = -1;
    void *p = size > MEMORY_LIMIT ? map_scratch(repo, size, &fd, error)
                                  : map_memory(size, error);
    FsnGranuleMap *map;

    if (!p) {
        return NULL;
    }
    map = g_new0(FsnGranuleMap, 1);
    map->entries = p;
    map->size = size;
    map->fd = fd;
    map->n_segments = n_segments;
    map->fill = g_malloc(n_segments + 1);
    memset(map->fill, kind, n_segments + 1);
    map->blank = fd >= 0 ? g_malloc(SEGMENT_BYTES) : NULL;
    return map;
}

void
fsn_granule_map_free(FsnGranuleMap *map)
{
    if (map) {
        (void)munmap(map->entries, map->size);
        if (map->fd >= 0) {
            close(map->fd);
        }
        g_free(map->fill);
        g_free(map->blank);
        g_free(map);
    }
}

FsnMapKind
fsn_granule_map_fill(const FsnGranuleMap *map, uint32_t segment)
{
    return map->fill[segment];
}

void
fsn_granule_map_set_fill(FsnGranuleMap *map, uint32_t segment, FsnMapKind kind)
{
    map->fill[segment] = (uint8_t)kind;
}

const FsnMapEntry *
fsn_granule_map_segment(const FsnGranuleMap *map, uint32_t segment)
{
    g_assert(map->fill[segment] == FSN_MAP_MIXED);
    return map->entries + (size_t)segment * FSN_SEGMENT_GRANULES;
}

FsnMapEntry
fsn_granule_map_get(const FsnGranuleMap *map, uint64_t granule)
{
    uint8_t fill = map->fill[granule / FSN_SEGMENT_GRANULES];

    return fill == FSN_MAP_MIXED ? map->entries[granule] : (FsnMapEntry){ .kind = fill };
}

/* Writes a segment to the file. Through the mapping each page would first be read. */
static bool
write_blank(FsnGranuleMap *map, uint32_t segment, GError **error)
{
    const char *what = "the index in progress";
    off_t offset = (off_t)segment * (off_t)SEGMENT_BYTES;
    int code = posix_fallocate(map->fd, offset, (off_t)SEGMENT_BYTES);

    if (code != 0) {
        return fsn_set_errno(error, code, "cannot make room for %s", what);
    }
    if (lseek(map->fd, offset, SEEK_SET) < 0) {
        return fsn_set_errno(error, errno, "cannot write %s", what);
    }
    return fsn_write_all(map->fd, map->blank, SEGMENT_BYTES, what, error);
}

/* Gives the granules of a filled segment entries of their own. */
static bool
make_mixed(FsnGranuleMap *map, uint32_t segment, GError **error)
{
    FsnMapEntry *entries =
        map->fd < 0 ? map->entries + (size_t)segment * FSN_SEGMENT_GRANULES : map->blank;

    for (size_t i = 0; i < FSN_SEGMENT_GRANULES; i++) {
        entries[i] = (FsnMapEntry){ .kind = map->fill[segment] };
    }
    if (map->fd >= 0 && !write_blank(map, segment, error)) {
        return false;
    }
    map->fill[segment] = FSN_MAP_MIXED;
    return true;
}

bool
fsn_granule_map_set(FsnGranuleMap *map,
                    uint64_t granule,
                    const FsnMapEntry *entry,
                    GError **error)
{
    uint32_t segment = (uint32_t)(granule / FSN_SEGMENT_GRANULES);

    if (map->fill[segment] != FSN_MAP_MIXED) {
        if (map->fill[segment] == entry->kind) {
            return true;
        }
        if (!make_mixed(map, segment, error)) {
            return false;
        }
    }
    map->entries[granule] = *entry;
    return true;
}

void
fsn_granule_map_trim(FsnGranuleMap *map)
{
    /* Of a shared mapping this drops only the mapping of the pages, not the data. */
    if (map->fd >= 0) {
        (void)madvise(map->entries, map->size, MADV_DONTNEED);
    }
}
