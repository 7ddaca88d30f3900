/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The thread of the daemon that talks to libvirt: it connects, watches domains, and puts what
 * they use into the history. Whatever libvirt does, only this thread waits for it. A libvirtd
 * that is restarted is connected to again, and looked at anew; the lock of the sampler is the
 * one of 'foresnap sample', and who comes second waits for its turn.
 */
typedef struct FsnSampling FsnSampling;

/* Counters since the start. */
typedef struct {
    bool connected;
    unsigned domains; /* in the last round */
    guint64 rounds;
    guint64 values;
    guint64 events;
    guint64 connections;
    gint64 busy_us; /* how long the call that is under way has lasted; 0: none is */
} FsnSamplingState;

/* Called in the thread of the sampling when a connection is there, for the first time too. */
typedef void (*FsnSamplingFunc)(gpointer user);
/* Called in the thread of libvirt's events: domain @uuid is not as it was. */
typedef void (*FsnSamplingNews)(const char *uuid, gpointer user);

/* @uri NULL: libvirt's default. @interval_s 0: only watch. */
FsnSampling *fsn_sampling_new(const char *uri,
                              const char *history_path,
                              unsigned interval_s,
                              FsnSamplingFunc connected,
                              FsnSamplingNews news,
                              gpointer user);
/* From the next round on; another @uri ends the connection that is there. */
void fsn_sampling_set(FsnSampling *sampling, const char *uri, unsigned interval_s);
void fsn_sampling_look(FsnSampling *sampling, FsnSamplingState *out_state);

/* Asks it to end and waits up to @wait_us: true if it has ended and all is saved and freed.
 * False if libvirt holds it: then the process can only end, which loses nothing but the round
 * that was under way. */
bool fsn_sampling_end(FsnSampling *sampling, gint64 wait_us);

G_END_DECLS
