/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few words that the peer and the supervisor exchange. Never blocks when sending. */
#include "config.h"

#include "memory/pager-control.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool
fsn_control_pair(int out_fds[2], GError **error)
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out_fds) == 0 ||
           fsn_set_errno(error, errno, "cannot make a socket pair");
}

typedef union {
    struct cmsghdr header;
    uint8_t space[CMSG_SPACE(sizeof(int))];
} FdSpace;

void
fsn_control_send(int socket, FsnControlType type, const char *text, int fd)
{
    FsnControlMessage message = { .type = type };
    struct iovec iov = { &message, sizeof(message) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    FdSpace control = { 0 };
    ssize_t n;

    g_strlcpy(message.text, text ? text : "", sizeof(message.text));
    if (fd >= 0) {
        msg.msg_control = control.space;
        msg.msg_controllen = sizeof(control.space);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    }
    n = sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)n; /* documented: dropped */
}

FsnControlType
fsn_control_receive(int socket,
                    int timeout_ms,
                    FsnControlMessage *out_message,
                    int *out_fd)
{
    struct pollfd pfd = { .fd = socket, .events = POLLIN };
    struct iovec iov = { out_message, sizeof(*out_message) };
    FdSpace control = { 0 };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.space,
                          .msg_controllen = sizeof(control.space) };
    struct cmsghdr *c;
    ssize_t n;

    *out_fd = -1;
    if (poll(&pfd, 1, timeout_ms) <= 0) {
        return FSN_CONTROL_NONE;
    }
    n = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return FSN_CONTROL_NONE;
    }
    if (n != (ssize_t)sizeof(*out_message)) {
        return FSN_CONTROL_END;
    }
    c = CMSG_FIRSTHDR(&msg);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        memcpy(out_fd, CMSG_DATA(c), sizeof(int));
    }
    out_message->text[FSN_CONTROL_TEXT - 1] = '\0';
    return (FsnControlType)out_message->type;
}
