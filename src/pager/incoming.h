/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-plan.h"

#include <glib.h>
#include <stdbool.h>

/* The domain being resumed, through libvirt: the only part of the pager that calls it. */
typedef struct FsnIncoming FsnIncoming;

/* Connects to libvirt and checks that it offers what is needed. @plan is borrowed. */
FsnIncoming *fsn_incoming_new(const FsnPagerPlan *plan, GError **error);
void fsn_incoming_free(FsnIncoming *in);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnIncoming, fsn_incoming_free)

/* Notes, where the plan wants it, that the guest has not run; the note is taken back at the
 * last moment before libvirt is asked to let it. Where it cannot be written all goes on, but
 * a death between the mark and that moment then counts as one of a guest that ran. */
void fsn_incoming_note_not_run(FsnIncoming *in);

/* Makes QEMU listen, and connects to it. With @recover in the domain that is there. */
bool fsn_incoming_prepare(FsnIncoming *in, bool recover, int *out_fd, GError **error);

/* Ends a domain that was prepared and has not run. */
void fsn_incoming_cancel(FsnIncoming *in);

/* Lets the guest run and waits, in a thread of its own, until libvirt calls it loaded. */
void fsn_incoming_finish(FsnIncoming *in);
/* Whether libvirt may have been asked to. */
bool fsn_incoming_was_let_run(FsnIncoming *in);
/* After an eager load, which leaves the guest stopped: lets it run. */
bool fsn_incoming_continue(FsnIncoming *in, GError **error);
/* Has the thread returned? Without @wait at once. False with no error: not yet. */
bool fsn_incoming_is_finished(FsnIncoming *in, bool wait, bool *out_ok, GError **error);

/* Are the guest's CPUs running (false if that cannot be told)? */
bool fsn_incoming_is_running(FsnIncoming *in);

/* What QEMU said of why it ended, since @since_us (real time); NULL: nothing is known. */
char *fsn_incoming_last_words(FsnIncoming *in, int64_t since_us);

/* May a broken load be continued without danger to libvirtd? */
bool fsn_incoming_may_recover(FsnIncoming *in, GError **why_not);
