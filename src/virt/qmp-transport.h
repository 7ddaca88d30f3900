/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/transport.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/* QMP through libvirt's monitor passthrough, file descriptors included. Holds what it needs
 * of @domain. libvirt marks the domain as tainted (custom-monitor). */
FsnQmpTransport *fsn_virt_qmp_transport(FsnVirtDomain *domain);

G_END_DECLS
