/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which disks, and the contents of which partitions, are left out. In doubt they are taken:
 * what was left out cannot be had back.
 */
#include "config.h"

#include "policies/granularity.h"
#include "policies/selector.h"

#include <string.h>

static FsnSelector *
find(const FsnProfile *profile, unsigned key, const FsnSelectable *what)
{
    return fsn_selectors_find(fsn_profile_text(profile, key), what);
}

char *
fsn_granularity_skip_disk(const FsnProfile *profile,
                          FsnLevel level,
                          const char *target,
                          uint64_t size)
{
    const FsnSelectable what = { .target = target, .size = size };
    g_autoptr(FsnSelector) excluded = find(profile, FSN_KEY_DISK_EXCLUDE, &what);
    g_autoptr(FsnSelector) included = find(profile, FSN_KEY_DISK_INCLUDE, &what);

    if (level == FSN_LEVEL_MINIMAL) {
        return g_strdup("level minimal takes no disks");
    }
    if (excluded) {
        return g_strdup_printf("the profile excludes %s", excluded->text);
    }
    if (*fsn_profile_text(profile, FSN_KEY_DISK_INCLUDE) && !included) {
        return g_strdup_printf("the profile includes only %s",
                               fsn_profile_text(profile, FSN_KEY_DISK_INCLUDE));
    }
    return NULL;
}

/* What would have it left out; NULL = nothing. */
static char *
why_skip(const FsnProfile *profile,
         FsnLevel level,
         const FsnPartitionFacts *p,
         const FsnSelectable *what)
{
    g_autoptr(FsnSelector) excluded = find(profile, FSN_KEY_PARTITION_EXCLUDE, what);
    const char *type = fsn_partition_type_name(p->type);

    if (excluded) {
        return g_strdup_printf("the profile excludes %s", excluded->text);
    }
    if (level == FSN_LEVEL_MINIMAL) {
        return g_strdup("level minimal takes no contents of partitions");
    }
    if (level == FSN_LEVEL_STANDARD && g_strcmp0(type, "swap") == 0 && p->swap_area) {
        return g_strdup("it is swap, which level standard leaves out");
    }
    return NULL;
}

char *
fsn_granularity_skip_partition(const FsnProfile *profile,
                               FsnLevel level,
                               const FsnPartitionFacts *p,
                               bool with_memory,
                               char **out_kept)
{
    g_autofree char *target = g_strdup_printf("%s:%u", p->disk, p->number);
    const FsnSelectable what = { .target = target,
                                 .size = p->size,
                                 .type = p->type,
                                 .name = p->name,
                                 .label = p->label };
    g_autofree char *why = why_skip(profile, level, p, &what);
    g_autoptr(FsnSelector) included = find(profile, FSN_KEY_PARTITION_INCLUDE, &what);
    const char *kept = NULL;

    *out_kept = NULL;
    if (!why) {
        return NULL;
    }
    if (included) {
        kept = "the profile includes it";
    } else if (with_memory) {
        kept = "the memory may refer to it";
    } else if (p->overlaps) {
        kept = "it shares its place with another partition";
    }
    if (kept) {
        *out_kept = g_strdup_printf("%s, but %s", why, kept);
        return NULL;
    }
    return g_steal_pointer(&why);
}
