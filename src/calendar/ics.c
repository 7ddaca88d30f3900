/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calendars through libical, its only user. Expansion is bounded: a file may take so many
 * steps of recurrence in all, and so much time, since a short text could otherwise keep a
 * host busy for hours. libical looks for the next date of a rule that has none (30 February)
 * until the year 20000: by years or days that takes a second, by hours minutes, so
 * such rules are refused beforehand.
 */
#include "config.h"

#include "calendar/ics.h"

#include "base/error.h"

#include <libical/ical.h>
#include <string.h>
#include <time.h>

/* Of all rules of a file: hourly for more than twenty years. */
#define STEPS_MAX  200000
#define CPU_US_MAX (2 * (int64_t)G_USEC_PER_SEC)
#define MINUTE_US  (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)
#define DAY_US     (1440 * MINUTE_US)

typedef struct icalrecur_iterator_impl RecurIterator;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(icalcomponent, icalcomponent_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecurIterator, icalrecur_iterator_free)

typedef struct {
    icalcomponent *root;
    const char *kind;
    GTimeZone *zone;
    int64_t from_us, to_us;
    FsnEvents *events;
    GHashTable *changed; /* "UID TIME" of instances that have an event of their own */
    unsigned steps;
    int64_t begun_us; /* CPU time */
} Calendar;

bool
fsn_ics_is_calendar(const char *text, size_t len)
{
    size_t skip = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (skip < len && g_ascii_isspace(text[skip])) {
        skip++;
    }
    return len - skip >= 15 &&
           g_ascii_strncasecmp(text + skip, "BEGIN:VCALENDAR", 15) == 0;
}

/* A time on the clock of @zone. */
static bool
local_us(const Calendar *calendar, icaltimetype time, int64_t *out_us)
{
    g_autoptr(GDateTime) moment = NULL;

    if (time.year < 1 || time.year > 9999) {
        return false;
    }
    moment = g_date_time_new(calendar->zone, time.year, time.month, time.day, time.hour,
                             time.minute, MIN(time.second, 59));
    if (moment) {
        *out_us = g_date_time_to_unix(moment) * G_USEC_PER_SEC;
    }
    return moment != NULL;
}

/* @time, whose zone @property names: UTC, one of the file, one of the system, or none. */
static bool
time_us(const Calendar *calendar,
        icaltimetype time,
        icalproperty *property,
        int64_t *out_us)
{
    icalparameter *parameter =
        icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
    const char *tzid = parameter ? icalparameter_get_tzid(parameter) : NULL;

    if (icaltime_is_null_time(time) || !icaltime_is_valid_time(time)) {
        return false;
    }
    if (icaltime_is_utc(time)) {
        *out_us = (int64_t)icaltime_as_timet(time) * G_USEC_PER_SEC;
        return true;
    }
    if (time.is_date || !tzid) {
        return local_us(calendar, time, out_us);
    }
    icaltimezone *zone = icalcomponent_get_timezone(calendar->root, tzid);

    zone = zone ? zone : icaltimezone_get_builtin_timezone(tzid);
    if (!zone) {
        return false;
    }
    *out_us = (int64_t)icaltime_as_timet_with_zone(time, zone) * G_USEC_PER_SEC;
    return true;
}

/* [a-z][a-z0-9-]… out of any text; NULL if nothing is left. The caller frees. */
static char *
kind_of_category(const char *category)
{
    GString *kind = g_string_new(NULL);

    for (const char *p = category; *p && kind->len < FSN_EVENT_KIND_MAX; p++) {
        char c = g_ascii_tolower(*p);

        if (g_ascii_isalpha(c) || (kind->len > 0 && g_ascii_isdigit(c))) {
            g_string_append_c(kind, c);
        } else if (kind->len > 0 && kind->str[kind->len - 1] != '-') {
            g_string_append_c(kind, '-');
        }
    }
    while (kind->len > 0 && kind->str[kind->len - 1] == '-') {
        g_string_truncate(kind, kind->len - 1);
    }
    return g_string_free(kind, kind->len == 0);
}

/* What all instances of an event have in common. */
typedef struct {
    icalcomponent *component;
    icalproperty *start_property;
    icaltimetype start;
    int64_t start_us, length_us;
    int days; /* if it lasts whole days, which are not all of 24 hours */
    char *kind;
    const char *name, *uid;
    GHashTable *left_out; /* "TIME" of EXDATEs */
} Entry;

static void
entry_clear(Entry *entry)
{
    g_free(entry->kind);
    g_clear_pointer(&entry->left_out, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Entry, entry_clear)

/* How long one instance lasts; false where it cannot be told. */
static bool
find_length(const Calendar *calendar, Entry *entry)
{
    icalproperty *end =
        icalcomponent_get_first_property(entry->component, ICAL_DTEND_PROPERTY);
    icalproperty *duration =
        icalcomponent_get_first_property(entry->component, ICAL_DURATION_PROPERTY);
    int64_t end_us;

    if (end) {
        if (!time_us(calendar, icalproperty_get_dtend(end), end, &end_us)) {
            return false;
        }
        entry->length_us = end_us - entry->start_us;
    } else if (duration) {
        struct icaldurationtype lasts = icalproperty_get_duration(duration);

        entry->length_us = (int64_t)icaldurationtype_as_int(lasts) * G_USEC_PER_SEC;
    } else {
        entry->length_us = entry->start.is_date ? DAY_US : MINUTE_US;
    }
    entry->length_us = MAX(entry->length_us, MINUTE_US);
    entry->days =
        entry->start.is_date ? (int)((entry->length_us + DAY_US / 2) / DAY_US) : 0;
    return true;
}

static int64_t
end_of(const Calendar *calendar, const Entry *entry, int64_t at_us)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) begin =
        utc ? g_date_time_to_timezone(utc, calendar->zone) : NULL;
    g_autoptr(GDateTime) end =
        begin && entry->days > 0 ? g_date_time_add_days(begin, entry->days) : NULL;

    return end ? g_date_time_to_unix(end) * G_USEC_PER_SEC : at_us + entry->length_us;
}

static char *
instance_key(const char *uid, int64_t at_us)
{
    return g_strdup_printf("%s %" G_GINT64_FORMAT, uid ? uid : "", at_us);
}

/* Adds the instance that begins at @at_us, unless it is out of range, excepted or changed. */
static bool
add_instance(const Calendar *calendar, const Entry *entry, int64_t at_us, GError **error)
{
    g_autofree char *key = instance_key(entry->uid, at_us);
    bool is_change = icalcomponent_get_first_property(entry->component,
                                                      ICAL_RECURRENCEID_PROPERTY) != NULL;

    int64_t end_us = end_of(calendar, entry, at_us);

    if (at_us >= calendar->to_us || end_us <= calendar->from_us ||
        g_hash_table_contains(entry->left_out, key) ||
        (!is_change && g_hash_table_contains(calendar->changed, key))) {
        return true;
    }
    return fsn_events_add(calendar->events, MAX(at_us, FSN_EVENT_TIME_MIN_US),
                          MIN(end_us, FSN_EVENT_TIME_MAX_US), entry->kind, entry->name,
                          error);
}

static void
find_left_out(const Calendar *calendar, Entry *entry)
{
    icalproperty *p;

    entry->left_out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (p = icalcomponent_get_first_property(entry->component, ICAL_EXDATE_PROPERTY); p;
         p = icalcomponent_get_next_property(entry->component, ICAL_EXDATE_PROPERTY)) {
        int64_t at_us;

        if (time_us(calendar, icalproperty_get_exdate(p), p, &at_us)) {
            g_hash_table_add(entry->left_out, instance_key(entry->uid, at_us));
        }
    }
}

/* False, without an error: the event cannot be used. */
static bool
describe(const Calendar *calendar, icalcomponent *component, Entry *entry)
{
    icalproperty *categories =
        icalcomponent_get_first_property(component, ICAL_CATEGORIES_PROPERTY);
    const char *category = categories ? icalproperty_get_categories(categories) : NULL;

    entry->component = component;
    entry->start_property =
        icalcomponent_get_first_property(component, ICAL_DTSTART_PROPERTY);
    if (!entry->start_property) {
        return false;
    }
    entry->start = icalproperty_get_dtstart(entry->start_property);
    entry->name = icalcomponent_get_summary(component);
    entry->uid = icalcomponent_get_uid(component);
    entry->kind = calendar->kind ? g_strdup(calendar->kind)
                  : category     ? kind_of_category(category)
                                 : NULL;
    find_left_out(calendar, entry);
    return time_us(calendar, entry->start, entry->start_property, &entry->start_us) &&
           find_length(calendar, entry);
}

static int64_t
cpu_us(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* Whether the dates of @rule can be found in reasonable time. */
static bool
is_expandable(const Calendar *calendar, const struct icalrecurrencetype *rule)
{
    bool picks_days = rule->by_month[0] != ICAL_RECURRENCE_ARRAY_MAX ||
                      rule->by_month_day[0] != ICAL_RECURRENCE_ARRAY_MAX ||
                      rule->by_year_day[0] != ICAL_RECURRENCE_ARRAY_MAX ||
                      rule->by_week_no[0] != ICAL_RECURRENCE_ARRAY_MAX ||
                      rule->by_set_pos[0] != ICAL_RECURRENCE_ARRAY_MAX;

    return rule->freq != ICAL_SECONDLY_RECURRENCE &&
           rule->freq != ICAL_MINUTELY_RECURRENCE && rule->freq != ICAL_NO_RECURRENCE &&
           !(rule->freq == ICAL_HOURLY_RECURRENCE && picks_days) &&
           cpu_us() - calendar->begun_us < CPU_US_MAX;
}

/* Instances by one rule; *@out_usable is false where it repeats too often. */
static bool
expand_rule(Calendar *calendar,
            const Entry *entry,
            struct icalrecurrencetype rule,
            bool *out_usable,
            GError **error)
{
    if (!is_expandable(calendar, &rule) || entry->start_us < FSN_EVENT_TIME_MIN_US) {
        *out_usable = false;
        return true;
    }
    g_autoptr(RecurIterator) iterator = icalrecur_iterator_new(rule, entry->start);
    *out_usable = iterator != NULL;

    while (iterator) {
        icaltimetype next = icalrecur_iterator_next(iterator);
        int64_t at_us;

        if (icaltime_is_null_time(next) || next.year > 2199) {
            break;
        }
        if (++calendar->steps > STEPS_MAX) {
            *out_usable = false;
            break;
        }
        if (!time_us(calendar, next, entry->start_property, &at_us)) {
            continue;
        }
        if (at_us >= calendar->to_us) {
            break;
        }
        if (!add_instance(calendar, entry, at_us, error)) {
            return false;
        }
    }
    return true;
}

static bool
expand_dates(const Calendar *calendar, const Entry *entry, GError **error)
{
    icalproperty *p;

    for (p = icalcomponent_get_first_property(entry->component, ICAL_RDATE_PROPERTY); p;
         p = icalcomponent_get_next_property(entry->component, ICAL_RDATE_PROPERTY)) {
        struct icaldatetimeperiodtype date = icalproperty_get_rdate(p);
        icaltimetype time =
            icaltime_is_null_time(date.time) ? date.period.start : date.time;
        int64_t at_us;

        if (time_us(calendar, time, p, &at_us) &&
            !add_instance(calendar, entry, at_us, error)) {
            return false;
        }
    }
    return true;
}

static bool
add_component(Calendar *calendar,
              icalcomponent *component,
              bool *out_usable,
              GError **error)
{
    g_auto(Entry) entry = { 0 };
    icalproperty *p;

    *out_usable = true;
    if (icalcomponent_get_status(component) == ICAL_STATUS_CANCELLED) {
        return true;
    }
    if (!describe(calendar, component, &entry)) {
        *out_usable = false;
        return true;
    }
    if (!add_instance(calendar, &entry, entry.start_us, error)) {
        return false;
    }
    for (p = icalcomponent_get_first_property(component, ICAL_RRULE_PROPERTY); p;
         p = icalcomponent_get_next_property(component, ICAL_RRULE_PROPERTY)) {
        bool usable;

        if (!expand_rule(calendar, &entry, icalproperty_get_rrule(p), &usable, error)) {
            return false;
        }
        *out_usable = *out_usable && usable;
    }
    return expand_dates(calendar, &entry, error);
}

/* Instances of recurring events that have been moved, changed or cancelled by themselves. */
static void
find_changed(Calendar *calendar)
{
    icalcomponent *c;

    for (c = icalcomponent_get_first_component(calendar->root, ICAL_VEVENT_COMPONENT); c;
         c = icalcomponent_get_next_component(calendar->root, ICAL_VEVENT_COMPONENT)) {
        icalproperty *p = icalcomponent_get_first_property(c, ICAL_RECURRENCEID_PROPERTY);
        int64_t at_us;

        if (p && time_us(calendar, icalproperty_get_recurrenceid(p), p, &at_us)) {
            g_hash_table_add(calendar->changed,
                             instance_key(icalcomponent_get_uid(c), at_us));
        }
    }
}

bool
fsn_ics_parse(const char *text,
              size_t len,
              const char *kind,
              GTimeZone *zone,
              int64_t from_us,
              int64_t to_us,
              FsnEvents *events,
              size_t *out_skipped,
              GError **error)
{
    g_autofree char *copy = g_strndup(text, len);
    g_autoptr(GHashTable) changed =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(icalcomponent) root = NULL;
    size_t skipped = 0;

    icalerror_set_errors_are_fatal(FALSE);
    if (len <= FSN_ICS_MAX && strlen(copy) == len && fsn_ics_is_calendar(copy, len)) {
        root = icalparser_parse_string(copy);
    }
    if (!root || icalcomponent_isa(root) != ICAL_VCALENDAR_COMPONENT) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "this is no calendar, or it is longer than %u MiB",
                    FSN_ICS_MAX >> 20);
        return false;
    }
    Calendar calendar = {
        root, kind, zone, from_us, to_us, events, changed, 0, cpu_us()
    };

    find_changed(&calendar);
    for (icalcomponent *c =
             icalcomponent_get_first_component(root, ICAL_VEVENT_COMPONENT);
         c; c = icalcomponent_get_next_component(root, ICAL_VEVENT_COMPONENT)) {
        bool usable;

        if (!add_component(&calendar, c, &usable, error)) {
            return false;
        }
        skipped += !usable;
    }
    *out_skipped = skipped;
    return true;
}
