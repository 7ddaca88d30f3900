/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of levels and of kinds of resources, and what each level means for each kind: the
 * one place that says it, from which profiles, plans and explanations are worded.
 */
#include "config.h"

#include "policies/level.h"

#include <string.h>

static const char *const level_names[FSN_N_LEVELS] = {
    [FSN_LEVEL_MINIMAL] = "minimal",
    [FSN_LEVEL_STANDARD] = "standard",
    [FSN_LEVEL_DETAILED] = "detailed",
    [FSN_LEVEL_RAW] = "raw",
};

static const char *const resource_names[FSN_N_RESOURCES] = {
    [FSN_RESOURCE_CONFIG] = "config",   [FSN_RESOURCE_MEMORY] = "memory",
    [FSN_RESOURCE_DISK] = "disk",       [FSN_RESOURCE_PARTITION] = "partition",
    [FSN_RESOURCE_NETWORK] = "network", [FSN_RESOURCE_LOG] = "log",
    [FSN_RESOURCE_METRICS] = "metrics", [FSN_RESOURCE_DATABASE] = "database",
};

static const char *const meanings[FSN_N_RESOURCES][FSN_N_LEVELS] = {
    [FSN_RESOURCE_CONFIG] = { "the definitions of the domain and what it depends on",
                              "the definitions of the domain and what it depends on",
                              "the definitions of the domain and what it depends on",
                              "the definitions of the domain and what it depends on" },
    [FSN_RESOURCE_MEMORY] = { "nothing", "nothing", "all of the guest's memory",
                              "all of the guest's memory" },
    [FSN_RESOURCE_DISK] = { "nothing but where it is",
                            "its data, without swap and what is declared as scratch",
                            "all that the guest can read of it",
                            "all of it, read without the help of a bitmap" },
    [FSN_RESOURCE_PARTITION] = { "nothing", "its data, but nothing of swap", "all of it",
                                 "all of it" },
    [FSN_RESOURCE_NETWORK] = { "definitions", "definitions, leases and filters",
                               "definitions, leases, filters and statistics",
                               "everything" },
    [FSN_RESOURCE_LOG] = { "nothing", "the newest part", "all", "all" },
    [FSN_RESOURCE_METRICS] = { "hourly values of 14 days",
                               "values of 5 minutes of 28 days",
                               "values of 5 minutes, and all samples since the parent",
                               "values of 5 minutes, and all samples since the parent" },
    [FSN_RESOURCE_DATABASE] = { "nothing of its own", "a consistent state",
                                "a consistent state", "a consistent state" },
};

const char *
fsn_level_name(FsnLevel level)
{
    g_return_val_if_fail(level < FSN_N_LEVELS, "?");
    return level_names[level];
}

const char *
fsn_resource_name(FsnResourceKind kind)
{
    g_return_val_if_fail(kind < FSN_N_RESOURCES, "?");
    return resource_names[kind];
}

const char *
fsn_level_meaning(FsnResourceKind kind, FsnLevel level)
{
    g_return_val_if_fail(kind < FSN_N_RESOURCES && level < FSN_N_LEVELS, "?");
    return meanings[kind][level];
}

bool
fsn_level_parse(const char *text, FsnLevel *out_level)
{
    for (FsnLevel level = 0; level < FSN_N_LEVELS; level++) {
        if (strcmp(text, level_names[level]) == 0) {
            *out_level = level;
            return true;
        }
    }
    return false;
}
