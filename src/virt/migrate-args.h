/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/migrate-in.h"

#include <stddef.h>

G_BEGIN_DECLS

/* What the entry points are given. Every member is set. */
typedef struct {
    char *xml;
    char *name;
    char *uri;         /* unix:///… */
    char *cookie;      /* XML */
    size_t cookie_len; /* with its NUL, as libvirt wants it */
    unsigned flags;    /* of virDomainMigrateFlags */
} FsnMigrateArgs;

/* The one place where inputs of these entry points are made: some that libvirtd does not
 * check end it. Pure. @host_uuid is that of the host. FSN_ERROR_USAGE names what is bad. */
bool fsn_migrate_args_build(const FsnMigrateIn *in,
                            const char *host_uuid,
                            FsnMigrateArgs **out_args,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_migrate_args_free(FsnMigrateArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnMigrateArgs, fsn_migrate_args_free)

G_END_DECLS
