/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "domxml/dependencies.h"
#include "virt/connection.h"
#include "virt/domain.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Networks, storage pools and network filters, read and made again. Nothing that is there is
 * ever changed, except that what is not active may be started. */

/* The definition of @name as it is kept (or as it is, if it is not kept), for the caller to
 * free with fsn_dependency_free(). FSN_ERROR_NOT_FOUND if there is none. */
bool fsn_virt_dependency_read(FsnVirt *virt,
                              FsnDependencyKind kind,
                              const char *name,
                              FsnDependency **out_dependency,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes one that is not there; what was not kept is started by that. FSN_ERROR_EXISTS if it
 * is there. */
bool fsn_virt_dependency_define(FsnVirt *virt,
                                const FsnDependency *dependency,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Lets one that is there start with libvirt, if @dependency says so, and starts it now; the
 * folder of a pool of files is made if need be. */
bool fsn_virt_dependency_start(FsnVirt *virt,
                               const FsnDependency *dependency,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds to @names the pools whose folder is one of @folders. */
bool fsn_virt_pools_of_folders(FsnVirt *virt,
                               const GPtrArray *folders,
                               GPtrArray *names,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
