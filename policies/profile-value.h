/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The types of values in a profile: text in, a number or a list that was checked out. Pure. */
typedef enum {
    FSN_VALUE_TEXT, /* one line */
    FSN_VALUE_NAME, /* of a profile: a-z, 0-9, '-', '_', '.'; not at the beginning: '.' */
    FSN_VALUE_LEVEL,     /* number: FsnLevel */
    FSN_VALUE_WORD,      /* number: index into the allowed words */
    FSN_VALUE_SWITCH,    /* yes or no; number: 1 or 0 */
    FSN_VALUE_COUNT,     /* number */
    FSN_VALUE_SIZE,      /* "64M"; number: bytes */
    FSN_VALUE_RATE,      /* "8M/s"; number: bytes per second */
    FSN_VALUE_PERCENT,   /* "20%" */
    FSN_VALUE_DURATION,  /* "10s", "5min", "2h", "3d"; number: microseconds */
    FSN_VALUE_SELECTORS, /* policies/selector.h, separated by ';' */
    FSN_VALUE_CALENDAR,  /* policies/calendar.h, separated by ';' */
    FSN_VALUE_HOURS,     /* "22:00-06:00", separated by ';' */
    FSN_VALUE_DATABASES, /* policies/database.h, separated by ';' */
} FsnValueType;

typedef struct {
    uint64_t number; /* UINT64_MAX where the value is "off" */
    bool off;        /* of sizes, rates, percentages and durations */
} FsnValue;

/* What a value may be. */
typedef struct {
    FsnValueType type;
    uint64_t min; /* of those with numbers, in their unit */
    uint64_t max;
    bool may_be_off;          /* the word "off" is allowed */
    const char *const *words; /* of FSN_VALUE_WORD; NULL-terminated */
} FsnValueRule;

/* Checks @text. FSN_ERROR_FORMAT says what is wrong and what is allowed, without naming the key.
 */
bool fsn_value_parse(const FsnValueRule *rule,
                     const char *text,
                     FsnValue *out_value,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is allowed, for messages and documentation: "minimal, standard, detailed or raw"; the
 * caller frees. */
char *fsn_value_allowed(const FsnValueRule *rule);

/* The elements of a list, without blanks around them and without empty ones. */
char **fsn_value_list(const char *text);

G_END_DECLS
