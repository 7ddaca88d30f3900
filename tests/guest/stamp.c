/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stamp SOCKET LOG COMMANDS: the host's end of a guest's serial console.
 *
 * Connects to QEMU's socket and appends each line the guest prints to LOG, behind the
 * host's time of its arrival in microseconds since the epoch. What is written to the
 * FIFO COMMANDS goes to the guest. When QEMU ends it waits for the next one at the same
 * path: a suspended and resumed guest has one log. A new connection is noted as "+".
 * It never ends by itself, except when it cannot do its work.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RETRY_NS 1000000 /* QEMU drops what it prints while nobody listens */

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int
connect_to(const struct sockaddr_un *address)
{
    const struct timespec retry = { .tv_nsec = RETRY_NS };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        die("socket");
    }
    while (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        if (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN) {
            die(address->sun_path);
        }
        nanosleep(&retry, NULL);
    }
    return fd;
}

/* Writes whole lines only, so that a reader of the log never sees half of one. */
static void
log_line(int log, const char *line, int length)
{
    char text[600];
    int n = snprintf(text, sizeof text, "%" PRId64 " %.*s\n", now_us(), length, line);

    if (write(log, text, (size_t)n) != n) {
        die("log");
    }
}

static bool
copy_lines(int console, int log)
{
    static char line[512];
    static int length;
    char bytes[4096];
    ssize_t n = read(console, bytes, sizeof bytes);

    if (n <= 0) {
        length = 0;
        return false;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            log_line(log, line, length);
            length = 0;
        } else if (bytes[i] != '\r' && length < (int)sizeof line) {
            line[length++] = bytes[i];
        }
    }
    return true;
}

static void
copy_commands(int commands, int console)
{
    char bytes[512];
    ssize_t n = read(commands, bytes, sizeof bytes);

    /* QEMU holds back what the guest has not read yet. */
    if (n > 0 && send(console, bytes, (size_t)n, MSG_NOSIGNAL) != n) {
        perror("command lost");
    }
}

int
main(int argc, char **argv)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int log, commands;

    if (argc != 4 || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: stamp SOCKET LOG COMMANDS\n");
        return 2;
    }
    strcpy(address.sun_path, argv[1]);
    log = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    commands = open(argv[3], O_RDWR | O_CLOEXEC); /* RDWR: never at its end */
    if (log < 0 || commands < 0) {
        die(log < 0 ? argv[2] : argv[3]);
    }
    for (;;) {
        int console = connect_to(&address);
        struct pollfd fds[] = { { .fd = console, .events = POLLIN },
                                { .fd = commands, .events = POLLIN } };
        bool open = true;

        log_line(log, "+", 1);
        while (open && poll(fds, 2, -1) > 0) {
            if (fds[1].revents != 0) {
                copy_commands(commands, console);
            }
            if (fds[0].revents != 0) {
                open = copy_lines(console, log);
            }
        }
        close(console);
    }
}
