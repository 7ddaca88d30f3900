/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tier/folder.h"

G_BEGIN_DECLS

struct FsnTierFolder {
    FsnBlobStore *store; /* of the copies */
    uint8_t secret[FSN_HASH_SECRET_SIZE];
};

G_END_DECLS
