/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

#include <libvirt/libvirt.h>

G_BEGIN_DECLS

/* Borrowed; lives as long as @domain. */
virDomainPtr fsn_virt_domain_handle(FsnVirtDomain *domain);

/* Takes over @handle, which must not be NULL. */
FsnVirtDomain *fsn_virt_domain_new(virDomainPtr handle);

G_END_DECLS
