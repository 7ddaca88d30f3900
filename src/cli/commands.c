/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of commands. A new command is a file cmd-NAME.c, a line in commands.h and one
 * here, and a man page docs/man/foresnap-NAME.1.pod.
 */
#include "config.h"

#include "cli/commands.h"

/* One to a line. */
/* clang-format off */
const FsnCliCommand *const fsn_cli_commands[] = {
    &fsn_cmd_snapshot,
    &fsn_cmd_suspend,
    &fsn_cmd_prepare,
    &fsn_cmd_resume,
    &fsn_cmd_discard,
    &fsn_cmd_restore,
    &fsn_cmd_size,
    &fsn_cmd_batch,
    &fsn_cmd_jobs,
    &fsn_cmd_status,
    &fsn_cmd_recover,
    &fsn_cmd_list,
    &fsn_cmd_show,
    &fsn_cmd_explain,
    &fsn_cmd_diff,
    &fsn_cmd_stats,
    &fsn_cmd_verify,
    &fsn_cmd_delete,
    &fsn_cmd_prune,
    &fsn_cmd_gc,
    &fsn_cmd_export,
    &fsn_cmd_import,
    &fsn_cmd_serve,
    &fsn_cmd_workingset,
    &fsn_cmd_prefetch,
    &fsn_cmd_tier,
    &fsn_cmd_metrics,
    &fsn_cmd_token,
    &fsn_cmd_idle,
    &fsn_cmd_events,
    &fsn_cmd_hooks,
    &fsn_cmd_profile,
    &fsn_cmd_plan,
    &fsn_cmd_policy,
    &fsn_cmd_sample,
    &fsn_cmd_savefs,
    &fsn_cmd_changemap,
    &fsn_cmd_history,
    &fsn_cmd_forecast,
    &fsn_cmd_train,
    &fsn_cmd_check_host,
    NULL,
};
/* clang-format on */
