/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view in the text format of Prometheus (0.0.4). Names, units and labels as its conventions
 * ask: base units, a timestamp of the last success instead of an age, no series for what is not
 * known. Pure.
 */
#include "config.h"

#include "view/view.h"

#include <math.h>
#include <string.h>

/* What a metric is of a domain; NAN: not known. */
typedef struct {
    const char *name;
    const char *help;
    double (*value)(const FsnViewDomain *domain);
} DomainMetric;

static double
seconds(int64_t time_us)
{
    return time_us > 0 && time_us < G_MAXINT64 ? (double)time_us / 1e6 : NAN;
}

static double
defined(const FsnViewDomain *domain)
{
    return domain->defined;
}

static double
running(const FsnViewDomain *domain)
{
    return domain->defined && domain->status.state == FSN_VIRT_RUNNING;
}

static double
suspended(const FsnViewDomain *domain)
{
    return domain->suspend != NULL;
}

static double
cpu(const FsnViewDomain *domain)
{
    return domain->cpu_now;
}

static double
memory(const FsnViewDomain *domain)
{
    return domain->memory_now;
}

static double
sampled(const FsnViewDomain *domain)
{
    return seconds(domain->sampled_us);
}

static double
peak(const FsnViewDomain *domain)
{
    double highest = NAN;

    for (size_t i = 0; domain->fitted_us > 0 && i < FSN_VIEW_HOURS; i++) {
        highest = fmax(highest, domain->high[i]);
    }
    return highest;
}

static double
fitted(const FsnViewDomain *domain)
{
    return seconds(domain->fitted_us);
}

static double
snapshots(const FsnViewDomain *domain)
{
    return domain->snapshots;
}

static double
suspends(const FsnViewDomain *domain)
{
    return domain->suspends;
}

static double
last(const FsnViewDomain *domain)
{
    return domain->last ? seconds(domain->last->created_us) : NAN;
}

static double
own(const FsnViewDomain *domain)
{
    return domain->bytes_own >= 0 ? (double)domain->bytes_own : NAN;
}

static const DomainMetric domain_metrics[] = {
    { "foresnap_domain_defined",
      "Whether libvirt knows the domain (1) or only snapshots do.", defined },
    { "foresnap_domain_running", "Whether the domain runs.", running },
    { "foresnap_domain_suspended",
      "Whether the domain's memory is in the repository, so that it can be resumed.",
      suspended },
    { "foresnap_domain_cpu_cores", "Processors in use, mean of the last 5 minutes.",
      cpu },
    { "foresnap_domain_memory_used_bytes", "Memory that the guest uses.", memory },
    { "foresnap_domain_last_sample_timestamp_seconds",
      "When the use of the domain was sampled last.", sampled },
    { "foresnap_domain_forecast_cpu_peak_cores",
      "The most processors that are expected to be in use in the next 24 hours, 95 %.",
      peak },
    { "foresnap_domain_last_fit_timestamp_seconds",
      "When the forecast of the domain was fitted last.", fitted },
    { "foresnap_domain_snapshots", "Snapshots of the domain that there are.", snapshots },
    { "foresnap_domain_suspends", "Suspend states of the domain that there are.",
      suspends },
    { "foresnap_domain_last_snapshot_timestamp_seconds",
      "When the last snapshot or suspend of the domain succeeded.", last },
    { "foresnap_domain_own_bytes",
      "Bytes in the repository that only snapshots of this domain need.", own },
};

/* Label values may contain anything; \, " and newlines are escaped. */
static void
append_label(GString *text, const char *name, const char *value)
{
    g_string_append_printf(text, "%s=\"", name);
    for (const char *p = value; *p; p++) {
        if (*p == '\n') {
            g_string_append(text, "\\n");
        } else {
            if (*p == '\\' || *p == '"') {
                g_string_append_c(text, '\\');
            }
            g_string_append_c(text, *p);
        }
    }
    g_string_append_c(text, '"');
}

static void
append_head(GString *text, const char *name, const char *help, const char *type)
{
    g_string_append_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
append_value(GString *text, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    /* 17 digits would show how a double is made. */
    g_ascii_formatd(number, sizeof(number), "%.15g", value);
    g_string_append_printf(text, " %s\n", number);
}

static void
append_domain_metric(GString *text, const FsnView *view, const DomainMetric *metric)
{
    append_head(text, metric->name, metric->help, "gauge");
    for (guint i = 0; i < view->domains->len; i++) {
        const FsnViewDomain *domain = view->domains->pdata[i];
        double value = metric->value(domain);

        if (isfinite(value)) {
            g_string_append_printf(text, "%s{", metric->name);
            append_label(text, "domain", domain->name);
            g_string_append_c(text, ',');
            append_label(text, "uuid", domain->uuid);
            g_string_append_c(text, '}');
            append_value(text, value);
        }
    }
}

static void
append_gauge(GString *text, const char *name, const char *help, double value)
{
    if (isfinite(value)) {
        append_head(text, name, help, "gauge");
        g_string_append(text, name);
        append_value(text, value);
    }
}

static double
known(int64_t value)
{
    return value >= 0 ? (double)value : NAN;
}

static void
append_repo(GString *text, const FsnView *view)
{
    const FsnViewRepo *repo = &view->repo;

    if (!view->repo_there) {
        return;
    }
    append_gauge(text, "foresnap_repository_logical_bytes",
                 "What all snapshots hold, uncompressed.", known(repo->bytes_logical));
    append_gauge(text, "foresnap_repository_stored_bytes",
                 "Bytes of all objects in the repository.", known(repo->bytes_stored));
    append_gauge(text, "foresnap_repository_needed_bytes",
                 "Bytes of the objects that some snapshot needs.",
                 known(repo->bytes_needed));
    append_gauge(text, "foresnap_repository_free_bytes",
                 "Bytes that may still be stored.", known(repo->bytes_free));
    append_gauge(text, "foresnap_repository_damaged_snapshots",
                 "Snapshots that cannot be read.",
                 repo->counted_us > 0 ? (double)repo->damaged : NAN);
    append_gauge(text, "foresnap_repository_last_count_timestamp_seconds",
                 "When the sizes in the repository were counted last.",
                 seconds(repo->counted_us));
}

char *
fsn_view_metrics(const FsnView *view)
{
    GString *text = g_string_new(NULL);

    append_head(text, "foresnap_build_info", "The version of foresnap.", "gauge");
    g_string_append(text, "foresnap_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
    append_gauge(text, "foresnap_libvirt_up", "Whether libvirt answered.", view->libvirt);
    append_gauge(text, "foresnap_repository_up", "Whether the repository could be read.",
                 view->repo_there);
    append_gauge(text, "foresnap_last_look_timestamp_seconds",
                 "When these figures were gathered.", seconds(view->made_us));
    append_repo(text, view);
    for (size_t i = 0; i < G_N_ELEMENTS(domain_metrics); i++) {
        append_domain_metric(text, view, &domain_metrics[i]);
    }
    return g_string_free(text, FALSE);
}
