/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * The size that a resuming guest shall get once its memory is loaded, for libvirt changes no
 * domain before: the file size/UUID in the state folder. Whoever ends the resume takes it,
 * after the journal is gone; so who writes it has to look for the journal afterwards, and
 * take it himself if that is gone. One that is lost costs a resize, no data.
 */
typedef struct {
    unsigned vcpus;
    uint64_t memory; /* bytes */
} FsnSizeRequest;

bool fsn_size_request_write(const char *state_dir,
                            const char *uuid,
                            const FsnSizeRequest *request,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes it, and is true if there was one that can be read. */
bool fsn_size_request_take(const char *state_dir,
                           const char *uuid,
                           FsnSizeRequest *out_request);

G_END_DECLS
