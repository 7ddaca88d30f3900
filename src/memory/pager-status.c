/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pager's account of itself. The file is replaced atomically but not synced: after a
 * power loss there is nothing to report on. A reader who is gone or slow never stops a load.
 */
#include "config.h"

#include "memory/pager-status.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
set_int(JsonObject *o, const char *name, uint64_t value)
{
    json_object_set_int_member(o, name, (int64_t)value);
}

static void
set_since(JsonObject *o, const char *name, int64_t at_us, int64_t begun_us)
{
    json_object_set_int_member(o, name, at_us > 0 ? at_us - begun_us : 0);
}

/* Time left at the average speed so far. */
static void
set_eta(JsonObject *o, FsnArena *arena, int64_t now_us)
{
    int64_t started = fsn_arena_get(arena, started_us);
    uint64_t sent = fsn_arena_get(arena, pages_sent);
    uint64_t total = arena->shared->n_pages;

    if (started > 0 && sent > 0 && now_us > started) {
        set_int(o, "eta_us",
                (uint64_t)((double)(now_us - started) / (double)sent *
                           (double)(total - MIN(sent, total))));
    } else {
        json_object_set_null_member(o, "eta_us");
    }
}

static void
set_counters(JsonObject *o, FsnArena *arena)
{
    set_int(o, "pages_total", arena->shared->n_pages);
    set_int(o, "pages_sent", fsn_arena_get(arena, pages_sent));
    set_int(o, "pages_zero", fsn_arena_get(arena, pages_zero));
    set_int(o, "bytes_sent", fsn_arena_get(arena, bytes_sent));
    set_int(o, "requests", fsn_arena_get(arena, requests));
    set_int(o, "late", fsn_arena_get(arena, late));
    set_int(o, "working_set_pages", fsn_arena_get(arena, list_pages));
    set_int(o, "probes", fsn_arena_get(arena, probes));
    set_int(o, "worker_restarts", fsn_arena_get(arena, restarts));
}

char *
fsn_pager_status_text(const FsnPagerStatus *s, FsnArena *arena, int64_t now_us)
{
    g_autoptr(JsonObject) o = json_object_new();
    int64_t begun = s->begun_us;

    json_object_set_string_member(o, "phase", s->phase);
    json_object_set_string_member(o, "domain", s->plan->domain_name);
    json_object_set_string_member(o, "uuid", s->plan->domain_uuid);
    json_object_set_string_member(o, "snapshot", s->plan->snapshot);
    json_object_set_string_member(o, "mode", fsn_pager_mode_name(s->plan->mode));
    json_object_set_int_member(o, "pid", getpid());
    json_object_set_boolean_member(o, "ran",
                                   s->ran || (arena && fsn_arena_get(arena, ran) != 0));
    json_object_set_string_member(o, "error", s->error);
    set_since(o, "domain_created_us", s->created_us, begun);
    set_since(o, "connected_us", s->connected_us, begun);
    set_since(o, "ready_us", s->ready_us, begun);
    set_since(o, "running_us", s->running_us, begun);
    set_since(o, "loaded_us", s->loaded_us, begun);
    set_since(o, "elapsed_us", now_us, begun);
    set_int(o, "supervisor_restarts", s->supervisor_restarts);
    if (arena) {
        set_counters(o, arena);
        set_eta(o, arena, now_us);
    }
    return fsn_json_to_text(o, false);
}

static void
write_quietly(int fd, const char *text, size_t len)
{
    ssize_t n;

    do {
        n = write(fd, text, len);
    } while (n < 0 && errno == EINTR); /* other failures: nobody reads */
}

void
fsn_pager_status_save(const FsnPagerStatus *s, FsnArena *arena)
{
    g_autofree char *text = NULL;
    g_autofree char *temp = NULL;
    int fd;

    if (!s->plan->status_file) {
        return;
    }
    text = fsn_pager_status_text(s, arena, fsn_monotonic_us());
    temp = g_strdup_printf("%s.%d.tmp", s->plan->status_file, (int)getpid());
    fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        write_quietly(fd, text, strlen(text));
        close(fd);
        if (rename(temp, s->plan->status_file) < 0) {
            (void)unlink(temp);
        }
    }
}

void
fsn_pager_status_enter(FsnPagerStatus *s,
                       FsnArena *arena,
                       const char *phase,
                       const char *error_text)
{
    g_autofree char *line = NULL;
    g_autofree char *text = NULL;

    s->phase = phase;
    g_free(s->error);
    s->error = g_strdup(error_text);
    if (s->fd >= 0) {
        text = fsn_pager_status_text(s, arena, fsn_monotonic_us());
        line = g_strconcat(text, "\n", NULL);
        write_quietly(s->fd, line, strlen(line));
    }
    fsn_pager_status_save(s, arena);
}
