/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

#include <libvirt/libvirt.h>

G_BEGIN_DECLS

/* Borrowed; lives as long as @virt. */
virConnectPtr fsn_virt_handle(FsnVirt *virt);

G_END_DECLS
