/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams of foresnap-hook. Only root can write to the socket, and still each is checked. */
#include "config.h"

#include "daemon/hooks.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "daemon/source.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_DATAGRAM 4096
/* So many at a time; the loop has other things to do too. */
#define MAX_AT_ONCE  128

struct FsnHooks {
    char *path;
    int fd;
    GSource *source;
    FsnHooksFunc func;
    gpointer user;
};

bool
fsn_hooks_parse(const char *text, size_t len, FsnHookNews *out_news, gpointer *out_keep)
{
    g_autoptr(JsonObject) object = NULL;
    FsnHookNews news;
    int64_t version;

    if (!fsn_json_parse_object(text, len, MAX_DATAGRAM, "news", &object, NULL) ||
        !fsn_json_get_int(object, "version", 1, 1, &version, NULL) ||
        !fsn_json_get_string(object, "name", &news.name, NULL) ||
        !fsn_json_get_string(object, "op", &news.operation, NULL)) {
        return false;
    }
    news.uuid = fsn_json_peek_string(object, "uuid", "");
    *out_news = news;
    *out_keep = g_steal_pointer(&object);
    return true;
}

static gboolean
on_readable(gint fd, GIOCondition condition, gpointer user)
{
    FsnHooks *hooks = user;
    char text[MAX_DATAGRAM + 1];

    for (int i = 0; i < MAX_AT_ONCE; i++) {
        ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
        FsnHookNews news;
        gpointer keep;

        if (n < 0) {
            break; /* no more, or nothing that can be done about it */
        }
        if (n <= MAX_DATAGRAM && fsn_hooks_parse(text, (size_t)n, &news, &keep)) {
            hooks->func(&news, hooks->user);
            json_object_unref(keep);
        }
    }
    return G_SOURCE_CONTINUE;
}

bool
fsn_hooks_is_change(const char *operation)
{
    /* "prepare" and "start" come before anything has happened, "restore" and "migrate" ask
     * whether it may. */
    static const char *const changes[] = { "started",   "stopped", "release",
                                           "reconnect", "attach",  NULL };

    return g_strv_contains(changes, operation);
}

static bool
set_address(struct sockaddr_un *out_address, const char *path, GError **error)
{
    *out_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof out_address->sun_path) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "the path '%s' is too long", path);
        return false;
    }
    memcpy(out_address->sun_path, path, strlen(path) + 1);
    return true;
}

/* Removes a socket that nobody listens at any more; anything else stays. */
static bool
make_room(int fd, const struct sockaddr_un *address, GError **error)
{
    const char *path = address->sun_path;
    struct stat st;

    if (lstat(path, &st) != 0) {
        return errno == ENOENT ||
               fsn_set_errno(error, errno, "cannot look at '%s'", path);
    }
    if (!S_ISSOCK(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "'%s' is no socket", path);
        return false;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY, "another process listens at '%s'",
                    path);
        return false;
    }
    return unlink(path) == 0 || fsn_set_errno(error, errno, "cannot replace '%s'", path);
}

/* The folder is for other sockets too, whatever this process' mask is. */
static bool
make_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    mode_t before = umask(022);
    bool ok = fsn_mkdirs(folder, 0755, error);

    umask(before);
    return ok;
}

static bool
bind_privately(int fd, const struct sockaddr_un *address, GError **error)
{
    mode_t before = umask(0177);
    bool bound = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    int errnum = errno;

    umask(before);
    return bound ||
           fsn_set_errno(error, errnum, "cannot listen at '%s'", address->sun_path);
}

static bool
listen_at(FsnHooks *hooks, GError **error)
{
    struct sockaddr_un address;

    if (!set_address(&address, hooks->path, error) || !make_folder(hooks->path, error)) {
        return false;
    }
    hooks->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (hooks->fd < 0) {
        return fsn_set_errno(error, errno, "cannot make a socket");
    }
    if (!make_room(hooks->fd, &address, error) ||
        !bind_privately(hooks->fd, &address, error)) {
        return false;
    }
    hooks->source = fsn_source_attach(g_unix_fd_source_new(hooks->fd, G_IO_IN),
                                      G_SOURCE_FUNC(on_readable), hooks);
    return true;
}

FsnHooks *
fsn_hooks_new(const char *path, FsnHooksFunc func, gpointer user, GError **error)
{
    g_autoptr(FsnHooks) hooks = g_new0(FsnHooks, 1);

    hooks->fd = -1;
    hooks->path = g_strdup(path);
    hooks->func = func;
    hooks->user = user;
    return listen_at(hooks, error) ? g_steal_pointer(&hooks) : NULL;
}

void
fsn_hooks_free(FsnHooks *hooks)
{
    if (!hooks) {
        return;
    }
    if (hooks->source) {
        fsn_source_clear(&hooks->source);
        (void)g_unlink(hooks->path); /* the next one replaces it */
    }
    if (hooks->fd >= 0) {
        close(hooks->fd);
    }
    g_free(hooks->path);
    g_free(hooks);
}
