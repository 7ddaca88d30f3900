/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for VMs in general: ridge logistic regressions pooled over thirty VMs, forty-five
 * days each, of business services (five-minute CPU use; the Bitbrains traces of Shen, van
 * Beek and Iosup, CCGrid 2015), trained on 212,000 idle samples of which 6 % were followed
 * by activity within 15 minutes. Numbers only; no data of any VM is in them.
 */
#include "models/idle-prior.h"

const FsnIdlePrior fsn_idle_prior[] = {
    { "short.day", 0.2287F, 0.2678F, 0.6862F, -0.4824F },
    { "short.week", 0.1934F, 0.2861F, -0.1078F, -0.4256F },
    { "long.day", 0.3111F, 0.3040F, -0.0988F, 1.2055F },
    { "long.week", 0.2642F, 0.3237F, 0.1039F, 0.5438F },
    { "wake.days1", -0.4978F, 0.8689F, 0.3405F, 0.1371F },
    { "wake.days3", -0.6476F, 1.0873F, 0.0762F, -0.0143F },
    { "wake.days9", -0.6838F, 1.2776F, 0.1561F, 0.2843F },
    { "wake.week1", -0.1507F, 0.4046F, 0.1716F, 0.1552F },
    { "wake.week3", -0.2866F, 0.5886F, 0.1140F, 0.0438F },
    { "wake.1h", -0.2558F, 0.8542F, 0.0409F, 0.0192F },
    { "wake.2h", -0.2384F, 0.7464F, 0.0235F, -0.0242F },
    { "wake.6h", -0.1453F, 0.5126F, 0.0296F, 0.0297F },
    { "wake.mean", -4.2759F, 0.8230F, -0.1555F, -0.2553F },
    { "gap.3", -3.6773F, 1.4637F, 0.1376F, -0.0190F },
    { "gap.12", -2.1329F, 1.1920F, 0.0143F, 0.1063F },
    { "interval.3", -3.8616F, 1.3976F, 0.1312F, 0.1065F },
    { "idle.for", 3.9270F, 1.4787F, 0.0755F, 0.0704F },
    { "awake.ago", 4.3434F, 1.2210F, -0.0310F, -0.0250F },
    { "active.last", 2.3087F, 1.2187F, -0.0790F, -0.0278F },
    { "idle.last", 3.3470F, 1.5636F, -0.0102F, -0.0014F },
    { "active.1h", 0.0653F, 0.1731F, 0.1608F, 0.1042F },
    { "active.3h", 0.1054F, 0.2051F, 0.1088F, 0.1633F },
    { "active.6h", 0.1396F, 0.2236F, 0.0345F, -0.0458F },
    { "active.1d", 0.2040F, 0.2271F, 0.2729F, 0.2732F },
    { "active.1w", 0.2544F, 0.2271F, -0.3048F, -0.2277F },
    { "wakes.6h", 0.4397F, 0.5557F, 0.1054F, 0.1462F },
    { "wakes.1d", 1.3332F, 0.7303F, 0.3177F, 0.3238F },
    { "wakes.1w", 3.1141F, 0.7287F, 0.0796F, 0.0536F },
    { "level", -1.1187F, 1.3003F, 0.0404F, 0.1303F },
    { "level.max12", -0.5849F, 1.3199F, 0.0562F, 0.1332F },
    { "level.usual", -1.1022F, 1.1170F, 0.0867F, -0.0314F },
    { "unusual", -0.0087F, 1.1191F, 0.2552F, 0.1368F },
    { "unusual.1", -0.0164F, 1.1047F, 0.0958F, 0.0830F },
    { "unusual.2", -0.0067F, 1.1278F, 0.0070F, 0.0329F },
    { "unusual.max6", 1.1789F, 1.8988F, 0.0521F, 0.0439F },
    { "unusual.mean6", 0.0789F, 0.9244F, -0.0591F, -0.0294F },
    { "level.day", -0.2990F, 1.3624F, -0.0620F, -0.1120F },
    { "level.week", -0.4249F, 1.5328F, 0.0652F, 0.0277F },
    { "weekend", 0.3195F, 0.4662F, -0.1963F, -0.2475F },
    { "intercept", 0.0000F, 1.0000F, -3.8340F, -2.2300F },
};

const size_t fsn_idle_prior_count = G_N_ELEMENTS(fsn_idle_prior);
