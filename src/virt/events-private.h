/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/events.h"

G_BEGIN_DECLS

/* What libvirt's number of a lifecycle event means. */
FsnVirtEventKind fsn_virt_event_kind(int event);

G_END_DECLS
