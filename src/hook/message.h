/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the hook reads from libvirt and tells the daemon. Nothing but libc, for it runs while
 * libvirt holds a domain locked. */

#define FSN_HOOK_UUID_SIZE 37
#define FSN_HOOK_MAX_ARG   512  /* bytes of an argument that are passed on */
#define FSN_HOOK_MAX       4096 /* bytes of a datagram */

/* The first <uuid> in @len bytes of domain XML, in canonical form (lower case, with dashes).
 * False if there is none as libvirt writes it. */
bool fsn_hook_find_uuid(const char *xml, size_t len, char out_uuid[FSN_HOOK_UUID_SIZE]);

/* One JSON object: {"version", "name", "op", "sub", "extra", "uuid", "time_us"}. @argv are
 * the hook's arguments, @n of them; @uuid may be "". Returns its length, at most @size - 1. */
size_t fsn_hook_message(char *out,
                        size_t size,
                        const char *const *argv,
                        int n,
                        const char *uuid,
                        int64_t time_us);
