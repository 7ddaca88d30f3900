/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a disk is read: in full, by what has changed, or some partitions so and some so. The
 * data that a snapshot has is the same either way; what differs is what it costs to get it.
 */
#include "config.h"

#include "policies/granularity.h"

#include "policies/granularity-private.h"

/* What has changed is scattered: reading a byte of it costs as much as four in sequence (64 KiB
 * requests one by one against 1 MiB requests four at a time, over NBD). */
#define SCATTER      4.0
/* What keeping the record costs the guest, per byte that changes (up to a third more for
 * each small write, of which not every one is to a new place). */
#define RECORD_SHARE 0.1

static const char *const mode_names[] = {
    [FSN_READ_FULL] = "full",
    [FSN_READ_INCREMENTAL] = "incremental",
    [FSN_READ_HYBRID] = "hybrid",
};

const char *
fsn_read_mode_name(FsnReadMode mode)
{
    return mode_names[mode];
}

char *
fsn_granularity_bytes(double bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    size_t unit = 0;

    while (bytes >= 1024 && unit + 1 < G_N_ELEMENTS(units)) {
        bytes /= 1024;
        unit++;
    }
    g_ascii_formatd(number, sizeof number, unit > 0 && bytes < 10 ? "%.1f" : "%.0f",
                    bytes);
    return g_strdup_printf("%s %s", number, units[unit]);
}

void
fsn_read_decision_clear(FsnReadDecision *decision)
{
    g_clear_pointer(&decision->reason, g_free);
    g_clear_pointer(&decision->full, g_array_unref);
}

static double
rate_of(uint64_t dirty, int64_t since_us)
{
    return since_us > 0 ? (double)dirty * 1e6 / (double)since_us : -1;
}

/* The partitions that change by @limit bytes a second or more. */
static void
find_hot(const FsnDiskActivity *a, double limit, GArray *full)
{
    for (guint i = 0; i < a->n_partitions; i++) {
        if (rate_of(a->partitions[i].dirty, a->since_us) >= limit) {
            g_array_append_val(full, a->partitions[i].number);
        }
    }
}

static char *
numbers_text(const GArray *numbers)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < numbers->len; i++) {
        g_string_append_printf(text, "%s%u", i > 0 ? ", " : "",
                               g_array_index(numbers, unsigned, i));
    }
    return g_string_free(text, FALSE);
}

/* The disk as a whole is below the limit, or above it with partitions that are not known: then
 * it is all or nothing. */
static void
decide_by_rate(const FsnProfile *profile, const FsnDiskActivity *a, FsnReadDecision *d)
{
    const FsnValue *limit = &profile->settings[FSN_KEY_DISK_FULL_ABOVE].value;
    g_autofree char *rate = fsn_granularity_bytes(MAX(d->change_rate, 0));
    g_autofree char *limit_text = fsn_granularity_bytes((double)limit->number);

    d->mode = FSN_READ_INCREMENTAL;
    if (limit->off) {
        d->reason = g_strdup("mode-rule=rate: disk.full-above is off");
        return;
    }
    if (d->change_rate < 0) {
        d->reason = g_strdup("mode-rule=rate: since when it changes is not known");
        return;
    }
    if (d->change_rate < (double)limit->number) {
        d->reason = g_strdup_printf("mode-rule=rate: it changes by %s/s, less than %s/s",
                                    rate, limit_text);
        return;
    }
    find_hot(a, (double)limit->number, d->full);
    if (d->full->len > 0 && d->full->len < a->n_partitions) {
        g_autofree char *numbers = numbers_text(d->full);

        d->mode = FSN_READ_HYBRID;
        d->reason = g_strdup_printf("mode-rule=rate: it changes by %s/s, not less than "
                                    "%s/s, and so do only its partitions %s",
                                    rate, limit_text, numbers);
        return;
    }
    g_array_set_size(d->full, 0);
    d->mode = FSN_READ_FULL;
    d->reason = g_strdup_printf("mode-rule=rate: it changes by %s/s, not less than %s/s",
                                rate, limit_text);
}

static void
decide_by_cost(const FsnProfile *profile, const FsnDiskActivity *a, FsnReadDecision *d)
{
    double all = (double)(a->allocated > 0 ? MIN(a->allocated, a->size) : a->size);
    double period = (double)fsn_profile_number(profile, FSN_KEY_DISK_RESTORE_POINT) / 1e6;
    double changed = MIN(d->change_rate * period, all);
    double cost = changed * (SCATTER + RECORD_SHARE);
    g_autofree char *all_text = fsn_granularity_bytes(all);
    g_autofree char *cost_text = fsn_granularity_bytes(cost);
    g_autofree char *changed_text = fsn_granularity_bytes(changed);

    if (d->change_rate < 0) {
        d->mode = FSN_READ_INCREMENTAL;
        d->reason = g_strdup("mode-rule=cost: since when it changes is not known");
        return;
    }
    d->cost_full = (uint64_t)all;
    d->cost_change = (uint64_t)cost;
    d->mode = cost < all ? FSN_READ_INCREMENTAL : FSN_READ_FULL;
    d->reason = g_strdup_printf(
        "mode-rule=cost: until the restore point of %s about %s change, scattered, "
        "which costs as much as %s in sequence; all of it is %s",
        fsn_profile_text(profile, FSN_KEY_DISK_RESTORE_POINT), changed_text, cost_text,
        all_text);
}

void
fsn_read_decide(const FsnProfile *profile,
                FsnLevel level,
                const FsnDiskActivity *activity,
                FsnReadDecision *out_decision)
{
    FsnReadDecision d = {
        .mode = FSN_READ_FULL,
        .full = g_array_new(FALSE, FALSE, sizeof(unsigned)),
        .change_rate =
            activity->recorded ? rate_of(activity->dirty, activity->since_us) : -1,
    };

    if (level == FSN_LEVEL_RAW) {
        d.reason = g_strdup("level raw: it is read without the help of a bitmap");
    } else if (!activity->recorded) {
        d.reason = g_strdup("what has changed is not recorded");
    } else if (fsn_profile_number(profile, FSN_KEY_MODE_RULE) == 0) {
        decide_by_rate(profile, activity, &d);
    } else {
        decide_by_cost(profile, activity, &d);
    }
    *out_decision = d;
}
