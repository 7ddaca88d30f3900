/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes by number and start. Numbers are used again; a signal for a process that has ended
 * must never reach its successor, so it goes through a descriptor that was opened before the
 * start was compared.
 */
#include "config.h"

#include "jobs/process-id.h"

#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* Of the fields behind the name, which stands in parentheses and may hold anything. */
#define FIELD_STATE 0
#define FIELD_START 19

static char *
field_of(const char *stat_text, guint field)
{
    const char *behind = strrchr(stat_text, ')');
    g_auto(GStrv) fields = NULL;

    if (!behind || behind[1] != ' ') {
        return NULL;
    }
    fields = g_strsplit(behind + 2, " ", FIELD_START + 2);
    return field < g_strv_length(fields) ? g_strdup(fields[field]) : NULL;
}

int64_t
fsn_process_start_of(const char *stat_text)
{
    g_autofree char *start = field_of(stat_text, FIELD_START);

    return start ? g_ascii_strtoll(start, NULL, 10) : 0;
}

static char *
read_stat(int64_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

FsnProcessId
fsn_process_id(int64_t pid)
{
    g_autofree char *text = read_stat(pid);
    int64_t start = text ? fsn_process_start_of(text) : 0;

    return start > 0 ? (FsnProcessId){ pid, start } : (FsnProcessId){ 0, 0 };
}

bool
fsn_process_lives(const FsnProcessId *id)
{
    g_autofree char *text = id->pid > 0 ? read_stat(id->pid) : NULL;
    g_autofree char *state = text ? field_of(text, FIELD_STATE) : NULL;

    return state && fsn_process_start_of(text) == id->start && *state != 'Z' &&
           *state != 'X';
}

int
fsn_process_open(const FsnProcessId *id)
{
    int fd = id->pid > 0 ? pidfd_open((pid_t)id->pid, 0) : -1;

    if (fd >= 0 && !fsn_process_lives(id)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool
fsn_process_signal(const FsnProcessId *id, int signum)
{
    int fd = fsn_process_open(id);
    bool sent;

    if (fd < 0) {
        return false;
    }
    sent = pidfd_send_signal(fd, signum, NULL, 0) == 0;
    close(fd);
    return sent;
}
