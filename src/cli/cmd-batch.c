/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap batch: suspends, resumes or snapshots many domains, for cron and timers.
 */
#include "config.h"

#include "base/error.h"
#include "batch/batch.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"

#include <string.h>

#define DEFAULT_JOBS 2

static gboolean opt_all;
static gboolean opt_dry_run;
static gboolean opt_no_memory;
static char **opt_exclude;
static char **opt_match;
static char **opt_profile;
static char **opt_tag;
static char **opt_title;
static char *opt_set;
static int opt_jobs;
static int opt_time;

static GOptionEntry options[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all, "every domain", NULL },
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "only say what would be done",
      NULL },
    { "exclude", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_exclude,
      "not the domains with such names; may be given again", "GLOB" },
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &opt_jobs, "so many at a time (default 2)", "N" },
    { "match", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_match,
      "domains with such names; may be given again", "GLOB" },
    { "no-memory", 0, 0, G_OPTION_ARG_NONE, &opt_no_memory, "snapshot: disks only",
      NULL },
    { "profile", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_profile,
      "domains with this profile; may be given again", "NAME" },
    { "set", 0, 0, G_OPTION_ARG_STRING, &opt_set,
      "resume what was suspended under this name", "NAME" },
    { "tag", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_tag,
      "domains with this tag; may be given again", "TAG" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &opt_time,
      "a domain may take so long, then it is asked to end, then killed", "SECONDS" },
    { "title", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_title,
      "domains with such titles; may be given again", "GLOB" },
    G_OPTION_ENTRY_NULL,
};

static const char *
state_word(const FsnBatchItem *item)
{
    switch (item->state) {
    case FSN_BATCH_WAITING:
    case FSN_BATCH_RUNNING:
        return "planned";
    case FSN_BATCH_DONE:
        return "done";
    case FSN_BATCH_FAILED:
        return "failed";
    case FSN_BATCH_SKIPPED:
        return item->left_alone ? "skipped" : "failed";
    }
    g_assert_not_reached();
}

static bool
has_failed(const FsnBatchItem *item)
{
    return strcmp(state_word(item), "failed") == 0;
}

static JsonArray *
items_json(GPtrArray *items)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < items->len; i++) {
        const FsnBatchItem *item = items->pdata[i];
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "domain", item->name);
        json_object_set_string_member(object, "uuid", item->uuid);
        json_object_set_string_member(object, "state", state_word(item));
        if (item->reason) {
            json_object_set_string_member(object, "reason", item->reason);
        }
        if (item->result) {
            json_object_set_object_member(object, "result",
                                          json_object_ref(item->result));
        }
        json_object_set_int_member(object, "took_us", item->took_us);
        json_array_add_object_element(array, object);
    }
    return array;
}

/* A line per domain: on stderr if it failed, so that it is seen with --quiet too. */
static void
tell(const FsnBatchItem *item, gpointer user)
{
    FsnCliContext *context = user;
    g_autofree char *took = fsn_cli_duration_text(item->took_us);

    if (has_failed(item)) {
        fsn_cli_warn(context, "%s: %s", item->name, item->reason);
    } else if (item->reason) {
        fsn_cli_say(context, "%s: left alone: it %s", item->name, item->reason);
    } else {
        fsn_cli_say(context, "%s: done in %s", item->name, took);
    }
}

static bool
parse_verb(const char *text, FsnBatchVerb *out_verb, GError **error)
{
    static const FsnBatchVerb verbs[] = { FSN_BATCH_SUSPEND, FSN_BATCH_RESUME,
                                          FSN_BATCH_SNAPSHOT };

    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(text, fsn_batch_verb_name(verbs[i])) == 0) {
            *out_verb = verbs[i];
            return true;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'batch %s' is not known", text);
    return false;
}

static bool
check_options(const FsnBatchOptions *chosen, GError **error)
{
    const char *wrong = NULL;

    if (opt_jobs < 0 || opt_jobs > 256) {
        wrong = "--jobs takes a number from 1 to 256";
    } else if (opt_time < 0) {
        wrong = "--timeout takes seconds";
    } else if (opt_no_memory && chosen->verb != FSN_BATCH_SNAPSHOT) {
        wrong = "--no-memory goes with 'snapshot'";
    } else if (chosen->verb != FSN_BATCH_RESUME &&
               !fsn_batch_selector_is_set(&chosen->selector)) {
        wrong = "say which domains: --match, --title, --tag, --profile or --all";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s", wrong);
    }
    return !wrong;
}

static bool
judge(FsnCliContext *context, GPtrArray *items, GError **error)
{
    guint failed = 0;
    guint planned = 0;

    for (guint i = 0; i < items->len; i++) {
        const FsnBatchItem *item = items->pdata[i];

        failed += has_failed(item);
        planned += !item->left_alone;
        if (item->state == FSN_BATCH_WAITING) {
            fsn_cli_say(context, "%s: would be done", item->name);
        }
    }
    if (items->len == 0) {
        fsn_cli_say(context, "there is nothing to do");
    }
    if (failed == 0) {
        return true;
    }
    g_set_error(error, FSN_ERROR, failed < planned ? FSN_ERROR_PARTIAL : FSN_ERROR_FAILED,
                "%u of %u domains failed", failed, planned);
    return false;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    static const char *const disks_only[] = { "--no-memory", NULL };
    g_autoptr(FsnCycle) cycle = NULL;
    g_autoptr(GPtrArray) items = NULL;
    g_autofree char *program = g_file_read_link("/proc/self/exe", error);
    FsnBatchOptions chosen = {
        .selector = { .matches = (const char *const *)opt_match,
                      .titles = (const char *const *)opt_title,
                      .tags = (const char *const *)opt_tag,
                      .profiles = (const char *const *)opt_profile,
                      .excludes = (const char *const *)opt_exclude,
                      .all = opt_all },
        .set = opt_set,
        .program = program,
        .arguments = opt_no_memory ? disks_only : NULL,
        .jobs = opt_jobs > 0 ? (unsigned)opt_jobs : DEFAULT_JOBS,
        .time_s = (unsigned)MAX(opt_time, 0),
        .dry_run = opt_dry_run,
        .tell = tell,
        .user = context,
    };
    bool done;

    if (!program || !parse_verb(args[0], &chosen.verb, error) ||
        !check_options(&chosen, error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, NULL, error);
    done = cycle && fsn_batch(cycle, &chosen, context->cancellable, &items, error);
    if (items) {
        json_object_set_string_member(context->document, "verb", args[0]);
        json_object_set_array_member(context->document, "domains", items_json(items));
    }
    return done && judge(context, items, error);
}

const FsnCliCommand fsn_cmd_batch = {
    .name = "batch",
    .arguments = "suspend|resume|snapshot",
    .summary = "suspend, resume or snapshot many domains",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .interruptible = true,
    .run = run,
    .detachable = true,
};
