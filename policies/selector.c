/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selecting disks and partitions by name, size, type and label. Nothing is selected by what is
 * not known: a partition without a label matches no label.
 */
#include "config.h"

#include "policies/selector.h"

#include "base/error.h"
#include "policies/profile-value.h"

#include <string.h>

static const struct {
    const char *type;
    const char *name;
} type_names[] = {
    { "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "swap" },
    { "0x82", "swap" },
    { "0fc63daf-8483-4772-8e79-3d69d8477de4", "linux" },
    { "0x83", "linux" },
    { "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "linux" }, /* root, x86-64 */
    { "933ac7e1-2eb4-4f13-b844-0e14e2aef915", "home" },
    { "4d21b016-b534-45c2-a9fb-5c16e091fd2d", "var" },
    { "7ec6f557-3bc5-4aca-b293-16ef5df639d1", "tmp" },
    { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "efi" },
    { "0xef", "efi" },
    { "21686148-6449-6e6f-744e-656564454649", "bios" },
    { "e6d6d379-f507-44c2-a23c-238f2a3df928", "lvm" },
    { "0x8e", "lvm" },
    { "a19d880f-05fc-4d3b-a006-743f0f84911e", "raid" },
    { "0xfd", "raid" },
    { "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "windows" },
    { "0x07", "windows" },
};

const char *
fsn_partition_type_name(const char *type)
{
    for (size_t i = 0; type && i < G_N_ELEMENTS(type_names); i++) {
        if (strcmp(type, type_names[i].type) == 0) {
            return type_names[i].name;
        }
    }
    return NULL;
}

void
fsn_selector_free(FsnSelector *selector)
{
    if (selector) {
        g_free(selector->text);
        g_free(selector->pattern);
        g_free(selector);
    }
}

static bool
is_type(const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(type_names); i++) {
        if (strcmp(text, type_names[i].name) == 0) {
            return true;
        }
    }
    return (strlen(text) == 4 && g_str_has_prefix(text, "0x") &&
            strspn(text + 2, "0123456789abcdef") == 2) ||
           (strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36);
}

static bool
parse_size(FsnSelector *selector, const char *text, GError **error)
{
    static const FsnValueRule rule = { .type = FSN_VALUE_SIZE,
                                       .min = 1,
                                       .max = UINT64_C(1) << 61 };
    FsnValue value;

    if (*text != '<' && *text != '>') {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "a size begins with '<' or '>', as in size:>100G");
        return false;
    }
    selector->kind = *text == '>' ? FSN_SELECT_LARGER : FSN_SELECT_SMALLER;
    if (!fsn_value_parse(&rule, text + 1, &value, error)) {
        return false;
    }
    selector->bytes = value.number;
    return true;
}

static bool
parse_type(FsnSelector *selector, const char *text, GError **error)
{
    selector->kind = FSN_SELECT_TYPE;
    selector->pattern = g_ascii_strdown(text, -1);
    if (!is_type(selector->pattern)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' is no type of a partition: swap, linux, home, var, tmp, efi, "
                    "bios, lvm, raid, windows, a GUID or 0x and two hex digits",
                    text);
        return false;
    }
    return true;
}

/* Bounded, since stars are matched by trying. */
static bool
parse_pattern(FsnSelector *selector, const char *text, GError **error)
{
    unsigned stars = 0;

    for (const char *p = text; *p; p++) {
        stars += *p == '*';
    }
    if (stars > 4 || strlen(text) > 128) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "a pattern has at most four stars and 128 bytes");
        return false;
    }
    selector->pattern = g_strdup(text);
    return true;
}

static bool
parse_after_colon(FsnSelector *selector, const char *text, GError **error)
{
    const char *value = strchr(text, ':');

    if (value && !value[1]) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "nothing follows the colon");
        return false;
    }
    if (g_str_has_prefix(text, "size:")) {
        return parse_size(selector, value + 1, error);
    }
    if (g_str_has_prefix(text, "type:")) {
        return parse_type(selector, value + 1, error);
    }
    if (g_str_has_prefix(text, "target:") || g_str_has_prefix(text, "label:")) {
        selector->kind = *text == 't' ? FSN_SELECT_TARGET : FSN_SELECT_LABEL;
        return parse_pattern(selector, value + 1, error);
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                "it begins with none of target:, size:, type: and label:");
    return false;
}

FsnSelector *
fsn_selector_parse(const char *text, GError **error)
{
    g_autoptr(FsnSelector) selector = g_new0(FsnSelector, 1);

    selector->text = g_strdup(text);
    return parse_after_colon(selector, text, error) ? g_steal_pointer(&selector) : NULL;
}

static bool
matches_pattern(const char *pattern, const char *text)
{
    return text && g_pattern_match_simple(pattern, text);
}

bool
fsn_selector_matches(const FsnSelector *s, const FsnSelectable *what)
{
    switch (s->kind) {
    case FSN_SELECT_TARGET:
        return matches_pattern(s->pattern, what->target);
    case FSN_SELECT_LARGER:
        return what->size > s->bytes;
    case FSN_SELECT_SMALLER:
        return what->size < s->bytes;
    case FSN_SELECT_TYPE:
        return what->type &&
               (strcmp(s->pattern, what->type) == 0 ||
                g_strcmp0(s->pattern, fsn_partition_type_name(what->type)) == 0);
    case FSN_SELECT_LABEL:
        return matches_pattern(s->pattern, what->label) ||
               matches_pattern(s->pattern, what->name);
    }
    g_assert_not_reached();
}

FsnSelector *
fsn_selectors_find(const char *text, const FsnSelectable *what)
{
    g_auto(GStrv) items = fsn_value_list(text);

    for (char **item = items; *item; item++) {
        g_autoptr(FsnSelector) selector = fsn_selector_parse(*item, NULL);

        if (selector && fsn_selector_matches(selector, what)) {
            return g_steal_pointer(&selector);
        }
    }
    return NULL;
}
