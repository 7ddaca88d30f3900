/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the pager sends what. Pure: times in, decisions out. */
#include "config.h"

#include "memory/pager-policy.h"

#define CALM_US        100000   /* no request for this long: first touches are over */
#define LEARN_MAX_US   1500000  /* learning costs the guest latency: not longer */
#define PROBES_US      300000   /* most of a working set is touched within this time */
#define NOT_RUNNING_US 10000000 /* nobody said that the guest runs: load anyway */
#define DELAY_FIRST_US 100000
#define DELAY_MAX_US   30000000

bool
fsn_policy_background_may_start(FsnPagerMode mode, const FsnPagerTimes *t)
{
    switch (mode) {
    case FSN_MODE_PREDICTED:
    case FSN_MODE_EAGER:
        return true;
    case FSN_MODE_LAZY:
        break;
    }
    if (t->running_us == 0) {
        return t->started_us != 0 && t->now_us - t->started_us > NOT_RUNNING_US;
    }
    if (t->now_us - t->running_us > LEARN_MAX_US) {
        return true;
    }
    return t->last_request_us > t->running_us && t->now_us - t->last_request_us > CALM_US;
}

bool
fsn_policy_probes_may_go(const FsnPagerTimes *t)
{
    if (t->running_us == 0) {
        return t->started_us != 0 && t->now_us - t->started_us > NOT_RUNNING_US;
    }
    return t->now_us - t->running_us > PROBES_US;
}

int64_t
fsn_policy_restart_delay_us(unsigned n_failures)
{
    if (n_failures == 0) {
        return 0;
    }
    if (n_failures > 9) {
        return DELAY_MAX_US;
    }
    return MIN((int64_t)DELAY_FIRST_US << (n_failures - 1), DELAY_MAX_US);
}
