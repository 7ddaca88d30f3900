/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A ring of slots in memory that two processes share: one produces, one consumes. A slot is
 * a 64-bit tag and a payload of fixed size. Zeroed memory is an empty ring. */
typedef struct FsnRing FsnRing;

/* Bytes that a ring of @slots (a power of two) with @payload bytes each (0, or a multiple
 * of 8) takes; a multiple of 4096, so that payloads of 4096 bytes lie on page boundaries. */
size_t fsn_ring_bytes(uint32_t slots, uint32_t payload);

/* A view of the ring at @memory (aligned to 4096, outlives the view). A process is either
 * its producer or its consumer; a successor of either starts where the last one stopped. */
FsnRing *fsn_ring_open(void *memory, uint32_t slots, uint32_t payload);
void fsn_ring_free(FsnRing *ring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnRing, fsn_ring_free)

/* Producer: is there a free slot, and where is its payload? Until fsn_ring_publish() the
 * slot does not exist for the consumer, whatever was written to it. */
bool fsn_ring_has_room(FsnRing *ring);
uint8_t *fsn_ring_claim(FsnRing *ring);
void fsn_ring_publish(FsnRing *ring, uint64_t tag);

/* Consumer: number of whole slots; tag and payload of the slot @i behind the
 * oldest; gives the @n oldest back. A producer that wrote nonsense into the ring's counters
 * makes it look empty (fsn_ring_is_sane() false), never unbounded. */
uint32_t fsn_ring_ready(FsnRing *ring);
uint64_t fsn_ring_tag(FsnRing *ring, uint32_t i);
const uint8_t *fsn_ring_payload(FsnRing *ring, uint32_t i);
void fsn_ring_release(FsnRing *ring, uint32_t n);
bool fsn_ring_is_sane(FsnRing *ring);

G_END_DECLS
