/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What a folder is good for. */
typedef struct {
    uint64_t write_bytes_per_s;
    int64_t write_latency_us; /* a small write, made durable: median */
    uint64_t read_bytes_per_s;
    int64_t read_latency_us; /* a page somewhere: median */
} FsnTierSpeed;

/* Writes and reads 8 MiB in a nameless file of @folder, from storage as far as the kernel
 * can be told. Fails where nothing can be written. */
bool fsn_tier_measure(const char *folder, FsnTierSpeed *out_speed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
