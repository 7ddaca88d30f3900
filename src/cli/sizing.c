/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy, history and events of a domain brought together for its size. */
#include "config.h"

#include "cli/sizing.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/units.h"
#include "cycle/journal.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "cycle/size-request.h"
#include "history/decisions.h"
#include "scale/policy.h"
#include "scale/resize.h"

#include <math.h>

#define AGENT_S 5

/* NULL without an error where there is none. */
static bool
open_history(FsnHistory **out_history, GError **error)
{
    g_autofree char *path = fsn_history_default_path();
    g_autoptr(GError) local = NULL;

    *out_history = fsn_history_open(path, FSN_HISTORY_READ_ONLY, &local);
    if (!*out_history && !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return true;
}

/* Fills in @how and decides. If the policy does not want it when a domain comes back, and
 * @only_wanted, nothing is written. */
static bool
advise(FsnCliContext *context,
       FsnVirtDomain *domain,
       FsnAdviseOptions *how,
       bool only_wanted,
       FsnAdvice *out_advice,
       GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    g_autoptr(FsnPolicy) policy = set ? fsn_policy_load(domain, set, error) : NULL;
    g_autoptr(FsnHistory) history = NULL;
    g_autofree char *path = fsn_history_default_path();
    FsnSizingPolicy sizing;

    if (!policy) {
        return false;
    }
    if (policy->warning) {
        fsn_cli_warn(context, "%s", policy->warning);
    }
    if (only_wanted && !fsn_sizing_is_enabled(policy->profile)) {
        return true;
    }
    sizing = fsn_sizing_policy_of(policy->profile);
    how->policy = &sizing;
    how->limits = fsn_sizing_wants_limits(policy->profile);
    how->now_us = fsn_realtime_us();
    how->agent_s = AGENT_S;
    how->history_path = path;
    return fsn_sizing_policy_check(&sizing, error) && open_history(&history, error) &&
           fsn_size_advise(history, domain, how, out_advice, error);
}

bool
fsn_cli_advise(FsnCliContext *context,
               FsnVirtDomain *domain,
               FsnAdvice *out_advice,
               GError **error)
{
    FsnAdviseOptions how = { 0 };

    return advise(context, domain, &how, false, out_advice, error);
}

/* Without a history there is nothing to size by, and nothing to say. */
static bool
has_history(void)
{
    g_autofree char *path = fsn_history_default_path();

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool
changes(const FsnAdvice *advice)
{
    return advice->sizing.summary && advice->plan.steps->len > 0;
}

static void
tell(FsnCliContext *context, const FsnAdvice *advice)
{
    if (!advice->sizing.summary || !advice->demand.model) {
        return;
    }
    json_object_set_object_member(context->document, "sizing",
                                  fsn_cli_advice_json(advice));
    if (changes(advice) || context->verbose) {
        fsn_cli_say(context, "size: %s", advice->sizing.summary);
    }
}

void
fsn_cli_keep_decision(FsnCliContext *context,
                      FsnVirtDomain *domain,
                      const char *by,
                      const FsnAdvice *advice)
{
    g_autofree char *path = fsn_history_default_path();
    g_autoptr(GError) error = NULL;
    FsnDecision decision = {
        .time_us = fsn_realtime_us(),
        .by = by,
        .vcpus = advice->sizing.vcpus,
        .vcpus_was = advice->sizing.vcpus_was,
        .memory = advice->sizing.memory,
        .memory_was = advice->sizing.memory_was,
        .reason = advice->sizing.summary,
    };

    if (advice->demand.model &&
        !fsn_decisions_add(path, fsn_virt_domain_uuid(domain), &decision, &error)) {
        fsn_cli_warn(context, "the decision on its size was not kept: %s",
                     error->message);
    }
}

/* Recovery takes the request when the load has ended; if it has already, it is ours. */
static bool
hand_over(FsnCycle *cycle, FsnVirtDomain *domain, const FsnAdvice *advice, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    const char *uuid = fsn_virt_domain_uuid(domain);
    FsnSizeRequest request = { advice->sizing.vcpus, advice->sizing.memory };
    g_autoptr(FsnJournal) journal = NULL;

    if (!fsn_size_request_write(state_dir, uuid, &request, error)) {
        return false;
    }
    if (fsn_journal_read(state_dir, uuid, &journal, NULL) ||
        !fsn_size_request_take(state_dir, uuid, &request)) {
        return true;
    }
    return fsn_resize_to(domain, request.vcpus, request.memory, NULL, error);
}

void
fsn_cli_size_resumed(FsnCliContext *context, FsnCycle *cycle, const char *name)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, NULL);
    FsnAdviseOptions how = { .loading = true };
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(FsnAdvice) advice = { 0 };

    if (!has_history() || !virt) {
        return;
    }
    if (fsn_virt_lookup(virt, name, &domain, &error) &&
        advise(context, domain, &how, true, &advice, &error)) {
        tell(context, &advice);
        /* Even if nothing seems to change: only the guest's agent, which cannot be asked yet,
         * knows how many vCPUs it has online. */
        if (!advice.demand.model || hand_over(cycle, domain, &advice, &error)) {
            fsn_cli_keep_decision(context, domain, "resume", &advice);
            return;
        }
    }
    fsn_cli_warn(context, "its size stays as it is: %s", error->message);
}

void
fsn_cli_size_restored(FsnCliContext *context,
                      FsnVirtDomain *domain,
                      const char *source_uuid)
{
    FsnAdviseOptions how = { .history_uuid = source_uuid };
    g_autoptr(GError) error = NULL;
    g_auto(FsnAdvice) advice = { 0 };

    if (!has_history()) {
        return;
    }
    if (advise(context, domain, &how, true, &advice, &error)) {
        tell(context, &advice);
        if (!changes(&advice) ||
            fsn_resize_carry_out(domain, &advice.now.facts, &advice.plan, &error)) {
            fsn_cli_keep_decision(context, domain, "restore", &advice);
            return;
        }
    }
    fsn_cli_warn(context, "its size stays as it is: %s", error->message);
}

static void
add_strings(JsonObject *object, const char *member, GPtrArray *strings)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < strings->len; i++) {
        json_array_add_string_element(array, strings->pdata[i]);
    }
    json_object_set_array_member(object, member, array);
}

static JsonArray *
steps_json(const FsnResizePlan *plan)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < plan->steps->len; i++) {
        g_autofree char *step =
            fsn_resize_step_text(&g_array_index(plan->steps, FsnResizeStep, i));

        json_array_add_string_element(array, step);
    }
    return array;
}

static JsonObject *
limits_json(const FsnAdvice *advice)
{
    JsonObject *object = json_object_new();

    for (size_t i = 0; i < FSN_N_LIMITS; i++) {
        if (advice->limits[i].metric) {
            fsn_json_set_number(object, advice->limits[i].metric,
                                advice->limits[i].bytes_per_s);
        }
    }
    if (advice->cpu_shares > 0) {
        json_object_set_int_member(object, "cpu_shares", advice->cpu_shares);
    }
    return object;
}

JsonObject *
fsn_cli_advice_json(const FsnAdvice *advice)
{
    const FsnSizing *sizing = &advice->sizing;
    JsonObject *object = json_object_new();

    json_object_set_int_member(object, "vcpus", sizing->vcpus);
    json_object_set_int_member(object, "memory_bytes", (int64_t)sizing->memory);
    json_object_set_int_member(object, "vcpus_was", sizing->vcpus_was);
    json_object_set_int_member(object, "memory_bytes_was", (int64_t)sizing->memory_was);
    fsn_json_set_number(object, "cpu_cores_needed", advice->demand.cpu_cores);
    fsn_json_set_number(object, "memory_bytes_needed", advice->demand.memory_bytes);
    fsn_json_set_number(object, "error", advice->demand.error);
    json_object_set_string_member(object, "reason", sizing->summary);
    add_strings(object, "notes", sizing->notes);
    add_strings(object, "not_possible", advice->plan.notes);
    json_object_set_array_member(object, "steps", steps_json(&advice->plan));
    json_object_set_object_member(object, "limits", limits_json(advice));
    return object;
}

void
fsn_cli_print_limits(FsnCliContext *context, const FsnAdvice *advice)
{
    for (size_t i = 0; i < FSN_N_LIMITS; i++) {
        const FsnLimitProposal *limit = &advice->limits[i];

        if (limit->metric && !isnan(limit->bytes_per_s)) {
            g_autofree char *text = fsn_cli_size_text((uint64_t)limit->bytes_per_s);

            fsn_cli_print(context, "a limit of %s/s would leave room for %s\n", text,
                          limit->metric);
        }
    }
    if (advice->cpu_shares > 0) {
        fsn_cli_print(context, "cpu_shares %u would suit what it uses\n",
                      advice->cpu_shares);
    }
}
