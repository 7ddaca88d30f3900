/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap sample: what domains use, into the history; once, or again and again until it is asked
 * to stop.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "history/sampler.h"
#include "virt/guest-load.h"
#include "virt/stats.h"

#define DEFAULT_INTERVAL_S 10

static char **opt_domains;
static char *opt_history;
static gboolean opt_agent;
static gboolean opt_once;
static int opt_interval = DEFAULT_INTERVAL_S;
static int opt_timeout = 2;

static GOptionEntry options[] = {
    { "agent", 0, 0, G_OPTION_ARG_NONE, &opt_agent,
      "also ask the guests' agents for users and load", NULL },
    { "agent-timeout", 0, 0, G_OPTION_ARG_INT, &opt_timeout,
      "wait so long for each agent (2)", "SECONDS" },
    { "domain", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_domains,
      "this domain only; may be repeated", "DOMAIN" },
    { "history", 0, 0, G_OPTION_ARG_FILENAME, &opt_history, "file of the history",
      "FILE" },
    { "interval", 0, 0, G_OPTION_ARG_INT, &opt_interval,
      "sample so often until stopped (10)", "SECONDS" },
    { "once", 0, 0, G_OPTION_ARG_NONE, &opt_once, "sample once and stop", NULL },
    G_OPTION_ENTRY_NULL,
};

typedef struct {
    FsnCliContext *context;
    FsnVirt *virt;
    FsnSampler *sampler;
    uint64_t ticks;
    uint64_t values;
    guint domains;
    bool failing; /* the last tick failed, and that was said */
} Sampling;

/* The domains that were asked for; *@out_domains is NULL if none were. */
static bool
find_domains(FsnVirt *virt, GPtrArray **out_domains, GError **error)
{
    g_autoptr(GPtrArray) domains =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_virt_domain_free);

    for (char **who = opt_domains; who && *who; who++) {
        FsnVirtDomain *domain;

        if (!fsn_virt_lookup(virt, *who, &domain, error)) {
            return false;
        }
        g_ptr_array_add(domains, domain);
    }
    g_ptr_array_add(domains, NULL);
    *out_domains = opt_domains ? g_steal_pointer(&domains) : NULL;
    return true;
}

static void
add_value(Sampling *s, const char *uuid, const char *name, double value)
{
    FsnMetricValue v = { .value = value };

    if (value >= 0) {
        g_strlcpy(v.name, name, sizeof v.name);
        fsn_sampler_add(s->sampler, uuid, &v);
    }
}

/* Users and load of those that run; one that does not answer has none this time. */
static void
ask_agents(Sampling *s, GPtrArray *readings)
{
    for (guint i = 0; i < readings->len; i++) {
        const FsnReading *reading = readings->pdata[i];
        g_autoptr(FsnVirtDomain) domain = NULL;
        FsnGuestLoad load;

        if (reading->running && fsn_virt_lookup(s->virt, reading->uuid, &domain, NULL) &&
            fsn_virt_guest_load(domain, opt_timeout, &load, NULL)) {
            add_value(s, reading->uuid, "users", load.users);
            add_value(s, reading->uuid, "load", load.load);
        }
    }
}

static bool
sample_once(Sampling *s, GError **error)
{
    g_autoptr(GPtrArray) domains = NULL;
    g_autoptr(GPtrArray) readings = NULL;
    size_t values = 0;

    if (!find_domains(s->virt, &domains, error) ||
        !fsn_virt_read_stats(s->virt, domains ? (FsnVirtDomain **)domains->pdata : NULL,
                             &readings, error)) {
        return false;
    }
    if (opt_agent) {
        ask_agents(s, readings);
    }
    s->domains = readings->len;
    if (!fsn_sampler_feed(s->sampler, readings, &values, error)) {
        return false;
    }
    s->ticks++;
    s->values += values;
    return true;
}

/* A history that is locked for a while, a libvirtd that is restarted: it goes on with the next
 * tick, and says so once. */
static void
try_sample(Sampling *s)
{
    g_autoptr(GError) error = NULL;
    FsnVirt *again = NULL;

    if (sample_once(s, &error)) {
        s->failing = false;
        return;
    }
    if (!s->failing) {
        fsn_cli_warn(s->context, "no sample: %s; it is tried again", error->message);
    }
    s->failing = true;
    if (fsn_virt_open(s->context->uri, &again, NULL)) {
        fsn_virt_free(s->virt);
        s->virt = again;
    }
}

/* Until @deadline_us, or less if it is asked to stop. */
static void
wait_until(FsnCliContext *context, int64_t deadline_us)
{
    int64_t left_us = deadline_us - fsn_monotonic_us();
    GPollFD fd;

    if (left_us <= 0 || !g_cancellable_make_pollfd(context->cancellable, &fd)) {
        return;
    }
    (void)g_poll(&fd, 1, (gint)(left_us / 1000) + 1); /* the loop looks what it was */
    g_cancellable_release_fd(context->cancellable);
}

static bool
sample_on(Sampling *s, GError **error)
{
    int64_t next_us = fsn_monotonic_us();

    /* What does not work at all is an error; later it may come back. */
    if (!sample_once(s, error)) {
        return false;
    }
    while (!g_cancellable_is_cancelled(s->context->cancellable)) {
        next_us =
            MAX(next_us + opt_interval * (int64_t)G_USEC_PER_SEC, fsn_monotonic_us());
        wait_until(s->context, next_us);
        if (!g_cancellable_is_cancelled(s->context->cancellable)) {
            try_sample(s);
        }
    }
    return true;
}

static bool
sample(Sampling *s, GError **error)
{
    return (opt_once ? sample_once(s, error) : sample_on(s, error)) &&
           fsn_sampler_save(s->sampler, error);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *path = opt_history ? g_canonicalize_filename(opt_history, NULL)
                                        : fsn_history_default_path();
    g_autoptr(FsnHistory) history = NULL;
    g_autoptr(FsnSampler) sampler = NULL;
    Sampling s = { .context = context };
    bool ok;

    if (opt_interval < 1 || opt_interval > 1800 || opt_timeout < 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--interval takes 1 to 1800 seconds, --agent-timeout at least 1");
        return false;
    }
    history = fsn_history_open(path, FSN_HISTORY_CREATE, error);
    sampler = history ? fsn_sampler_new(history, path, error) : NULL;
    if (!sampler || !fsn_virt_open(context->uri, &s.virt, error)) {
        return fsn_cli_fail(error, "sample", NULL);
    }
    s.sampler = sampler;
    ok = sample(&s, error);
    fsn_virt_free(s.virt);
    if (!ok) {
        return fsn_cli_fail(error, "sample", NULL);
    }
    json_object_set_string_member(context->document, "history", path);
    json_object_set_int_member(context->document, "domains", s.domains);
    json_object_set_int_member(context->document, "samples", (int64_t)s.ticks);
    json_object_set_int_member(context->document, "values", (int64_t)s.values);
    fsn_cli_say(context, "%u domain%s, %" G_GUINT64_FORMAT " values into '%s'", s.domains,
                s.domains == 1 ? "" : "s", s.values, path);
    return true;
}

const FsnCliCommand fsn_cmd_sample = {
    .name = "sample",
    .arguments = "",
    .summary = "put what domains use into the history",
    .options = options,
    .interruptible = true,
    .run = run,
};
