/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies/retention.c: snapshots and rules in, decisions and reasons out. */
#include "config.h"

#include "base/error.h"
#include "policies/retention.h"

#include <string.h>

#define BERLIN "Europe/Berlin"
#define NOW    "2027-01-01T00:00:00Z"

static int64_t
instant(const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);

    g_assert_nonnull(time);
    return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

typedef struct {
    const char *what;
    const char *zone;
    FsnRetentionRules rules;
    const char
        *times[10];   /* newest first; "KIND@TIME" for another kind than "snapshot" */
    const char *kept; /* the letters of those kept: the first is 'a' */
} Case;

static const Case cases[] = {
    { "the last two",
      "UTC",
      { .last = 2 },
      { "2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z" },
      "ab" },
    { "more asked for than there are",
      "UTC",
      { .last = 100 },
      { "2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z" },
      "ab" },
    { "equal times are told apart by id",
      "UTC",
      { .last = 1 },
      { "2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z" },
      "a" },
    { "the newest of each hour; hours without one do not count",
      "UTC",
      { .hourly = 2 },
      { "2026-01-03T12:59:59Z", "2026-01-03T12:00:00Z", "2026-01-03T08:30:00Z",
        "2026-01-03T08:00:00Z", "2026-01-03T07:00:00Z" },
      "ac" },
    { "the oldest of all fills a rule",
      "UTC",
      { .daily = 5 },
      { "2026-01-03T12:00:00Z", "2026-01-02T20:00:00Z", "2026-01-02T10:00:00Z",
        "2026-01-02T01:00:00Z" },
      "abd" },
    { "days are local",
      BERLIN,
      { .daily = 2 },
      { "2026-07-02T23:30:00Z", "2026-07-02T21:30:00Z", "2026-07-01T22:30:00Z",
        "2026-07-01T21:00:00Z" },
      "ab" },
    { "the same in UTC",
      "UTC",
      { .daily = 2 },
      { "2026-07-02T23:30:00Z", "2026-07-02T21:30:00Z", "2026-07-01T22:30:00Z",
        "2026-07-01T21:00:00Z" },
      "ac" },
    { "clock put back: 02:30 is twice and is two hours",
      BERLIN,
      { .hourly = 3 },
      { "2026-10-25T02:10:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:10:00Z",
        "2026-10-25T00:30:00Z", "2026-10-24T23:30:00Z" },
      "abd" },
    { "clock put back: a day of 25 hours is one day",
      BERLIN,
      { .daily = 2 },
      { "2026-10-25T22:59:59Z", "2026-10-24T22:00:00Z", "2026-10-24T21:59:59Z",
        "2026-10-24T10:00:00Z" },
      "ac" },
    { "clock put forward: a day of 23 hours is one day",
      BERLIN,
      { .daily = 2 },
      { "2026-03-29T21:59:59Z", "2026-03-28T23:00:00Z", "2026-03-28T22:59:59Z",
        "2026-03-28T10:00:00Z" },
      "ac" },
    { "clock put forward: 01:59 and 03:00 are two hours",
      BERLIN,
      { .hourly = 2 },
      { "2026-03-29T01:00:00Z", "2026-03-29T00:59:00Z", "2026-03-29T00:00:00Z",
        "2026-03-28T23:30:00Z" },
      "ab" },
    { "hours where the offset is not whole",
      "Asia/Kolkata",
      { .hourly = 2 },
      { "2026-01-01T12:29:00Z", "2026-01-01T11:31:00Z", "2026-01-01T11:29:00Z",
        "2026-01-01T11:00:00Z" },
      "ac" },
    { "weeks are those of ISO 8601: the first days of 2027 are in week 53",
      "UTC",
      { .weekly = 2 },
      { "2026-12-31T00:00:00Z", "2026-12-28T00:00:00Z", "2026-12-27T00:00:00Z",
        "2026-12-21T00:00:00Z", "2026-12-20T00:00:00Z" },
      "ac" },
    { "2026-01-01 is in the week of 2025-12-29",
      "UTC",
      { .weekly = 1, .yearly = 2 },
      { "2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z", "2025-12-29T00:00:00Z",
        "2025-01-01T00:00:00Z" },
      "ab" },
    { "months",
      "UTC",
      { .monthly = 2 },
      { "2026-03-01T00:00:00Z", "2026-02-28T00:00:00Z", "2026-02-01T00:00:00Z",
        "2025-02-01T00:00:00Z" },
      "ab" },
    { "the same month of another year is another month",
      "UTC",
      { .monthly = 2 },
      { "2026-02-01T00:00:00Z", "2025-02-02T00:00:00Z", "2025-02-01T00:00:00Z" },
      "ab" },
    { "rules add up",
      "UTC",
      { .last = 1, .daily = 2, .monthly = 2 },
      { "2026-03-03T02:00:00Z", "2026-03-03T01:00:00Z", "2026-03-02T01:00:00Z",
        "2026-03-01T01:00:00Z", "2026-02-10T00:00:00Z", "2026-01-10T00:00:00Z" },
      "ace" },
    { "each kind is counted for itself",
      "UTC",
      { .last = 1 },
      { "suspend@2026-01-05T00:00:00Z", "suspend@2026-01-04T00:00:00Z",
        "2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z" },
      "ac" },
    { "the future is kept and not counted",
      "UTC",
      { .last = 1 },
      { "2099-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z" },
      "ab" },
    { "before 1970",
      "UTC",
      { .daily = 1 },
      { "1969-12-31T12:00:00Z", "1969-12-31T11:00:00Z", "1960-01-01T00:00:00Z" },
      "a" },
    { "none at all", "UTC", { .last = 1 }, { NULL }, "" },
};

/* The snapshots of @c; their ids are "a", "b", … */
static size_t
make_snapshots(const Case *c, FsnRetentionSnapshot *out)
{
    static const char ids[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j";
    size_t n = 0;

    for (; n < G_N_ELEMENTS(c->times) && c->times[n]; n++) {
        const char *at = strchr(c->times[n], '@');

        out[n] = (FsnRetentionSnapshot){
            .id = ids + 2 * n,
            .kind = at ? "suspend" : "snapshot",
            .created_us = instant(at ? at + 1 : c->times[n]),
        };
    }
    return n;
}

static GArray *
decide(const FsnRetentionRules *rules,
       const FsnRetentionSnapshot *snapshots,
       size_t n,
       const char *zone_name)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zone_name);
    g_autoptr(GError) error = NULL;
    GArray *decisions;

    g_assert_nonnull(zone);
    decisions = fsn_retention_decide(rules, snapshots, n, zone, instant(NOW), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(decisions->len, ==, n);
    return decisions;
}

static char *
kept_ids(GArray *decisions, const FsnRetentionSnapshot *snapshots)
{
    GString *kept = g_string_new(NULL);

    for (guint i = 0; i < decisions->len; i++) {
        const FsnRetentionDecision *d =
            &g_array_index(decisions, FsnRetentionDecision, i);

        g_assert_cmpuint(d->reasons->len, >, 0);
        if (d->keep) {
            g_string_append(kept, snapshots[i].id);
        } else {
            g_assert_cmpstr(d->reasons->pdata[0], ==, "no rule keeps it");
        }
    }
    return g_string_free(kept, FALSE);
}

static void
test_table(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        FsnRetentionSnapshot snapshots[10];
        size_t n = make_snapshots(&cases[i], snapshots);
        g_autoptr(GArray) decisions =
            decide(&cases[i].rules, snapshots, n, cases[i].zone);
        g_autofree char *kept = kept_ids(decisions, snapshots);

        if (!g_str_equal(kept, cases[i].kept)) {
            g_error("%s: kept '%s', not '%s'", cases[i].what, kept, cases[i].kept);
        }
    }
}

/* The order of the input does not matter. */
static void
test_order(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        FsnRetentionSnapshot snapshots[10], turned[10];
        size_t n = make_snapshots(&cases[i], snapshots);
        g_autoptr(GArray) decisions = NULL;
        g_autofree char *kept = NULL;

        for (size_t k = 0; k < n; k++) {
            turned[k] = snapshots[n - 1 - k];
        }
        decisions = decide(&cases[i].rules, turned, n, cases[i].zone);
        kept = kept_ids(decisions, turned);
        g_strreverse(kept);
        g_assert_cmpstr(kept, ==, cases[i].kept);
    }
}

static void
test_flags(void)
{
    const FsnRetentionRules rules = { .last = 1 };
    const FsnRetentionSnapshot snapshots[] = {
        { .id = "a", .kind = "suspend", .created_us = 4000000 },
        { .id = "b", .kind = "suspend", .created_us = 3000000 },
        { .id = "c",
          .kind = "suspend",
          .created_us = 2000000,
          .flags = FSN_RETENTION_SUSPENDED },
        { .id = "d",
          .kind = "suspend",
          .created_us = 1000000,
          .flags = FSN_RETENTION_BASE },
        { .id = "e",
          .kind = "snapshot",
          .created_us = 900000,
          .flags = FSN_RETENTION_READ },
    };
    g_autoptr(GArray) decisions = decide(&rules, snapshots, 5, "UTC");
    g_autofree char *kept = kept_ids(decisions, snapshots);
    const FsnRetentionDecision *c = &g_array_index(decisions, FsnRetentionDecision, 2);

    g_assert_cmpstr(kept, ==, "acde");
    g_assert_cmpstr(c->reasons->pdata[0], ==,
                    "the domain is suspended: it is its memory");
}

static void
test_reasons(void)
{
    const Case c = {
        .rules = { .last = 1, .hourly = 1, .daily = 3, .yearly = 1 },
        .times = { "2026-01-02T03:00:00Z", "2026-01-01T05:00:00Z",
                   "2026-01-01T04:00:00Z" },
    };
    const char *wanted[] = { "last snapshot, hourly snapshot, daily snapshot, yearly "
                             "snapshot",
                             "daily snapshot", "oldest daily snapshot" };
    FsnRetentionSnapshot snapshots[10];
    size_t n = make_snapshots(&c, snapshots);
    g_autoptr(GArray) decisions = decide(&c.rules, snapshots, n, "UTC");

    for (guint i = 0; i < n; i++) {
        GPtrArray *reasons = g_array_index(decisions, FsnRetentionDecision, i).reasons;
        g_autofree char *text = NULL;

        g_ptr_array_add(reasons, NULL);
        text = g_strjoinv(", ", (char **)reasons->pdata);
        g_assert_cmpstr(text, ==, wanted[i]);
    }
}

/* An instant beyond all calendars stays, and nothing is decided by it. */
static void
test_no_time(void)
{
    const FsnRetentionRules rules = { .last = 1, .monthly = 1 };
    const FsnRetentionSnapshot snapshots[] = {
        { .id = "a", .kind = "snapshot", .created_us = G_MAXINT64 },
        { .id = "b", .kind = "snapshot", .created_us = 0 },
        { .id = "c", .kind = "snapshot", .created_us = G_MININT64 },
    };
    g_autoptr(GArray) decisions = decide(&rules, snapshots, 3, "UTC");
    g_autofree char *kept = kept_ids(decisions, snapshots);

    g_assert_cmpstr(kept, ==, "abc");
}

static void
test_no_rule(void)
{
    const FsnRetentionRules none = { 0 };
    const FsnRetentionSnapshot one = { .id = "a", .kind = "snapshot" };
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    g_autoptr(GError) error = NULL;

    g_assert_null(fsn_retention_decide(&none, &one, 1, zone, 0, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/retention/table", test_table);
    g_test_add_func("/retention/order", test_order);
    g_test_add_func("/retention/flags", test_flags);
    g_test_add_func("/retention/reasons", test_reasons);
    g_test_add_func("/retention/no-time", test_no_time);
    g_test_add_func("/retention/no-rule", test_no_rule);
    return g_test_run();
}
