/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/firmware-record.h"
#include "memory/capture.h"
#include "repo/image-writer.h"
#include "stream/types.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef struct {
    uint64_t logical; /* sizes of memory and disks */
    uint64_t read;
    uint64_t changed; /* against the parent */
    uint64_t stored;
} FsnManifestBytes;

/* The memory part. Objects are names of what was stored. */
typedef struct {
    const char *image; /* root */
    const char *head;
    const char *device_state;
    const char *description; /* NULL = none */
    const FsnRamLayout *layout;
    bool frozen;        /* the guest's file systems were frozen at the instant */
    JsonArray *resting; /* databases.h: those at rest then; NULL = none; borrowed */
} FsnManifestRam;

/* What goes into a manifest (design §5; foresnap-manifest(5)). */
typedef struct {
    const char *id;
    const char *kind;   /* "suspend" or "snapshot" */
    const char *name;   /* as the user calls it; NULL = none */
    const char *parent; /* NULL = none */
    const char *domain;
    const char *uuid;
    const char *host;
    const char *machine;       /* NULL = not known: the domain was off */
    const char *versions;      /* "QEMU X" */
    const char *run_state;     /* of a snapshot: "running", "paused", "shut off" */
    const char *xml_live;      /* object; NULL = the domain was off */
    const char *xml_inactive;  /* object */
    const char *cpu_xml;       /* object; expanded live CPU; NULL = none */
    const FsnManifestRam *ram; /* NULL = none */
    FsnManifestBytes bytes;
    int64_t created_us; /* real time; of a snapshot the instant */
    int64_t pause_us;   /* -1: not known yet */
    int64_t total_us;
    JsonArray *disks;                  /* of a suspend identities, without change times */
    JsonArray *resources;              /* NULL: those of a suspend */
    JsonObject *granularity;           /* policies/granularity-json.h; NULL = none */
    const FsnFirmwareRecord *firmware; /* NULL = none; stored */
} FsnManifestFacts;

/* What a capture has stored; its strings are borrowed from the arguments. */
FsnManifestRam fsn_manifest_captured_ram(FsnCapture *capture,
                                         const FsnImageStats *stats,
                                         const FsnCaptureObjects *objects);
/* Those of one image; @bytes_read is what was read to make it. */
FsnManifestBytes fsn_manifest_image_bytes(const FsnImageStats *stats,
                                          uint64_t bytes_read);

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
