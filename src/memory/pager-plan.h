/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "stream/types.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * What the caller of foresnap-pager wants done: one JSON object of at most
 * FSN_PLAN_MAX bytes. Members, required unless said otherwise:
 *
 *   version       1
 *   mode          "predicted" | "lazy" | "eager"
 *   transport     "libvirt": the pager makes the domain through libvirt's migration calls;
 *                 "socket": QEMU already listens on member "socket" (absolute path);
 *                 "fd": an already connected socket is inherited (option --fd)
 *   repository    location (absolute path)
 *   tiers         optional: array of locations looked at before the repository
 *   snapshot      32 hex digits: the manifest whose mark "ran" is made
 *   image         root id of the RAM image (its granules are all pages of "ram" in order)
 *   head, device_state           object ids (SHA-256, 64 hex digits)
 *   description   optional object id; used by mode eager
 *   ram           {"section_id", "instance", "version",
 *                  "blocks": [{"name", "length" in bytes}, …]}
 *   sequence      optional: name of the sequence that holds the working set
 *   working_set   optional: name of the ref that is read and, at the end, replaced by what
 *                 was learned ("workingset/UUID")
 *   domain        {"name", "uuid", "xml", "cpu_xml" (optional)}
 *   uri           optional: of libvirt
 *   socket_dir    for "libvirt": absolute path of a folder in which QEMU can make a socket
 *   socket        for "socket"
 *   paused        optional bool: leave the guest paused; with "libvirt" that
 *                 makes the mode "eager"
 *   status_file   optional: absolute path, replaced a few times a second
 *   not_run_file  optional: absolute path of the note not-run.h; used with "libvirt"
 *   log_file      optional: absolute path for messages after the pager left its caller
 *   threads       optional: readers of bulk pages, 1…4; 0 or absent = chosen here
 *
 * Members that are not known are ignored, so that plans may say more.
 */
#define FSN_PLAN_VERSION 1
#define FSN_PLAN_MAX     (8u << 20)
#define FSN_PLAN_TIERS   16

typedef enum { FSN_MODE_PREDICTED, FSN_MODE_LAZY, FSN_MODE_EAGER } FsnPagerMode;

typedef enum {
    FSN_TRANSPORT_LIBVIRT,
    FSN_TRANSPORT_SOCKET,
    FSN_TRANSPORT_FD,
} FsnPagerTransport;

typedef struct {
    FsnPagerMode mode;
    FsnPagerTransport transport;
    char *repository;
    char **tiers; /* NULL-terminated, never NULL */
    char *snapshot;
    char *image;
    char *head;
    char *device_state;
    char *description; /* these and below may be NULL where optional */
    FsnRamLayout *ram;
    char *sequence;
    char *working_set;
    char *domain_name;
    char *domain_uuid;
    char *domain_xml;
    char *cpu_xml;
    char *uri;
    char *socket_dir;
    char *socket;
    bool paused;
    char *status_file;
    char *not_run_file;
    char *log_file;
    unsigned threads;
} FsnPagerPlan;

/* FSN_ERROR_FORMAT names the member that is wrong. The caller frees. */
bool fsn_pager_plan_parse(const char *text,
                          size_t len,
                          FsnPagerPlan **out_plan,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_pager_plan_free(FsnPagerPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPagerPlan, fsn_pager_plan_free)

const char *fsn_pager_mode_name(FsnPagerMode mode);

G_END_DECLS
