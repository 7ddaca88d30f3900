/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image-writer.h"
#include "stream/types.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What goes into the manifest of a suspend (design §5; foresnap-manifest(5)). */
typedef struct {
    const char *id;
    const char *parent; /* NULL = none */
    const char *domain;
    const char *uuid;
    const char *host;
    const char *machine;
    const char *versions;     /* "libvirt X, QEMU Y" */
    const char *xml_live;     /* object */
    const char *xml_inactive; /* object */
    const char *cpu_xml;      /* object; expanded live CPU; NULL = none */
    const char *head;         /* objects of the stream besides RAM */
    const char *device_state;
    const char *description; /* NULL = none */
    const FsnRamLayout *layout;
    const FsnImageStats *stats;
    uint64_t bytes_read;
    int64_t created_us; /* real time */
    JsonArray *disks;   /* identities, without change times */
} FsnManifestFacts;

JsonObject *fsn_manifest_build(const FsnManifestFacts *facts);

/* The memory part, read back and bounded. The layout's caller frees; names are borrowed. */
typedef struct {
    const char *id;
    const char *domain;
    const char *uuid;
    const char *machine;
    const char *root;
    const char *head;
    const char *device_state;
    const char *description; /* NULL = none */
    const char *xml_live;
    const char *xml_inactive;
    const char *cpu_xml; /* NULL = none */
    JsonArray *disks;
    FsnRamLayout *layout;
} FsnManifestMemory;

bool fsn_manifest_read_memory(JsonObject *manifest,
                              FsnManifestMemory *out_memory,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_manifest_memory_clear(FsnManifestMemory *memory);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnManifestMemory, fsn_manifest_memory_clear)

G_END_DECLS
