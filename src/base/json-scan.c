/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cursor in JSON text. The grammar is checked also where values are skipped, so that a
 * text which passes is JSON as a whole.
 */
#include "config.h"

#include "base/json-scan.h"

#include "base/json.h"

#include <string.h>

/* Most digits of an integer that surely fits. */
#define MAX_DIGITS 18

void
fsn_json_scan_init(FsnJsonScan *scan, const char *text, size_t len)
{
    *scan = (FsnJsonScan){ .p = text, .end = text + len };
}

static bool
fail(FsnJsonScan *scan)
{
    scan->failed = true;
    scan->p = scan->end;
    return false;
}

static void
skip_blanks(FsnJsonScan *scan)
{
    while (scan->p < scan->end && (*scan->p == ' ' || *scan->p == '\n' ||
                                   *scan->p == '\t' || *scan->p == '\r')) {
        scan->p++;
    }
}

/* Takes the character @c if it comes next. */
static bool
take(FsnJsonScan *scan, char c)
{
    skip_blanks(scan);
    if (scan->p < scan->end && *scan->p == c) {
        scan->p++;
        return true;
    }
    return false;
}

bool
fsn_json_scan_is(const FsnJsonScan *scan, char begin)
{
    FsnJsonScan look = *scan;

    return take(&look, begin);
}

static bool
enter(FsnJsonScan *scan, char begin)
{
    if (scan->failed || !take(scan, begin) || ++scan->depth > FSN_JSON_MAX_DEPTH) {
        return fail(scan);
    }
    scan->first = true;
    return true;
}

/* Goes on to the next item; false at @end, which is taken. */
static bool
next_item(FsnJsonScan *scan, char end)
{
    bool first = scan->first;

    if (scan->failed) {
        return false;
    }
    scan->first = false;
    if (take(scan, end)) {
        scan->depth--;
        return false;
    }
    return first || take(scan, ',') || fail(scan);
}

bool
fsn_json_scan_object(FsnJsonScan *scan)
{
    return enter(scan, '{');
}

bool
fsn_json_scan_array(FsnJsonScan *scan)
{
    return enter(scan, '[');
}

bool
fsn_json_scan_element(FsnJsonScan *scan)
{
    return next_item(scan, ']');
}

/* Takes the escape after a backslash. */
static bool
take_escape(FsnJsonScan *scan)
{
    char c = scan->p < scan->end ? *scan->p++ : '\0';

    if (c == 'u') {
        for (int i = 0; i < 4; i++) {
            if (scan->p == scan->end || !g_ascii_isxdigit(*scan->p++)) {
                return false;
            }
        }
        return true;
    }
    return c != '\0' && strchr("\"\\/bfnrt", c);
}

/* Takes a string; *out_start and *out_len are what is between the quotes. */
static bool
take_string(FsnJsonScan *scan, const char **out_start, size_t *out_len, bool *out_escapes)
{
    if (scan->failed || !take(scan, '"')) {
        return fail(scan);
    }
    *out_start = scan->p;
    *out_escapes = false;
    while (scan->p < scan->end) {
        unsigned char c = (unsigned char)*scan->p++;

        if (c == '"') {
            *out_len = (size_t)(scan->p - 1 - *out_start);
            return true;
        }
        if (c < 0x20) {
            return fail(scan);
        }
        if (c == '\\') {
            *out_escapes = true;
            if (!take_escape(scan)) {
                return fail(scan);
            }
        }
    }
    return fail(scan);
}

bool
fsn_json_scan_member(FsnJsonScan *scan, const char **out_name, size_t *out_len)
{
    bool escapes;

    if (!next_item(scan, '}')) {
        return false;
    }
    return (take_string(scan, out_name, out_len, &escapes) && !escapes &&
            take(scan, ':')) ||
           fail(scan);
}

void
fsn_json_scan_string(FsnJsonScan *scan, char **out_value)
{
    const char *start;
    size_t len;
    bool escapes;

    if (!fsn_json_scan_is(scan, '"')) {
        fsn_json_scan_skip(scan);
        g_clear_pointer(out_value, g_free);
    } else if (take_string(scan, &start, &len, &escapes)) {
        if (escapes) {
            (void)fail(scan);
            return;
        }
        g_free(*out_value);
        *out_value = g_strndup(start, len);
    }
}

static size_t
take_digits(FsnJsonScan *scan, int64_t *value)
{
    size_t n = 0;

    while (scan->p < scan->end && g_ascii_isdigit(*scan->p)) {
        if (n++ < MAX_DIGITS) {
            *value = *value * 10 + (*scan->p - '0');
        }
        scan->p++;
    }
    return n;
}

/* Takes a fraction and an exponent, where they are. */
static bool
take_rest_of_number(FsnJsonScan *scan, bool *out_integer)
{
    int64_t unused = 0;

    if (scan->p < scan->end && *scan->p == '.') {
        scan->p++;
        *out_integer = false;
        if (take_digits(scan, &unused) == 0) {
            return false;
        }
    }
    if (scan->p < scan->end && (*scan->p == 'e' || *scan->p == 'E')) {
        scan->p++;
        *out_integer = false;
        if (scan->p < scan->end && (*scan->p == '+' || *scan->p == '-')) {
            scan->p++;
        }
        return take_digits(scan, &unused) > 0;
    }
    return true;
}

/* Takes a number; *out_integer says whether *out_value is it. */
static bool
take_number(FsnJsonScan *scan, bool *out_integer, int64_t *out_value)
{
    bool negative = *scan->p == '-';
    const char *start;
    int64_t value = 0;
    size_t digits;

    scan->p += negative;
    start = scan->p;
    digits = take_digits(scan, &value);
    *out_integer = true;
    if (digits == 0 || (digits > 1 && *start == '0') ||
        !take_rest_of_number(scan, out_integer)) {
        return fail(scan);
    }
    if (*out_integer && digits > MAX_DIGITS) {
        return fail(scan); /* let the other parser say what it is */
    }
    *out_value = negative ? -value : value;
    return true;
}

static bool
is_number(const FsnJsonScan *scan)
{
    return scan->p < scan->end && (*scan->p == '-' || g_ascii_isdigit(*scan->p));
}

void
fsn_json_scan_int(FsnJsonScan *scan, int64_t *out_value)
{
    bool integer;
    int64_t value;

    skip_blanks(scan);
    if (!is_number(scan)) {
        fsn_json_scan_skip(scan);
    } else if (take_number(scan, &integer, &value) && integer) {
        *out_value = value;
    }
}

/* Takes true, false, null or a number. */
static bool
take_word(FsnJsonScan *scan)
{
    const char *words[] = { "true", "false", "null" };
    bool integer;
    int64_t value;

    if (is_number(scan)) {
        return take_number(scan, &integer, &value);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t len = strlen(words[i]);

        if ((size_t)(scan->end - scan->p) >= len && memcmp(scan->p, words[i], len) == 0) {
            scan->p += len;
            return true;
        }
    }
    return fail(scan);
}

void
fsn_json_scan_skip(FsnJsonScan *scan)
{
    const char *start;
    size_t len;
    bool escapes;

    skip_blanks(scan);
    if (scan->failed || scan->p == scan->end) {
        (void)fail(scan);
    } else if (*scan->p == '{') {
        (void)fsn_json_scan_object(scan);
        while (next_item(scan, '}')) {
            if (take_string(scan, &start, &len, &escapes) && !take(scan, ':')) {
                (void)fail(scan);
            }
            fsn_json_scan_skip(scan); /* as deep as FSN_JSON_MAX_DEPTH */
        }
    } else if (*scan->p == '[') {
        (void)fsn_json_scan_array(scan);
        while (fsn_json_scan_element(scan)) {
            fsn_json_scan_skip(scan);
        }
    } else if (*scan->p == '"') {
        (void)take_string(scan, &start, &len, &escapes);
    } else {
        (void)take_word(scan);
    }
}

bool
fsn_json_scan_end(FsnJsonScan *scan)
{
    skip_blanks(scan);
    return !scan->failed && scan->p == scan->end && scan->depth == 0;
}
