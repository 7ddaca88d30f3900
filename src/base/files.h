/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* Writes or reads exactly @len bytes, retrying on EINTR and short transfers. A premature
 * end is FSN_ERROR_CORRUPT; @what names the object in messages. */
bool fsn_write_all(int fd, const void *data, size_t len, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_pwrite_all(int fd,
                    const void *data,
                    size_t len,
                    uint64_t offset,
                    const char *what,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_pread_all(
    int fd, void *data, size_t len, uint64_t offset, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Makes the entries of folder @path durable. */
bool fsn_dir_sync(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes @data to a temporary file beside @path, fsyncs, renames over @path and fsyncs the
 * folder: afterwards @path holds either the old or the new contents, whatever happens. */
bool fsn_file_replace(const char *path,
                      const void *data,
                      size_t len,
                      mode_t mode,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, but fails with FSN_ERROR_EXISTS if @path is there: of several callers exactly
 * one succeeds, and the file is never seen half written. */
bool fsn_file_create_exclusive(const char *path,
                               const void *data,
                               size_t len,
                               mode_t mode,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a whole file of at most @max bytes; a longer one is FSN_ERROR_FORMAT. */
bool fsn_file_read(const char *path, size_t max, GBytes **out_bytes, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Makes folder @path and its parents with @mode; one that is there is left as it is. */
bool fsn_mkdirs(const char *path, mode_t mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes @path and fsyncs its folder; true also if it was not there. */
bool fsn_file_remove_durable(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
