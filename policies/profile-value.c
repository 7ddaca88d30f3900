/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of profiles. Every number has its unit, sizes and rates in powers of 1024: "wrong
 * unit" must be an error and never another value. Numbers are bounded before they are
 * multiplied. What a value means is not known here.
 */
#include "config.h"

#include "policies/profile-value.h"

#include "base/error.h"
#include "policies/calendar.h"
#include "policies/database.h"
#include "policies/level.h"
#include "policies/selector.h"

#include <string.h>

#define MAX_TEXT  4096
#define MAX_ITEMS 64
#define MAX_VALUE 0x1p62

typedef struct {
    const char *name;
    double factor;
} Unit;

/* The first of each list is the one in which values are shown. */
static const Unit sizes[] = { { "", 1 },         { "K", 0x1p10 },   { "M", 0x1p20 },
                              { "G", 0x1p30 },   { "T", 0x1p40 },   { "KiB", 0x1p10 },
                              { "MiB", 0x1p20 }, { "GiB", 0x1p30 }, { "TiB", 0x1p40 },
                              { NULL } };
static const Unit rates[] = { { "/s", 1 },         { "K/s", 0x1p10 },
                              { "M/s", 0x1p20 },   { "G/s", 0x1p30 },
                              { "KiB/s", 0x1p10 }, { "MiB/s", 0x1p20 },
                              { "GiB/s", 0x1p30 }, { NULL } };
static const Unit percents[] = { { "%", 1 }, { NULL } };
static const Unit counts[] = { { "", 1 }, { NULL } };
static const Unit durations[] = { { "s", 1e6 },    { "ms", 1e3 },    { "min", 60e6 },
                                  { "h", 3600e6 }, { "d", 86400e6 }, { "w", 604800e6 },
                                  { NULL } };

static const char *const levels[] = { "minimal", "standard", "detailed", "raw", NULL };
static const char *const switches[] = { "no", "yes", NULL };

static const char *const *
words_of(const FsnValueRule *rule)
{
    switch (rule->type) {
    case FSN_VALUE_LEVEL:
        return levels;
    case FSN_VALUE_SWITCH:
        return switches;
    case FSN_VALUE_WORD:
        return rule->words;
    case FSN_VALUE_TEXT:
    case FSN_VALUE_NAME:
    case FSN_VALUE_COUNT:
    case FSN_VALUE_SIZE:
    case FSN_VALUE_RATE:
    case FSN_VALUE_PERCENT:
    case FSN_VALUE_DURATION:
    case FSN_VALUE_SELECTORS:
    case FSN_VALUE_CALENDAR:
    case FSN_VALUE_HOURS:
    case FSN_VALUE_DATABASES:
        break;
    }
    return NULL;
}

static const Unit *
units_of(FsnValueType type)
{
    switch (type) {
    case FSN_VALUE_COUNT:
        return counts;
    case FSN_VALUE_SIZE:
        return sizes;
    case FSN_VALUE_RATE:
        return rates;
    case FSN_VALUE_PERCENT:
        return percents;
    case FSN_VALUE_DURATION:
        return durations;
    case FSN_VALUE_TEXT:
    case FSN_VALUE_NAME:
    case FSN_VALUE_LEVEL:
    case FSN_VALUE_WORD:
    case FSN_VALUE_SWITCH:
    case FSN_VALUE_SELECTORS:
    case FSN_VALUE_CALENDAR:
    case FSN_VALUE_HOURS:
    case FSN_VALUE_DATABASES:
        break;
    }
    return NULL;
}

/* In the largest unit that leaves no fraction. */
static char *
number_text(FsnValueType type, uint64_t number)
{
    const Unit *units = units_of(type);
    const Unit *best = units;

    for (const Unit *u = units; u->name; u++) {
        uint64_t factor = (uint64_t)u->factor;

        if (number > 0 && number % factor == 0 && factor > (uint64_t)best->factor) {
            best = u;
        }
    }
    if (best->factor > (double)MAX(number, 1)) {
        best = units; /* microseconds are below the first unit */
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT "%s", number / (uint64_t)best->factor,
                           best->name);
}

static char *
join_words(const char *const *words)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; words[i]; i++) {
        const char *glue = i == 0 ? "" : words[i + 1] ? ", " : " or ";

        g_string_append_printf(text, "%s%s", glue, words[i]);
    }
    return g_string_free(text, FALSE);
}

static char *
range_text(const FsnValueRule *rule)
{
    g_autofree char *min = number_text(rule->type, rule->min);
    g_autofree char *max = number_text(rule->type, rule->max);

    return g_strdup_printf("%s to %s%s", min, max, rule->may_be_off ? ", or off" : "");
}

char *
fsn_value_allowed(const FsnValueRule *rule)
{
    switch (rule->type) {
    case FSN_VALUE_TEXT:
        return g_strdup("one line of text");
    case FSN_VALUE_NAME:
        return g_strdup("the name of a profile");
    case FSN_VALUE_LEVEL:
    case FSN_VALUE_SWITCH:
    case FSN_VALUE_WORD:
        return join_words(words_of(rule));
    case FSN_VALUE_COUNT:
    case FSN_VALUE_SIZE:
    case FSN_VALUE_RATE:
    case FSN_VALUE_PERCENT:
    case FSN_VALUE_DURATION:
        return range_text(rule);
    case FSN_VALUE_SELECTORS:
        return g_strdup("target:PATTERN, size:>SIZE, size:<SIZE, type:TYPE or "
                        "label:PATTERN, separated by ';'");
    case FSN_VALUE_CALENDAR:
        return g_strdup("hourly, daily, weekly, monthly or [DAYS] [YEAR-MONTH-DAY] "
                        "HOUR:MINUTE, separated by ';'");
    case FSN_VALUE_HOURS:
        return g_strdup("HOUR:MINUTE-HOUR:MINUTE, separated by ';'");
    case FSN_VALUE_DATABASES:
        return g_strdup("NAME on=DISK[:PARTITION] quiesce=COMMAND [release=COMMAND] "
                        "[limit=DURATION] [on-failure=WORD], separated by ';'");
    }
    g_assert_not_reached();
}

static bool
refuse(const FsnValueRule *rule, const char *text, const char *why, GError **error)
{
    g_autofree char *allowed = fsn_value_allowed(rule);
    g_autofree char *shown = g_utf8_make_valid(text, (gssize)strnlen(text, 60));

    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' %s; allowed: %s", shown, why,
                allowed);
    return false;
}

static bool
parse_word(const FsnValueRule *rule, const char *text, FsnValue *value, GError **error)
{
    const char *const *words = words_of(rule);

    for (size_t i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            value->number = i;
            return true;
        }
    }
    return refuse(rule, text, "is not known here", error);
}

static bool
has_control(const char *text)
{
    for (; *text; text++) {
        if (g_ascii_iscntrl(*text) && *text != '\t') {
            return true;
        }
    }
    return false;
}

static const Unit *
find_unit(const Unit *units, const char *name)
{
    for (; units->name; units++) {
        if (strcmp(units->name, name) == 0) {
            return units;
        }
    }
    return NULL;
}

static bool
parse_number(const FsnValueRule *rule, const char *text, FsnValue *value, GError **error)
{
    char *end = NULL;
    bool digit = g_ascii_isdigit(*text) && strncmp(text, "0x", 2) != 0;
    double number = digit ? g_ascii_strtod(text, &end) : 0;
    const Unit *unit;

    if (!digit) {
        return refuse(rule, text, "is no number", error);
    }
    while (*end == ' ') {
        end++;
    }
    unit = find_unit(units_of(rule->type), end);
    if (!unit) {
        return refuse(rule, text, *end ? "has another unit" : "has no unit", error);
    }
    number *= unit->factor;
    if (!(number >= 0 && number < MAX_VALUE) || (uint64_t)number < rule->min ||
        (uint64_t)number > rule->max) {
        return refuse(rule, text, "is out of range", error);
    }
    if (number != (double)(uint64_t)number && unit->factor == 1) {
        return refuse(rule, text, "is no whole number", error);
    }
    value->number = (uint64_t)number;
    return true;
}

static bool
parse_name(const FsnValueRule *rule, const char *text, GError **error)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

    if (n == 0 || text[n] || n > 64 || *text == '.' || *text == '-') {
        return refuse(rule, text,
                      "is no name of a profile (small letters, digits, '-', '_', '.')",
                      error);
    }
    return true;
}

static bool
parse_item(const FsnValueRule *rule, const char *item, GError **error)
{
    g_autoptr(FsnSelector) selector = NULL;
    FsnCalendar calendar;
    FsnHours hours;

    switch (rule->type) {
    case FSN_VALUE_SELECTORS:
        selector = fsn_selector_parse(item, error);
        return selector != NULL;
    case FSN_VALUE_CALENDAR:
        return fsn_calendar_parse(item, &calendar, error);
    case FSN_VALUE_HOURS:
        return fsn_hours_parse(item, &hours, error);
    case FSN_VALUE_TEXT:
    case FSN_VALUE_NAME:
    case FSN_VALUE_LEVEL:
    case FSN_VALUE_WORD:
    case FSN_VALUE_SWITCH:
    case FSN_VALUE_COUNT:
    case FSN_VALUE_SIZE:
    case FSN_VALUE_RATE:
    case FSN_VALUE_PERCENT:
    case FSN_VALUE_DURATION:
    case FSN_VALUE_DATABASES:
        break;
    }
    g_assert_not_reached();
}

static bool
parse_databases(const FsnValueRule *rule, const char *text, GError **error)
{
    g_autoptr(GPtrArray) databases = NULL;
    g_autoptr(GError) local = NULL;
    g_autofree char *why = NULL;

    if (fsn_databases_parse(text, &databases, &local)) {
        return true;
    }
    why = g_strdup_printf("is refused: %s", local->message);
    return refuse(rule, text, why, error);
}

static bool
parse_list(const FsnValueRule *rule, const char *text, GError **error)
{
    g_auto(GStrv) items = fsn_value_list(text);

    if (g_strv_length(items) > MAX_ITEMS) {
        return refuse(rule, text, "has more than 64 elements", error);
    }
    for (char **item = items; *item; item++) {
        g_autoptr(GError) local = NULL;

        if (!parse_item(rule, *item, &local)) {
            g_autofree char *why = g_strdup_printf("is refused: %s", local->message);

            return refuse(rule, *item, why, error);
        }
    }
    return true;
}

bool
fsn_value_parse(const FsnValueRule *rule,
                const char *text,
                FsnValue *out_value,
                GError **error)
{
    FsnValue value = { 0 };
    bool ok = false;

    if (strnlen(text, MAX_TEXT + 1) > MAX_TEXT) {
        return refuse(rule, text, "is longer than 4096 bytes", error);
    }
    if (!g_utf8_validate(text, -1, NULL) || has_control(text)) {
        return refuse(rule, text, "is not one line of UTF-8", error);
    }
    if (rule->may_be_off && strcmp(text, "off") == 0) {
        *out_value = (FsnValue){ .number = UINT64_MAX, .off = true };
        return true;
    }
    switch (rule->type) {
    case FSN_VALUE_TEXT:
        ok = true;
        break;
    case FSN_VALUE_NAME:
        ok = parse_name(rule, text, error);
        break;
    case FSN_VALUE_LEVEL:
    case FSN_VALUE_WORD:
    case FSN_VALUE_SWITCH:
        ok = parse_word(rule, text, &value, error);
        break;
    case FSN_VALUE_COUNT:
    case FSN_VALUE_SIZE:
    case FSN_VALUE_RATE:
    case FSN_VALUE_PERCENT:
    case FSN_VALUE_DURATION:
        ok = parse_number(rule, text, &value, error);
        break;
    case FSN_VALUE_SELECTORS:
    case FSN_VALUE_CALENDAR:
    case FSN_VALUE_HOURS:
        ok = parse_list(rule, text, error);
        break;
    case FSN_VALUE_DATABASES:
        ok = parse_databases(rule, text, error);
        break;
    }
    if (ok) {
        *out_value = value;
    }
    return ok;
}

char **
fsn_value_list(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ";", -1);
    GPtrArray *items = g_ptr_array_new();

    for (char **part = parts; *part; part++) {
        char *item = g_strstrip(g_strdup(*part));

        if (*item) {
            g_ptr_array_add(items, item);
        } else {
            g_free(item);
        }
    }
    g_ptr_array_add(items, NULL);
    return (char **)g_ptr_array_free(items, FALSE);
}
