/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stored disk to a file or block device. Threads take pieces of the disk in turn, each with
 * a reader of its own; only data is written. Where the target was empty nothing else is
 * needed, elsewhere what has to be zero is punched out, or written where that is not
 * possible. Bytes are verified on the way, and the first error ends all threads. What is
 * there when it fails is for the caller to throw away.
 */
#include "config.h"

#include "disk/write-image.h"

#include "base/error.h"
#include "base/files.h"
#include "repo/image-runs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a thread takes at a time, and the most it reads and writes at once. */
#define PIECE_GRANULES  2048u
#define BUFFER_GRANULES 256u
/* Zeros take no reading, so an empty part is taken in longer pieces. */
#define EMPTY_GRANULES  (1u << 20)

typedef struct {
    FsnImage *image;
    uint64_t size;
    uint64_t n_granules;
    int fd;
    const char *what;
    const FsnWriteImageOptions *options;
    bool fresh; /* the target reads as zero where it is not written */

    GMutex lock;     /* of all below */
    uint64_t next;   /* first granule that nobody has taken */
    uint64_t done;   /* granules */
    uint64_t bytes;  /* written */
    bool no_punch;   /* the target cannot do it */
    GError *failure; /* the first */
} Job;

static uint64_t
bytes_of(const Job *job, uint64_t first, uint64_t count)
{
    uint64_t begin = first * FSN_GRANULE_SIZE;

    return MIN(count * FSN_GRANULE_SIZE, job->size - begin);
}

static bool
write_zeros(Job *job, uint64_t offset, uint64_t len, uint8_t *buffer, GError **error)
{
    memset(buffer, 0, MIN(len, (uint64_t)BUFFER_GRANULES * FSN_GRANULE_SIZE));
    while (len > 0) {
        uint64_t part = MIN(len, (uint64_t)BUFFER_GRANULES * FSN_GRANULE_SIZE);

        if (!fsn_pwrite_all(job->fd, buffer, part, offset, job->what, error)) {
            return false;
        }
        offset += part;
        len -= part;
    }
    return true;
}

/* Zeros where there may be something else. */
static bool
clear_run(Job *job, uint64_t first, uint64_t count, uint8_t *buffer, GError **error)
{
    uint64_t offset = first * FSN_GRANULE_SIZE;
    uint64_t len = bytes_of(job, first, count);
    bool punch;

    if (job->fresh) {
        return true;
    }
    g_mutex_lock(&job->lock);
    punch = !job->no_punch;
    g_mutex_unlock(&job->lock);
    if (punch) {
        if (fallocate(job->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                      (off_t)len) == 0) {
            return true;
        }
        /* EINVAL: a block device and a part that is no whole number of its sectors. */
        if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL &&
            errno != ENODEV) {
            return fsn_set_errno(error, errno, "cannot clear a part of '%s'", job->what);
        }
        if (errno != EINVAL) {
            g_mutex_lock(&job->lock);
            job->no_punch = true;
            g_mutex_unlock(&job->lock);
        }
    }
    return write_zeros(job, offset, len, buffer, error);
}

static bool
write_data(Job *job,
           FsnImageReader *reader,
           uint64_t first,
           uint64_t count,
           uint8_t *buffer,
           GError **error)
{
    while (count > 0) {
        uint64_t n = MIN(count, BUFFER_GRANULES);

        if (!fsn_image_reader_read_run(reader, first, n, buffer, error) ||
            !fsn_pwrite_all(job->fd, buffer, bytes_of(job, first, n),
                            first * FSN_GRANULE_SIZE, job->what, error)) {
            return false;
        }
        first += n;
        count -= n;
    }
    return true;
}

static bool
write_piece(Job *job,
            FsnImageReader *reader,
            uint64_t first,
            uint64_t count,
            uint8_t *buffer,
            uint64_t *out_bytes,
            GError **error)
{
    uint64_t written = 0;

    while (count > 0) {
        FsnGranuleKind kind;
        uint64_t n;
        bool ok;

        if (!fsn_image_next_run(job->image, first, count, &kind, &n, error)) {
            return false;
        }
        if (kind == FSN_GRANULE_DATA) {
            ok = write_data(job, reader, first, n, buffer, error);
            written += bytes_of(job, first, n);
        } else {
            ok = clear_run(job, first, n, buffer, error);
        }
        if (!ok) {
            return false;
        }
        first += n;
        count -= n;
    }
    *out_bytes = written;
    return true;
}

static void
fail(Job *job, GError *error)
{
    g_mutex_lock(&job->lock);
    if (job->failure) {
        g_error_free(error);
    } else {
        job->failure = error;
    }
    g_mutex_unlock(&job->lock);
}

/* The next piece; false if there is none, or no reason to go on. An empty part that begins
 * there is one piece, however long. */
static bool
take_piece(Job *job, uint64_t *out_first, uint64_t *out_count)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&job->lock);
    FsnGranuleKind kind;
    uint64_t n;

    if (!job->failure && job->options->cancellable &&
        g_cancellable_is_cancelled(job->options->cancellable)) {
        g_set_error(&job->failure, FSN_ERROR, FSN_ERROR_CANCELLED, "interrupted");
    }
    if (job->failure || job->next == job->n_granules ||
        !fsn_image_next_run(job->image, job->next, PIECE_GRANULES, &kind, &n,
                            &job->failure)) {
        return false;
    }
    if (kind == FSN_GRANULE_DATA || n < PIECE_GRANULES) {
        n = MIN(PIECE_GRANULES, job->n_granules - job->next);
    } else if (!fsn_image_next_run(job->image, job->next, EMPTY_GRANULES, &kind, &n,
                                   &job->failure)) {
        return false;
    }
    *out_first = job->next;
    *out_count = n;
    job->next += n;
    return true;
}

/* The storage begins to write while the next pieces are decompressed: the sync at the end
 * would otherwise be half of the time. */
static void
begin_write_back(const Job *job, uint64_t first, uint64_t count)
{
    (void)sync_file_range(job->fd, (off_t)(first * FSN_GRANULE_SIZE),
                          (off_t)(count * FSN_GRANULE_SIZE),
                          SYNC_FILE_RANGE_WRITE); /* advice: errors come with the sync */
}

static void
finish_piece(Job *job, uint64_t count, uint64_t bytes)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&job->lock);

    job->done += count;
    job->bytes += bytes;
    if (job->options->progress) {
        job->options->progress(MIN(job->done * FSN_GRANULE_SIZE, job->size), job->size,
                               job->options->user);
    }
}

static gpointer
work(gpointer data)
{
    Job *job = data;
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(job->image);
    g_autofree uint8_t *buffer = g_malloc((size_t)BUFFER_GRANULES * FSN_GRANULE_SIZE);
    uint64_t first;
    uint64_t count;
    uint64_t bytes;

    while (take_piece(job, &first, &count)) {
        GError *error = NULL;

        if (!write_piece(job, reader, first, count, buffer, &bytes, &error)) {
            fail(job, error);
            break;
        }
        if (bytes > 0) {
            begin_write_back(job, first, count);
        }
        finish_piece(job, count, bytes);
    }
    return NULL;
}

static bool
refuse_small(const char *what, uint64_t found, uint64_t size, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                "'%s' has %" G_GUINT64_FORMAT
                " bytes, and the disk in the snapshot needs %" G_GUINT64_FORMAT,
                what, found, size);
    return false;
}

/* Checks the size of the target, and gives a file its own. */
static bool
fit_target(Job *job, GError **error)
{
    struct stat st;
    uint64_t device;

    if (fstat(job->fd, &st) != 0) {
        return fsn_set_errno(error, errno, "cannot look at '%s'", job->what);
    }
    if (S_ISBLK(st.st_mode)) {
        if (ioctl(job->fd, BLKGETSIZE64, &device) != 0) {
            return fsn_set_errno(error, errno, "cannot ask '%s' for its size", job->what);
        }
        return device >= job->size || refuse_small(job->what, device, job->size, error);
    }
    if (!S_ISREG(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' is neither a file nor a block device", job->what);
        return false;
    }
    if (st.st_size > 0 && (uint64_t)st.st_size < job->size) {
        return refuse_small(job->what, (uint64_t)st.st_size, job->size, error);
    }
    job->fresh = st.st_size == 0;
    if ((uint64_t)st.st_size != job->size && ftruncate(job->fd, (off_t)job->size) != 0) {
        return fsn_set_errno(error, errno, "cannot set the size of '%s'", job->what);
    }
    return true;
}

static void
run_threads(Job *job)
{
    unsigned wanted =
        job->options->threads ? job->options->threads : g_get_num_processors();
    unsigned useful = (unsigned)MIN(job->n_granules / PIECE_GRANULES + 1, 64);
    unsigned n = CLAMP(wanted, 1, useful);
    g_autofree GThread **threads = g_new0(GThread *, n);

    for (unsigned i = 1; i < n; i++) {
        threads[i] = g_thread_new("write-image", work, job);
    }
    (void)work(job); /* has no result */
    for (unsigned i = 1; i < n; i++) {
        (void)g_thread_join(threads[i]); /* likewise */
    }
}

bool
fsn_image_check_size(FsnImage *image, uint64_t size, GError **error)
{
    uint64_t n = size / FSN_GRANULE_SIZE + (size % FSN_GRANULE_SIZE != 0);

    if (fsn_image_n_granules(image) != n) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "the image has %" G_GUINT64_FORMAT
                    " granules, but a disk of %" G_GUINT64_FORMAT
                    " bytes has %" G_GUINT64_FORMAT,
                    fsn_image_n_granules(image), size, n);
        return false;
    }
    return true;
}

bool
fsn_write_image(FsnImage *image,
                uint64_t size,
                int fd,
                const char *what,
                const FsnWriteImageOptions *options,
                FsnWriteImageStats *out_stats,
                GError **error)
{
    Job job = { .image = image,
                .size = size,
                .n_granules = fsn_image_n_granules(image),
                .fd = fd,
                .what = what,
                .options = options };

    if (!fsn_image_check_size(image, size, error) || !fit_target(&job, error)) {
        return false;
    }
    g_mutex_init(&job.lock);
    run_threads(&job);
    g_mutex_clear(&job.lock);
    if (job.failure) {
        g_propagate_error(error, job.failure);
        return false;
    }
    if (fsync(fd) != 0) {
        return fsn_set_errno(error, errno, "cannot write '%s'", what);
    }
    *out_stats = (FsnWriteImageStats){ .bytes_written = job.bytes };
    return true;
}

bool
fsn_image_data_bytes(FsnImage *image, uint64_t *out_bytes, GError **error)
{
    uint64_t end = fsn_image_n_granules(image);
    uint64_t bytes = 0;
    FsnGranuleKind kind;
    uint64_t n;

    for (uint64_t g = 0; g < end; g += n) {
        if (!fsn_image_next_run(image, g, end - g, &kind, &n, error)) {
            return false;
        }
        bytes += kind == FSN_GRANULE_DATA ? n * FSN_GRANULE_SIZE : 0;
    }
    *out_bytes = bytes;
    return true;
}
