/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's bulk statistics: one call for all domains. Which fields are wanted and what they
 * mean is decided in metrics/reading.c.
 */
#include "config.h"

#include "virt/stats.h"

#include "base/clock.h"
#include "virt/connection-private.h"
#include "virt/domain-private.h"
#include "virt/error-private.h"

#include <string.h>

#define WANTED                                                                        \
    (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | \
     VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK)

static void
take_state(FsnReading *reading, virDomainPtr domain, int state)
{
    bool on = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED;
    unsigned id = virDomainGetID(domain);

    reading->running = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED;
    reading->run = on && id != (unsigned)-1 ? (int64_t)id : -1;
}

static void
take_field(FsnReading *reading,
           const virDomainStatsRecord *record,
           const virTypedParameter *p)
{
    switch (p->type) {
    case VIR_TYPED_PARAM_INT:
        if (strcmp(p->field, "state.state") == 0) {
            take_state(reading, record->dom, p->value.i);
        } else if (p->value.i >= 0) {
            fsn_reading_number(reading, p->field, (uint64_t)p->value.i);
        }
        break;
    case VIR_TYPED_PARAM_UINT:
        fsn_reading_number(reading, p->field, p->value.ui);
        break;
    case VIR_TYPED_PARAM_LLONG:
        if (p->value.l >= 0) {
            fsn_reading_number(reading, p->field, (uint64_t)p->value.l);
        }
        break;
    case VIR_TYPED_PARAM_ULLONG:
        fsn_reading_number(reading, p->field, p->value.ul);
        break;
    case VIR_TYPED_PARAM_STRING:
        fsn_reading_text(reading, p->field, p->value.s);
        break;
    default: /* libvirt's own enum: what else it may have is not wanted */
        break;
    }
}

static FsnReading *
read_record(const virDomainStatsRecord *record, const char *boot)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    FsnReading *reading;

    if (virDomainGetUUIDString(record->dom, uuid) < 0) {
        return NULL;
    }
    reading = fsn_reading_new(uuid, virDomainGetName(record->dom));
    fsn_reading_stamp(reading, boot);
    for (int i = 0; i < record->nparams; i++) {
        take_field(reading, record, &record->params[i]);
    }
    return reading;
}

bool
fsn_virt_read_stats(FsnVirt *virt,
                    FsnVirtDomain *const *domains,
                    GPtrArray **out_readings,
                    GError **error)
{
    g_autoptr(GPtrArray) readings =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_reading_free);
    g_autoptr(GPtrArray) handles = g_ptr_array_new();
    g_autofree char *boot = fsn_boot_id();
    virDomainStatsRecordPtr *records = NULL;
    int n;

    for (; domains && *domains; domains++) {
        g_ptr_array_add(handles, fsn_virt_domain_handle(*domains));
    }
    g_ptr_array_add(handles, NULL);
    n = domains ? virDomainListGetStats((virDomainPtr *)handles->pdata, WANTED, &records,
                                        VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
                : virConnectGetAllDomainStats(fsn_virt_handle(virt), WANTED, &records,
                                              VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
    if (n < 0) {
        return fsn_virt_set_error(error, "cannot ask libvirt for statistics");
    }
    for (int i = 0; i < n; i++) {
        FsnReading *reading = read_record(records[i], boot);

        if (reading) {
            g_ptr_array_add(readings, reading);
        }
    }
    virDomainStatsRecordListFree(records);
    *out_readings = g_steal_pointer(&readings);
    return true;
}
