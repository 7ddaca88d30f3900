/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

G_BEGIN_DECLS

/* The folder of storage pool @name, for the caller to free. FSN_ERROR_NOT_FOUND if there is
 * no such pool, FSN_ERROR_STATE if it is not active, FSN_ERROR_UNSUPPORTED if its volumes
 * are no files. */
bool fsn_virt_pool_folder(FsnVirt *virt,
                          const char *name,
                          char **out_folder,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets libvirt look again at what is in the pool. */
bool fsn_virt_pool_refresh(FsnVirt *virt, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
