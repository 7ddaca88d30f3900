/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/suspend-run.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The holder of a prepared suspend: a process that keeps the migration before its end and is
 * told over a socket in the state folder (mode 0600) how it ends. One request and its answers
 * per connection, each a line of JSON of at most 64 KiB:
 *
 *   request  {"command": "finish"} | {"command": "abort"} | {"command": "status"}
 *   answers  {"progress": {"phase", "done", "total"}} … then {"result": {…}} or
 *            {"error": {"code": N, "message": "…"}}
 */

/* Starts the holder program for @domain and waits until it holds. Progress goes to @cycle. */
bool fsn_holder_spawn(FsnCycle *cycle,
                      const char *domain,
                      const FsnSuspendOptions *options,
                      JsonObject **out_result,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sends one request to the holder of domain @uuid. FSN_ERROR_NOT_FOUND if there is none; an
 * error of the holder comes through with its code. The caller unrefs *@out_result. */
bool fsn_holder_call(FsnCycle *cycle,
                     const char *uuid,
                     const char *command,
                     JsonObject **out_result,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The holder's own side. Prepares @domain, reports on @report_fd (taken over), serves until
 * the suspend is finished, aborted, over time, or broken. */
bool fsn_holder_main(FsnCycle *cycle,
                     const char *domain,
                     const FsnSuspendOptions *options,
                     int report_fd,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
