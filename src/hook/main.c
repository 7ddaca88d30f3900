/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap-hook NAME OPERATION SUBOPERATION EXTRA, with the domain's XML on standard input:
 * called by libvirt. While it runs libvirt holds the domain locked, and anybody who asks
 * for it waits; so it never calls libvirt, waits for nobody, and ends within 100 ms.
 *
 * It refuses to start a domain whose memory foresnap has saved, by whatever way, because it
 * would boot cold over it: that is decided by a marker in a file, without the daemon. Anything
 * else it only tells the daemon, if there is one, in one datagram.
 */
#include "config.h"

#include "hook/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STATE_DIR  "/var/lib/foresnap/state"
#define SOCKET     "/run/foresnap/hook.sock"
#define LIMIT_MS   90
#define MAX_XML    ((size_t)4 << 20)
#define ID_PRINTED 12

static int64_t
clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static const char *
chosen(const char *variable, const char *fallback)
{
    const char *value = getenv(variable);

    return value && *value ? value : fallback;
}

/* Looks for the UUID in what comes; what follows is read too, for libvirt writes it. */
static void
read_uuid(char out_uuid[FSN_HOOK_UUID_SIZE], int64_t end_us)
{
    static char xml[65536];
    size_t total = 0;
    size_t len = 0;

    while (total < MAX_XML) {
        int left_ms = (int)((end_us - clock_us(CLOCK_MONOTONIC)) / 1000);
        struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
        char *to = len < sizeof xml ? xml + len : xml;
        ssize_t n;

        if (left_ms <= 0 || poll(&in, 1, left_ms) <= 0) {
            return;
        }
        n = read(STDIN_FILENO, to, sizeof xml - (size_t)(to - xml));
        if (n <= 0) {
            return;
        }
        total += (size_t)n;
        if (!*out_uuid && len < sizeof xml) {
            len += (size_t)n;
            (void)fsn_hook_find_uuid(xml, len, out_uuid);
        }
    }
}

/* Non-zero with the reason on standard error, which libvirt shows, if it must not start. */
static int
veto(const char *name, const char *uuid)
{
    char path[4096];
    char snapshot[ID_PRINTED + 1] = "";
    ssize_t n;
    int fd;

    if (snprintf(path, sizeof path, "%s/guard/%s",
                 chosen("FORESNAP_STATE_DIR", STATE_DIR), uuid) >= (int)sizeof path) {
        return 0;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return 0;
    }
    /* A marker that cannot be read is a marker. */
    n = fd < 0 ? 0 : read(fd, snapshot, ID_PRINTED);
    snapshot[n > 0 ? n : 0] = 0;
    snapshot[strcspn(snapshot, "\n")] = 0;
    fprintf(stderr,
            "domain '%s' is suspended by foresnap (%s): run 'foresnap resume %s', or "
            "'foresnap discard %s' to give its memory up\n",
            name, snapshot, name, name);
    return 1;
}

static void
tell_daemon(const char *const *argv, int n, const char *uuid)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char text[FSN_HOOK_MAX];
    size_t len =
        fsn_hook_message(text, sizeof text, argv, n, uuid, clock_us(CLOCK_REALTIME));
    const char *path = chosen("FORESNAP_HOOK_SOCKET", SOCKET);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof address.sun_path) {
        return;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    /* No daemon, or one that is stuck: its rescan finds out later. */
    (void)!sendto(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&address, sizeof address);
}

int
main(int argc, char **argv)
{
    int64_t end_us = clock_us(CLOCK_MONOTONIC) + LIMIT_MS * 1000;
    char uuid[FSN_HOOK_UUID_SIZE] = "";
    int status = 0;

    if (argc < 3) {
        return 0;
    }
    read_uuid(uuid, end_us);
    if (*uuid && strcmp(argv[2], "prepare") == 0) {
        status = veto(argv[1], uuid);
    }
    tell_daemon((const char *const *)argv + 1, argc - 1, uuid);
    return status;
}
