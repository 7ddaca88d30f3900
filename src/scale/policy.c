/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a profile to the policy of sizing. The profile's values have been checked. */
#include "config.h"

#include "scale/policy.h"

static uint64_t
number(const FsnProfile *profile, FsnProfileKeyId id)
{
    const FsnValue *value = &profile->settings[id].value;

    return value->off ? 0 : value->number;
}

FsnSizingPolicy
fsn_sizing_policy_of(const FsnProfile *profile)
{
    return (FsnSizingPolicy){
        .quantile = (double)number(profile, FSN_KEY_SIZING_QUANTILE) / 100,
        .headroom = (double)number(profile, FSN_KEY_SIZING_HEADROOM) / 100,
        .horizon_us = (int64_t)number(profile, FSN_KEY_SIZING_HORIZON),
        .vcpus_min = (unsigned)number(profile, FSN_KEY_SIZING_MIN_VCPUS),
        .vcpus_max = (unsigned)number(profile, FSN_KEY_SIZING_MAX_VCPUS),
        .memory_min = number(profile, FSN_KEY_SIZING_MIN_MEMORY),
        .memory_max = number(profile, FSN_KEY_SIZING_MAX_MEMORY),
        .shrink = number(profile, FSN_KEY_SIZING_SHRINK) != 0,
    };
}

bool
fsn_sizing_is_enabled(const FsnProfile *profile)
{
    return number(profile, FSN_KEY_SIZING_ENABLED) != 0;
}

bool
fsn_sizing_wants_limits(const FsnProfile *profile)
{
    return number(profile, FSN_KEY_SIZING_LIMITS) != 0;
}
