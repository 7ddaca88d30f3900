/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What a QEMU that has ended said first of what was wrong since @since_us (real time), from
 * libvirt's log of domain @name. NULL if it said nothing or the log cannot be read; the caller
 * frees. */
char *fsn_virt_last_words(const FsnVirt *virt, const char *name, int64_t since_us);

/* The same from the log's text, which may begin in the middle of a line. Pure. */
char *fsn_last_words_find(const char *text, size_t len, int64_t since_us);

G_END_DECLS
