/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/command.h"

G_BEGIN_DECLS

/* All commands in the order in which --help lists them; NULL ends the table. */
extern const FsnCliCommand *const fsn_cli_commands[];

extern const FsnCliCommand fsn_cmd_batch;
extern const FsnCliCommand fsn_cmd_check_host;
extern const FsnCliCommand fsn_cmd_delete;
extern const FsnCliCommand fsn_cmd_diff;
extern const FsnCliCommand fsn_cmd_discard;
extern const FsnCliCommand fsn_cmd_events;
extern const FsnCliCommand fsn_cmd_explain;
extern const FsnCliCommand fsn_cmd_export;
extern const FsnCliCommand fsn_cmd_forecast;
extern const FsnCliCommand fsn_cmd_train;
extern const FsnCliCommand fsn_cmd_gc;
extern const FsnCliCommand fsn_cmd_changemap;
extern const FsnCliCommand fsn_cmd_history;
extern const FsnCliCommand fsn_cmd_hooks;
extern const FsnCliCommand fsn_cmd_idle;
extern const FsnCliCommand fsn_cmd_import;
extern const FsnCliCommand fsn_cmd_jobs;
extern const FsnCliCommand fsn_cmd_list;
extern const FsnCliCommand fsn_cmd_plan;
extern const FsnCliCommand fsn_cmd_metrics;
extern const FsnCliCommand fsn_cmd_policy;
extern const FsnCliCommand fsn_cmd_prefetch;
extern const FsnCliCommand fsn_cmd_prepare;
extern const FsnCliCommand fsn_cmd_profile;
extern const FsnCliCommand fsn_cmd_prune;
extern const FsnCliCommand fsn_cmd_recover;
extern const FsnCliCommand fsn_cmd_restore;
extern const FsnCliCommand fsn_cmd_resume;
extern const FsnCliCommand fsn_cmd_sample;
extern const FsnCliCommand fsn_cmd_savefs;
extern const FsnCliCommand fsn_cmd_serve;
extern const FsnCliCommand fsn_cmd_show;
extern const FsnCliCommand fsn_cmd_size;
extern const FsnCliCommand fsn_cmd_snapshot;
extern const FsnCliCommand fsn_cmd_stats;
extern const FsnCliCommand fsn_cmd_status;
extern const FsnCliCommand fsn_cmd_suspend;
extern const FsnCliCommand fsn_cmd_tier;
extern const FsnCliCommand fsn_cmd_token;
extern const FsnCliCommand fsn_cmd_verify;
extern const FsnCliCommand fsn_cmd_workingset;

G_END_DECLS
