/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a change map: its marker and lock, the disks that come and go, statistics and, if
 * the profile wants them, bitmaps. Costs are measured, and rounds made rarer by them.
 */
#include "config.h"

#include "cycle/changemap-private.h"

#include "base/clock.h"
#include "base/error.h"
#include "changemap/marker.h"
#include "cycle/lock.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "domxml/domain-facts.h"
#include "virt/disk-state.h"
#include "virt/qmp-transport.h"
#include "virt/stats.h"

#include <sys/resource.h>

/* Shares of a processor: of one map, of all. */
#define SHARE_ONE 0.01
#define SHARE_ALL 0.05
/* Of statistics alone. */
#define GRANULE   FSN_MAP_GRANULARITY

struct FsnChangeMap {
    FsnCycle *cycle;
    FsnVirt *virt;
    FsnVirtDomain *domain;
    FsnQmp *qmp; /* NULL = statistics alone */
    FsnMapMarker *marker;
    GPtrArray *disks; /* of FsnMapDisk */
    int64_t interval_us;
    int64_t looked_us; /* monotonic, of the last look; 0 = none */
    int64_t run;       /* of QEMU */
    int64_t cost_us;   /* of the last round */
    bool off;          /* the profile asks for no bitmaps */
};

static void
disk_free(gpointer data)
{
    FsnMapDisk *d = data;

    fsn_heat_map_free(d->heat);
    g_free(d->target);
    g_free(d->alias);
    g_free(d->node);
    g_free(d);
}

static void
map_free(FsnChangeMap *self)
{
    fsn_map_marker_leave(self->marker);
    g_clear_pointer(&self->disks, g_ptr_array_unref);
    fsn_qmp_free(self->qmp);
    fsn_virt_domain_free(self->domain);
    g_free(self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnChangeMap, map_free)

static bool
read_profile(FsnChangeMap *self, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    FsnPolicy *policy = set ? fsn_policy_load(self->domain, set, error) : NULL;

    if (!policy) {
        return false;
    }
    self->off = fsn_profile_number(policy->profile, FSN_KEY_CHANGEMAP_ENABLED) == 0;
    self->interval_us =
        (int64_t)fsn_profile_number(policy->profile, FSN_KEY_CHANGEMAP_INTERVAL);
    fsn_policy_free(policy);
    return true;
}

static bool
check_on(FsnChangeMap *self, GError **error)
{
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(self->domain, &status, error)) {
        return false;
    }
    if (status.state == FSN_VIRT_RUNNING || status.state == FSN_VIRT_PAUSED) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "it is %s",
                fsn_virt_state_name(status.state));
    return false;
}

/* What is in QEMU from before is nobody's: whoever owns one has the marker. */
static bool
begin_bitmaps(FsnChangeMap *self, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(self->cycle);
    const char *uuid = fsn_virt_domain_uuid(self->domain);

    self->marker = fsn_map_marker_take(state_dir, uuid, error);
    if (!self->marker) {
        return false;
    }
    self->qmp = fsn_qmp_new(fsn_virt_qmp_transport(self->domain));
    return true;
}

FsnChangeMap *
fsn_changemap_new(FsnCycle *cycle, const char *domain, GError **error)
{
    g_autoptr(FsnChangeMap) self = g_new0(FsnChangeMap, 1);

    self->cycle = cycle;
    self->disks = g_ptr_array_new_with_free_func(disk_free);
    self->virt = fsn_cycle_virt(cycle, error);
    if (!self->virt || !fsn_virt_lookup(self->virt, domain, &self->domain, error) ||
        !check_on(self, error) || !read_profile(self, error) ||
        (!self->off && !begin_bitmaps(self, error))) {
        return NULL;
    }
    return g_steal_pointer(&self);
}

bool
fsn_changemap_end(FsnChangeMap *self, GError **error)
{
    g_autoptr(FsnLock) lock = NULL;
    bool ok = true;

    if (self->qmp && check_on(self, NULL)) {
        /* Not without the lock: a look of somebody else's may be under way. */
        lock = fsn_lock_take(fsn_cycle_state_dir(self->cycle), FSN_NBD_LOCK,
                             fsn_virt_domain_uuid(self->domain), 10000, error);
        ok = lock && fsn_map_end(self->qmp, self->disks, error);
    }
    if (ok && self->marker) {
        fsn_map_marker_done(g_steal_pointer(&self->marker));
    }
    map_free(self);
    return ok;
}

/* Takes the disk of that name out of @disks; NULL if there is none. */
static FsnMapDisk *
take_disk(GPtrArray *disks, const char *target)
{
    for (guint i = 0; i < disks->len; i++) {
        if (g_str_equal(((FsnMapDisk *)disks->pdata[i])->target, target)) {
            return g_ptr_array_steal_index(disks, i);
        }
    }
    return NULL;
}

/* The disks that there are now, in their order; those that have gone are forgotten. */
static bool
find_disks(FsnChangeMap *self, GError **error)
{
    g_autofree char *xml = NULL;
    g_autoptr(FsnDomainFacts) facts = NULL;
    GPtrArray *now;

    if (!fsn_virt_domain_xml(self->domain, FSN_VIRT_XML_RUNNING, &xml, error) ||
        !fsn_domain_facts_parse(xml, &facts, error)) {
        return false;
    }
    now = g_ptr_array_new_with_free_func(disk_free);
    for (guint i = 0; i < facts->disks->len; i++) {
        const FsnDiskFacts *f = facts->disks->pdata[i];
        FsnMapDisk *d = take_disk(self->disks, f->target);

        if (!d || g_strcmp0(d->alias, f->alias) != 0) {
            if (d) {
                disk_free(d);
            }
            d = g_new0(FsnMapDisk, 1);
            d->target = g_strdup(f->target);
            d->alias = g_strdup(f->alias);
        }
        g_ptr_array_add(now, d);
    }
    g_ptr_array_unref(self->disks);
    self->disks = now;
    return true;
}

/* What was counted since @before; nothing if a counter went back. */
static bool
subtract(const FsnHeatCounts *now, const FsnHeatCounts *before, FsnHeatCounts *out)
{
    if (now->read_bytes < before->read_bytes || now->write_bytes < before->write_bytes ||
        now->read_requests < before->read_requests ||
        now->write_requests < before->write_requests) {
        return false;
    }
    *out = (FsnHeatCounts){
        .read_bytes = now->read_bytes - before->read_bytes,
        .read_requests = now->read_requests - before->read_requests,
        .write_bytes = now->write_bytes - before->write_bytes,
        .write_requests = now->write_requests - before->write_requests,
    };
    return true;
}

/* Into @counted: whose counters make a difference to the last look. */
static void
take_counts(FsnChangeMap *self, const FsnReading *reading, GHashTable *counted)
{
    bool same = reading->run == self->run;

    for (guint i = 0; i < reading->disks->len; i++) {
        const FsnDiskReading *r = &g_array_index(reading->disks, FsnDiskReading, i);
        const FsnHeatCounts now = { r->read_bytes, r->read_requests, r->write_bytes,
                                    r->write_requests };

        for (guint k = 0; k < self->disks->len; k++) {
            FsnMapDisk *d = self->disks->pdata[k];

            if (!g_str_equal(d->target, r->label) || now.read_bytes == FSN_NOT_READ ||
                now.write_bytes == FSN_NOT_READ) {
                continue;
            }
            if (!d->heat && r->capacity != FSN_NOT_READ && !self->qmp) {
                d->heat = fsn_heat_map_new(d->target, r->capacity, GRANULE, 1);
            }
            if (same && d->has_counts && subtract(&now, &d->counts, &d->delta)) {
                g_hash_table_add(counted, d);
            }
            d->counts = now;
            d->has_counts = true;
        }
    }
    self->run = reading->run;
}

static bool
look_at_counts(FsnChangeMap *self, GHashTable *counted, GError **error)
{
    FsnVirtDomain *domains[] = { self->domain, NULL };
    g_autoptr(GPtrArray) readings = NULL;

    if (!fsn_virt_read_stats(self->virt, domains, &readings, error)) {
        return false;
    }
    if (readings->len > 0) {
        take_counts(self, readings->pdata[0], counted);
    }
    return true;
}

/* A note why not; nothing is disturbed then. */
static bool
rotate(FsnChangeMap *self, char **out_note, GError **error)
{
    g_autoptr(FsnLock) lock = NULL;
    bool backup;

    if (!self->qmp) {
        *out_note = g_strdup("the profile asks for no bitmaps (changemap.enabled)");
        return true;
    }
    if (!fsn_virt_domain_backup_job(self->domain, &backup, error)) {
        return false;
    }
    if (backup) {
        *out_note = g_strdup("a backup is open");
        return true;
    }
    lock = fsn_lock_take(fsn_cycle_state_dir(self->cycle), FSN_NBD_LOCK,
                         fsn_virt_domain_uuid(self->domain), 0, NULL);
    if (!lock) {
        *out_note = g_strdup("a snapshot is being taken");
        return true;
    }
    return fsn_map_rotate(self->qmp, self->disks, out_note, error);
}

static int64_t
processor_us(void)
{
    struct rusage usage = { 0 };

    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void
end_round(FsnChangeMap *self, int64_t length_us, GHashTable *counted)
{
    for (guint i = 0; i < self->disks->len; i++) {
        FsnMapDisk *d = self->disks->pdata[i];

        if (d->heat && length_us > 0) {
            fsn_heat_map_end(d->heat, length_us, fsn_realtime_us(), d->read,
                             g_hash_table_contains(counted, d) ? &d->delta : NULL);
        }
        d->read = false;
    }
}

bool
fsn_changemap_round(FsnChangeMap *self, char **out_note, GError **error)
{
    g_autoptr(GHashTable) counted = g_hash_table_new(NULL, NULL);
    g_autofree char *note = NULL;
    int64_t cost_us = processor_us();
    int64_t now_us = fsn_monotonic_us();
    int64_t length_us = self->looked_us > 0 ? now_us - self->looked_us : 0;

    if (!check_on(self, error) || !find_disks(self, error) ||
        !look_at_counts(self, counted, error) || !rotate(self, &note, error)) {
        return false;
    }
    end_round(self, length_us, counted);
    self->looked_us = now_us;
    /* QEMU and libvirt work for it about as much as we do. */
    self->cost_us = 3 * (processor_us() - cost_us);
    *out_note = g_steal_pointer(&note);
    return true;
}

GPtrArray *
fsn_changemap_disks(FsnChangeMap *self)
{
    GPtrArray *maps = g_ptr_array_new();

    for (guint i = 0; i < self->disks->len; i++) {
        FsnMapDisk *d = self->disks->pdata[i];

        if (d->heat) {
            g_ptr_array_add(maps, d->heat);
        }
    }
    return maps;
}

const char *
fsn_changemap_uuid(const FsnChangeMap *self)
{
    return fsn_virt_domain_uuid(self->domain);
}

const char *
fsn_changemap_name(const FsnChangeMap *self)
{
    return fsn_virt_domain_name(self->domain);
}

bool
fsn_changemap_has_bitmaps(const FsnChangeMap *self)
{
    return self->qmp != NULL;
}

int64_t
fsn_changemap_interval_us(const FsnChangeMap *self)
{
    return self->interval_us;
}

int64_t
fsn_changemap_stretch(int64_t interval_us, int64_t cost_us, unsigned n)
{
    double share = MIN(SHARE_ONE, SHARE_ALL / MAX(n, 1));

    return MAX(interval_us, (int64_t)((double)MAX(cost_us, 0) / share));
}

int64_t
fsn_changemap_wait_us(const FsnChangeMap *self, int64_t interval_us)
{
    g_autoptr(GPtrArray) maps = fsn_map_marker_list(fsn_cycle_state_dir(self->cycle));

    return fsn_changemap_stretch(interval_us, self->cost_us, maps->len);
}
