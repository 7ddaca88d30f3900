/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What one look at a domain gives: counters since its start, and levels. What is not known
 * is FSN_NOT_READ. */
#define FSN_NOT_READ    UINT64_MAX
/* More devices of a kind than this are not looked at. */
#define FSN_READING_MAX 1024

typedef struct {
    char label[64];
    uint64_t read_bytes, read_requests, write_bytes, write_requests; /* counters */
    uint64_t physical, capacity;                                     /* bytes */
} FsnDiskReading;

typedef struct {
    char label[64];
    uint64_t rx_bytes, tx_bytes; /* counters */
} FsnNetReading;

typedef struct {
    char *uuid;
    char *name;
    char *boot;      /* id of the host's boot; NULL = not known */
    int64_t real_us; /* UTC */
    int64_t boot_us; /* since the host's boot, suspended time included */
    int64_t run;     /* differs after each start of the domain; -1 = it is off */
    bool running;    /* not stopped */
    uint64_t cpu_ns; /* counter, of all that the domain uses */
    uint64_t vcpus;  /* online */
    uint64_t balloon, balloon_max, available, unused, usable, rss; /* bytes */
    uint64_t balloon_at; /* UTC seconds at which the guest reported the last three */
    GArray *vcpu_ns;     /* uint64_t, counters */
    GArray *disks;       /* FsnDiskReading */
    GArray *nets;        /* FsnNetReading */
} FsnReading;

FsnReading *fsn_reading_new(const char *uuid, const char *name);
void fsn_reading_free(FsnReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnReading, fsn_reading_free)

/* Stamps @reading with the clocks of now. */
void fsn_reading_stamp(FsnReading *reading, const char *boot);

/* One field as libvirt's bulk statistics name it ("cpu.time", "block.0.rd.bytes"): a number,
 * or a text. Fields that are not wanted, and absurd ones, are ignored. */
void fsn_reading_number(FsnReading *reading, const char *field, uint64_t value);
void fsn_reading_text(FsnReading *reading, const char *field, const char *value);

/* To keep it from one run of the program to the next; total: any JSON leads to a reading or
 * an error. */
JsonObject *fsn_reading_to_json(const FsnReading *reading);
FsnReading *fsn_reading_from_json(JsonObject *object, GError **error);

G_END_DECLS
