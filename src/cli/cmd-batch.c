/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap batch: suspends, resumes or snapshots many domains, for cron and timers.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "batch/batch.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/size.h"
#include "cli/units.h"
#include "events/store.h"

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
static char **opt_unless;
static char *opt_bandwidth;
static char *opt_set;
static int opt_jobs;
static int opt_time;

static GOptionEntry options[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all, "every domain", NULL },
    { "bandwidth", 0, 0, G_OPTION_ARG_STRING, &opt_bandwidth,
      "snapshot: read at most so many bytes a second of each disk (K, M, G)", "BYTES" },
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
    { "unless-event", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_unless,
      "do nothing while such an event is under way, by its kind or name; may be given "
      "again",
      "GLOB" },
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
    } else if (opt_bandwidth && chosen->verb != FSN_BATCH_SNAPSHOT) {
        wrong = "--bandwidth goes with 'snapshot'";
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
is_meant(const FsnEvent *event)
{
    for (char **glob = opt_unless; *glob; glob++) {
        if (g_pattern_match_simple(*glob, event->kind) ||
            g_pattern_match_simple(*glob, event->name)) {
            return true;
        }
    }
    return false;
}

/* Whether an event is under way that the batch is not to run in; says so. Events of single
 * domains do not count. */
static bool
keep_out(FsnCliContext *context, bool *out_keep_out, GError **error)
{
    g_autofree char *folder = fsn_event_store_default();
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    int64_t now_us = fsn_realtime_us();

    *out_keep_out = false;
    if (!opt_unless) {
        return true;
    }
    if (!fsn_event_store_load(folder, NULL, NULL, now_us, now_us + 1, events, warnings,
                              error)) {
        return false;
    }
    for (guint i = 0; i < warnings->len; i++) {
        fsn_cli_warn(context, "%s", (const char *)warnings->pdata[i]);
    }
    for (size_t i = 0; i < fsn_events_count(events) && !*out_keep_out; i++) {
        const FsnEvent *event = fsn_events_get(events, i);

        if (event->start_us <= now_us && event->end_us > now_us && is_meant(event)) {
            fsn_cli_say(context, "nothing is done: '%s' (%s) is under way", event->name,
                        event->kind);
            json_object_set_string_member(context->document, "event", event->name);
            *out_keep_out = true;
        }
    }
    return true;
}

/* For each command of the batch, NULL-terminated; the caller frees the array. */
static const char **
command_options(void)
{
    GPtrArray *words = g_ptr_array_new();

    if (opt_no_memory) {
        g_ptr_array_add(words, (gpointer) "--no-memory");
    }
    if (opt_bandwidth) {
        g_ptr_array_add(words, (gpointer) "--bandwidth");
        g_ptr_array_add(words, opt_bandwidth);
    }
    g_ptr_array_add(words, NULL);
    return (const char **)g_ptr_array_free(words, FALSE);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autofree const char **words = command_options();
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
        .arguments = words,
        .jobs = opt_jobs > 0 ? (unsigned)opt_jobs : DEFAULT_JOBS,
        .time_s = (unsigned)MAX(opt_time, 0),
        .dry_run = opt_dry_run,
        .tell = tell,
        .user = context,
    };
    uint64_t rate;
    bool leave;
    bool done;

    if (!program || !parse_verb(args[0], &chosen.verb, error) ||
        !check_options(&chosen, error) ||
        (opt_bandwidth && !fsn_cli_parse_size(opt_bandwidth, &rate, error)) ||
        !keep_out(context, &leave, error)) {
        return false;
    }
    if (leave) {
        json_object_set_string_member(context->document, "verb", args[0]);
        json_object_set_array_member(context->document, "domains", json_array_new());
        return true;
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
