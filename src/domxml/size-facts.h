/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* One virtio-mem device. Sizes in bytes. */
typedef struct {
    char *xml;     /* the <memory> element, for an update of it */
    uint64_t size; /* at most */
    uint64_t block;
    uint64_t requested;
    uint64_t current; /* live XML only; else as requested */
} FsnVirtioMem;

/* What domain XML says of a domain's size, which memory devices are part of. */
typedef struct {
    unsigned vcpus; /* plugged */
    unsigned vcpus_max;
    uint64_t memory;     /* of the balloon: all that the guest may use now */
    uint64_t memory_max; /* without virtio-mem */
    bool balloon;
    bool balloon_stats;    /* its driver reports what the guest uses, again and again */
    GPtrArray *virtio_mem; /* FsnVirtioMem; never NULL */
} FsnSizeFacts;

/* Reads domain XML as fsn_domain_facts_parse() does; the caller clears. */
bool fsn_size_facts_parse(const char *xml, FsnSizeFacts *out_facts, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void fsn_size_facts_clear(FsnSizeFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnSizeFacts, fsn_size_facts_clear)

/* The virtio-mem element @xml asking for @bytes; the caller frees. */
bool fsn_virtio_mem_xml_request(const char *xml,
                                uint64_t bytes,
                                char **out_xml,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
