/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU refuses a state by a line on its standard error and ends; for whoever sent the state
 * the connection just closes. libvirt keeps the line in its log of the domain. A message is
 * made better by it where it is there, nothing is decided by it.
 */
#include "config.h"

#include "virt/last-words.h"

#include "base/files.h"
#include "virt/folders.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL     (16u << 10)
#define MAX_LINE 300u
#define SPEAKER  " qemu-system-"

/* "2026-01-31T12:00:00.123456Z qemu-system-x86_64: TEXT": TEXT within @line, or NULL. */
static const char *
text_of(const char *line, int64_t since_us)
{
    const char *speaker = strstr(line, SPEAKER);
    const char *text = speaker ? strstr(speaker, ": ") : NULL;
    g_autofree char *stamp = speaker ? g_strndup(line, (gsize)(speaker - line)) : NULL;
    g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(stamp, NULL) : NULL;

    if (!time ||
        g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time) <
            since_us) {
        return NULL;
    }
    text += strlen(": ");
    return g_str_has_prefix(text, "warning: ") || g_str_has_prefix(text, "terminating ")
               ? NULL
               : text;
}

char *
fsn_last_words_find(const char *text, size_t len, int64_t since_us)
{
    g_autofree char *copy = g_strndup(text, len);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);

    for (char **line = lines; *line; line++) {
        const char *words = text_of(*line, since_us);

        if (words && *words) {
            g_autofree char *short_words = g_strndup(words, MAX_LINE);

            return g_utf8_make_valid(g_strchomp(short_words), -1);
        }
    }
    return NULL;
}

char *
fsn_virt_last_words(const FsnVirt *virt, const char *name, int64_t since_us)
{
    g_autofree char *folder = fsn_virt_folder(virt, FSN_VIRT_FOLDER_LOGS);
    g_autofree char *file = g_strconcat(name, ".log", NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *tail = g_malloc(TAIL);
    char *words = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        size_t n = (size_t)MIN((uint64_t)st.st_size, TAIL);

        if (fsn_pread_all(fd, tail, n, (uint64_t)st.st_size - n, path, NULL)) {
            words = fsn_last_words_find(tail, n, since_us);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return words;
}
