/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol is stable and a datagram long; a library for it would be linked for 40 lines. */
#include "config.h"

#include "daemon/notify.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct FsnNotify {
    int fd; /* -1: nobody listens */
    struct sockaddr_un address;
    socklen_t address_len;
    int64_t watchdog_us;
};

/* A path, or with '@' a name in the abstract space. */
static bool
set_address(FsnNotify *notify, const char *path)
{
    size_t len = strlen(path);

    if ((*path != '/' && *path != '@') || len < 2 ||
        len >= sizeof notify->address.sun_path) {
        return false;
    }
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, path, len);
    notify->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (*path == '@') {
        notify->address.sun_path[0] = 0;
    } else {
        notify->address_len++;
    }
    return true;
}

static int64_t
read_watchdog(void)
{
    const char *text = g_getenv("WATCHDOG_USEC");
    const char *whose = g_getenv("WATCHDOG_PID");
    guint64 us = 0;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &us, NULL) ||
        (whose && g_ascii_strtoll(whose, NULL, 10) != getpid())) {
        return 0;
    }
    return (int64_t)us / 2;
}

FsnNotify *
fsn_notify_new(void)
{
    FsnNotify *notify = g_new0(FsnNotify, 1);
    const char *path = g_getenv("NOTIFY_SOCKET");

    notify->fd = -1;
    notify->watchdog_us = read_watchdog();
    if (path && set_address(notify, path)) {
        notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("WATCHDOG_USEC");
    g_unsetenv("WATCHDOG_PID");
    return notify;
}

void
fsn_notify_free(FsnNotify *notify)
{
    if (notify && notify->fd >= 0) {
        close(notify->fd);
    }
    g_free(notify);
}

void
fsn_notify_send(FsnNotify *notify, const char *text)
{
    if (notify->fd >= 0) {
        (void)!sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
                      (const struct sockaddr *)&notify->address, notify->address_len);
    }
}

int64_t
fsn_notify_watchdog_us(const FsnNotify *notify)
{
    return notify->fd >= 0 ? notify->watchdog_us : 0;
}
