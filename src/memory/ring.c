/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring through which a worker hands pages to the supervisor. Its only guarantee is the
 * one that matters when a worker is killed at any instruction: a slot is seen whole or not
 * at all, once, in order. That holds because the single store of the producer's counter
 * comes after all stores to the slot. It does not wake anybody; bell.c does.
 */
#include "config.h"

#include "memory/ring.h"

#define HEADER_BYTES 4096u

/* Counters grow without bound; slot = counter modulo the number of slots. Each has a cache
 * line of its own. */
typedef struct {
    uint64_t head; /* slots ever published; written by the producer */
    uint8_t pad[120];
    uint64_t tail; /* slots ever released; written by the consumer */
} RingHeader;

struct FsnRing {
    RingHeader *header;
    uint64_t *tags;
    uint8_t *payloads;
    uint32_t slots;
    uint32_t payload;
};

static size_t
round_up(size_t n)
{
    return (n + 4095) & ~(size_t)4095;
}

size_t
fsn_ring_bytes(uint32_t slots, uint32_t payload)
{
    return HEADER_BYTES + round_up((size_t)slots * sizeof(uint64_t)) +
           round_up((size_t)slots * payload);
}

FsnRing *
fsn_ring_open(void *memory, uint32_t slots, uint32_t payload)
{
    FsnRing *ring = g_new0(FsnRing, 1);

    g_assert(slots > 0 && (slots & (slots - 1)) == 0 && payload % 8 == 0);
    ring->header = memory;
    ring->tags = (uint64_t *)((uint8_t *)memory + HEADER_BYTES);
    ring->payloads = (uint8_t *)ring->tags + round_up((size_t)slots * sizeof(uint64_t));
    ring->slots = slots;
    ring->payload = payload;
    return ring;
}

void
fsn_ring_free(FsnRing *ring)
{
    g_free(ring);
}

static uint64_t
used(FsnRing *ring)
{
    uint64_t head = __atomic_load_n(&ring->header->head, __ATOMIC_ACQUIRE);

    return head - __atomic_load_n(&ring->header->tail, __ATOMIC_ACQUIRE);
}

bool
fsn_ring_has_room(FsnRing *ring)
{
    return used(ring) < ring->slots;
}

uint8_t *
fsn_ring_claim(FsnRing *ring)
{
    g_assert(fsn_ring_has_room(ring));
    return ring->payloads +
           (size_t)(ring->header->head & (ring->slots - 1)) * ring->payload;
}

void
fsn_ring_publish(FsnRing *ring, uint64_t tag)
{
    uint64_t head = ring->header->head;

    ring->tags[head & (ring->slots - 1)] = tag;
    __atomic_store_n(&ring->header->head, head + 1, __ATOMIC_RELEASE);
}

bool
fsn_ring_is_sane(FsnRing *ring)
{
    return used(ring) <= ring->slots;
}

uint32_t
fsn_ring_ready(FsnRing *ring)
{
    uint64_t n = used(ring);

    return n <= ring->slots ? (uint32_t)n : 0;
}

static size_t
slot_at(FsnRing *ring, uint32_t i)
{
    return (size_t)((ring->header->tail + i) & (ring->slots - 1));
}

uint64_t
fsn_ring_tag(FsnRing *ring, uint32_t i)
{
    return ring->tags[slot_at(ring, i)];
}

const uint8_t *
fsn_ring_payload(FsnRing *ring, uint32_t i)
{
    return ring->payloads + slot_at(ring, i) * ring->payload;
}

void
fsn_ring_release(FsnRing *ring, uint32_t n)
{
    __atomic_store_n(&ring->header->tail, ring->header->tail + n, __ATOMIC_RELEASE);
}
