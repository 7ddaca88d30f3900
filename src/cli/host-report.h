/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/host-facts.h"

G_BEGIN_DECLS

typedef enum {
    FSN_HOST_OK,
    FSN_HOST_WARN, /* foresnap works, with less */
    FSN_HOST_FAIL, /* foresnap cannot do its work */
} FsnHostState;

typedef struct {
    const char *name; /* stable, for JSON */
    FsnHostState state;
    char *message; /* one sentence without a full stop */
    char *remedy;  /* what to do about it, NULL if there is nothing to do */
} FsnHostItem;

/* "ok", "warn" or "fail". */
const char *fsn_host_state_word(FsnHostState state);

/* What @facts mean for foresnap, item by item: FsnHostItem elements, owned by the array. */
GPtrArray *fsn_host_report(const FsnHostFacts *facts);

/* The worst state of @items. */
FsnHostState fsn_host_worst(GPtrArray *items);

G_END_DECLS
