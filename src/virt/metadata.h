/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

G_BEGIN_DECLS

/* An element of a domain's <metadata>, by its namespace. Of a persistent domain that of its
 * definition counts, which people edit, also while it runs. */

/* *@out_xml is NULL if there is none; the caller frees. */
bool fsn_virt_domain_get_metadata(FsnVirtDomain *domain,
                                  const char *name_space,
                                  char **out_xml,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts @xml there, or takes it out if NULL: in the definition, and in the domain that runs, so
 * that a migration takes it along. */
bool fsn_virt_domain_set_metadata(FsnVirtDomain *domain,
                                  const char *name_space,
                                  const char *prefix,
                                  const char *xml,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
