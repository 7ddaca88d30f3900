/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"
#include "virt/domain.h"

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What libvirt knows of networks and of a domain's part in them, to be kept and looked at, as
 * foresnap-manifest(5) has it. Each adds objects to @to, FSN_NETWORK_FACTS_MAX at most. */

#define FSN_NETWORK_FACTS_MAX 4096

/* The addresses that @network has given out: {"network", "mac", "address", "prefix",
 * "hostname", "expires"}. */
bool fsn_virt_network_leases(FsnVirt *virt,
                             const char *network,
                             JsonArray *to,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* {"network", "xml"} for each of its ports. */
bool fsn_virt_network_ports(FsnVirt *virt,
                            const char *network,
                            JsonArray *to,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The filters in force at @ports (char *): {"port", "filter", "xml"}. */
bool fsn_virt_filter_bindings(FsnVirt *virt,
                              const GPtrArray *ports,
                              JsonArray *to,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* {"port", "rx_bytes", "rx_packets", "rx_errors", "rx_drops", "tx_…"}; what is not known is
 * left out. */
bool fsn_virt_interface_statistics(FsnVirtDomain *domain,
                                   const GPtrArray *ports,
                                   JsonArray *to,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The domain's checkpoints, parents first: {"name", "xml"}. */
bool fsn_virt_checkpoints(FsnVirtDomain *domain, JsonArray *to, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
