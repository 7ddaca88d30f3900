/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libvirt knows of networks and checkpoints, as JSON that is kept as it is. */
#include "config.h"

#include "virt/network-facts.h"

#include "base/json.h"
#include "virt/connection-private.h"
#include "virt/domain-private.h"
#include "virt/error-private.h"

#include <libvirt/libvirt-domain-checkpoint.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

/* False if there is no room for @o. */
static bool
add(JsonArray *to, JsonObject *o)
{
    if (json_array_get_length(to) >= FSN_NETWORK_FACTS_MAX) {
        json_object_unref(o);
        return false;
    }
    json_array_add_object_element(to, o);
    return true;
}

static void
add_lease(JsonArray *to, const char *network, const virNetworkDHCPLease *lease)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "network", network);
    fsn_json_add_string(o, "mac", lease->mac);
    fsn_json_add_string(o, "address", lease->ipaddr);
    json_object_set_int_member(o, "prefix", lease->prefix);
    fsn_json_add_string(o, "hostname", lease->hostname);
    json_object_set_int_member(o, "expires", lease->expirytime);
    (void)add(to, o); /* what is too much is left out */
}

bool
fsn_virt_network_leases(FsnVirt *virt, const char *name, JsonArray *to, GError **error)
{
    virNetworkPtr network = virNetworkLookupByName(fsn_virt_handle(virt), name);
    virNetworkDHCPLeasePtr *leases = NULL;
    int n = network ? virNetworkGetDHCPLeases(network, NULL, &leases, 0) : -1;

    if (n < 0) {
        (void)fsn_virt_set_error(error, "cannot read the leases of network '%s'",
                                 name); /* returned below */
    }
    for (int i = 0; i < n; i++) {
        add_lease(to, name, leases[i]);
        virNetworkDHCPLeaseFree(leases[i]);
    }
    free(leases);
    if (network) {
        (void)virNetworkFree(network); /* cannot fail */
    }
    return n >= 0;
}

static void
add_port(JsonArray *to, const char *network, virNetworkPortPtr port)
{
    char *xml = virNetworkPortGetXMLDesc(port, 0);
    JsonObject *o;

    if (xml) {
        o = json_object_new();
        json_object_set_string_member(o, "network", network);
        json_object_set_string_member(o, "xml", xml);
        (void)add(to, o); /* what is too much is left out */
    }
    free(xml);
}

bool
fsn_virt_network_ports(FsnVirt *virt, const char *name, JsonArray *to, GError **error)
{
    virNetworkPtr network = virNetworkLookupByName(fsn_virt_handle(virt), name);
    virNetworkPortPtr *ports = NULL;
    int n = network ? virNetworkListAllPorts(network, &ports, 0) : -1;

    if (n < 0) {
        (void)fsn_virt_set_error(error, "cannot list the ports of network '%s'",
                                 name); /* returned below */
    }
    for (int i = 0; i < n; i++) {
        add_port(to, name, ports[i]);
        (void)virNetworkPortFree(ports[i]); /* cannot fail */
    }
    free(ports);
    if (network) {
        (void)virNetworkFree(network); /* likewise */
    }
    return n >= 0;
}

static bool
add_binding(FsnVirt *virt, const char *port, JsonArray *to, GError **error)
{
    virNWFilterBindingPtr binding =
        virNWFilterBindingLookupByPortDev(fsn_virt_handle(virt), port);
    JsonObject *o;
    char *xml;

    if (!binding) {
        return virGetLastErrorCode() == VIR_ERR_NO_NWFILTER_BINDING ||
               fsn_virt_set_error(error, "cannot find the filter of '%s'", port);
    }
    xml = virNWFilterBindingGetXMLDesc(binding, 0);
    if (xml) {
        o = json_object_new();
        json_object_set_string_member(o, "port", port);
        fsn_json_add_string(o, "filter", virNWFilterBindingGetFilterName(binding));
        json_object_set_string_member(o, "xml", xml);
        (void)add(to, o); /* what is too much is left out */
    }
    free(xml);
    (void)virNWFilterBindingFree(binding); /* cannot fail */
    return true;
}

bool
fsn_virt_filter_bindings(FsnVirt *virt,
                         const GPtrArray *ports,
                         JsonArray *to,
                         GError **error)
{
    for (guint i = 0; i < ports->len; i++) {
        if (!add_binding(virt, ports->pdata[i], to, error)) {
            return false;
        }
    }
    return true;
}

/* A negative number is not known. */
static void
set_count(JsonObject *o, const char *name, long long value)
{
    if (value >= 0) {
        json_object_set_int_member(o, name, value);
    }
}

bool
fsn_virt_interface_statistics(FsnVirtDomain *domain,
                              const GPtrArray *ports,
                              JsonArray *to,
                              GError **error)
{
    for (guint i = 0; i < ports->len; i++) {
        virDomainInterfaceStatsStruct stats;
        JsonObject *o;

        if (virDomainInterfaceStats(fsn_virt_domain_handle(domain), ports->pdata[i],
                                    &stats, sizeof stats) < 0) {
            return fsn_virt_set_error(error, "cannot read the statistics of '%s'",
                                      (const char *)ports->pdata[i]);
        }
        o = json_object_new();
        json_object_set_string_member(o, "port", ports->pdata[i]);
        set_count(o, "rx_bytes", stats.rx_bytes);
        set_count(o, "rx_packets", stats.rx_packets);
        set_count(o, "rx_errors", stats.rx_errs);
        set_count(o, "rx_drops", stats.rx_drop);
        set_count(o, "tx_bytes", stats.tx_bytes);
        set_count(o, "tx_packets", stats.tx_packets);
        set_count(o, "tx_errors", stats.tx_errs);
        set_count(o, "tx_drops", stats.tx_drop);
        (void)add(to, o); /* there are fewer ports than places */
    }
    return true;
}

static void
add_checkpoint(JsonArray *to, virDomainCheckpointPtr checkpoint)
{
    char *xml =
        virDomainCheckpointGetXMLDesc(checkpoint, VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN);
    JsonObject *o;

    if (xml) {
        o = json_object_new();
        fsn_json_add_string(o, "name", virDomainCheckpointGetName(checkpoint));
        json_object_set_string_member(o, "xml", xml);
        (void)add(to, o); /* what is too much is left out */
    }
    free(xml);
}

bool
fsn_virt_checkpoints(FsnVirtDomain *domain, JsonArray *to, GError **error)
{
    virDomainCheckpointPtr *checkpoints = NULL;
    int n = virDomainListAllCheckpoints(fsn_virt_domain_handle(domain), &checkpoints,
                                        VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL);

    if (n < 0) {
        return fsn_virt_set_error(error, "cannot list the checkpoints of domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    for (int i = 0; i < n; i++) {
        add_checkpoint(to, checkpoints[i]);
        (void)virDomainCheckpointFree(checkpoints[i]); /* cannot fail */
    }
    free(checkpoints);
    return true;
}
