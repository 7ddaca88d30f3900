/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What domains depend on, through libvirt: three kinds of object with the same few verbs, so
 * one table of functions for each. Decides nothing.
 */
#include "config.h"

#include "virt/dependency.h"

#include "base/error.h"
#include "virt/connection-private.h"
#include "virt/error-private.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

/* Most pools that are looked at. */
#define MAX_POOLS 512

/* @handle is the kind's own; results are those of libvirt. */
typedef struct {
    int not_found;
    void *(*find)(virConnectPtr connection, const char *name);
    void (*release)(void *handle);
    char *(*xml)(void *handle, bool persistent);
    int (*active)(void *handle); /* NULL: it has no such state, as the next ones */
    int (*persistent)(void *handle);
    int (*get_autostart)(void *handle, int *value);
    int (*set_autostart)(void *handle, int value);
    void *(*define)(virConnectPtr connection, const char *xml);
    void *(*create)(virConnectPtr connection, const char *xml); /* without keeping it */
    int (*start)(void *handle, bool make);
} Verbs;

static void *
find_network(virConnectPtr connection, const char *name)
{
    return virNetworkLookupByName(connection, name);
}

static void
release_network(void *handle)
{
    (void)virNetworkFree(handle); /* cannot fail for one that was found */
}

static char *
network_xml(void *handle, bool persistent)
{
    return virNetworkGetXMLDesc(handle, persistent ? VIR_NETWORK_XML_INACTIVE : 0);
}

static int
network_active(void *handle)
{
    return virNetworkIsActive(handle);
}

static int
network_persistent(void *handle)
{
    return virNetworkIsPersistent(handle);
}

static int
network_get_autostart(void *handle, int *value)
{
    return virNetworkGetAutostart(handle, value);
}

static int
network_set_autostart(void *handle, int value)
{
    return virNetworkSetAutostart(handle, value);
}

static void *
define_network(virConnectPtr connection, const char *xml)
{
    return virNetworkDefineXML(connection, xml);
}

static void *
create_network(virConnectPtr connection, const char *xml)
{
    return virNetworkCreateXML(connection, xml);
}

static int
start_network(void *handle, bool make)
{
    (void)make; /* there is nothing to be made */
    return virNetworkCreate(handle);
}

static void *
find_pool(virConnectPtr connection, const char *name)
{
    return virStoragePoolLookupByName(connection, name);
}

static void
release_pool(void *handle)
{
    (void)virStoragePoolFree(handle); /* likewise */
}

static char *
pool_xml(void *handle, bool persistent)
{
    return virStoragePoolGetXMLDesc(handle, persistent ? VIR_STORAGE_XML_INACTIVE : 0);
}

static int
pool_active(void *handle)
{
    return virStoragePoolIsActive(handle);
}

static int
pool_persistent(void *handle)
{
    return virStoragePoolIsPersistent(handle);
}

static int
pool_get_autostart(void *handle, int *value)
{
    return virStoragePoolGetAutostart(handle, value);
}

static int
pool_set_autostart(void *handle, int value)
{
    return virStoragePoolSetAutostart(handle, value);
}

static void *
define_pool(virConnectPtr connection, const char *xml)
{
    return virStoragePoolDefineXML(connection, xml, 0);
}

static void *
create_pool(virConnectPtr connection, const char *xml)
{
    return virStoragePoolCreateXML(connection, xml, 0);
}

static int
start_pool(void *handle, bool make)
{
    return virStoragePoolCreate(handle, make ? VIR_STORAGE_POOL_CREATE_WITH_BUILD : 0);
}

static void *
find_filter(virConnectPtr connection, const char *name)
{
    return virNWFilterLookupByName(connection, name);
}

static void
release_filter(void *handle)
{
    (void)virNWFilterFree(handle); /* likewise */
}

static char *
filter_xml(void *handle, bool persistent)
{
    (void)persistent; /* all are */
    return virNWFilterGetXMLDesc(handle, 0);
}

static void *
define_filter(virConnectPtr connection, const char *xml)
{
    return virNWFilterDefineXML(connection, xml);
}

static const Verbs verbs[FSN_N_DEPENDENCIES] = {
    [FSN_DEPENDENCY_NETWORK] = { VIR_ERR_NO_NETWORK, find_network, release_network,
                                 network_xml, network_active, network_persistent,
                                 network_get_autostart, network_set_autostart,
                                 define_network, create_network, start_network },
    [FSN_DEPENDENCY_POOL] = { VIR_ERR_NO_STORAGE_POOL, find_pool, release_pool, pool_xml,
                              pool_active, pool_persistent, pool_get_autostart,
                              pool_set_autostart, define_pool, create_pool, start_pool },
    [FSN_DEPENDENCY_FILTER] = { .not_found = VIR_ERR_NO_NWFILTER,
                                .find = find_filter,
                                .release = release_filter,
                                .xml = filter_xml,
                                .define = define_filter },
};

/* NULL with @error set; FSN_ERROR_NOT_FOUND if there is none. */
static void *
find(FsnVirt *virt, FsnDependencyKind kind, const char *name, GError **error)
{
    void *handle = verbs[kind].find(fsn_virt_handle(virt), name);

    if (!handle && virGetLastErrorCode() == verbs[kind].not_found) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no %s '%s'",
                    fsn_dependency_name(kind), name);
    } else if (!handle) {
        (void)fsn_virt_set_error(error, "cannot find %s '%s'", fsn_dependency_name(kind),
                                 name); /* NULL says it */
    }
    return handle;
}

static bool
read_all(void *handle, FsnDependency *d, GError **error)
{
    const Verbs *v = &verbs[d->kind];
    int active = v->active ? v->active(handle) : 0;
    int persistent = v->persistent ? v->persistent(handle) : 1;
    int autostart = 0;
    char *xml;

    if (active < 0 || persistent < 0 ||
        (v->get_autostart && persistent && v->get_autostart(handle, &autostart) < 0) ||
        !(xml = v->xml(handle, persistent > 0))) {
        return fsn_virt_set_error(error, "cannot read %s '%s'",
                                  fsn_dependency_name(d->kind), d->name);
    }
    d->xml = g_strdup(xml);
    free(xml);
    d->active = active > 0;
    d->persistent = persistent > 0;
    d->autostart = autostart > 0;
    return true;
}

bool
fsn_virt_dependency_read(FsnVirt *virt,
                         FsnDependencyKind kind,
                         const char *name,
                         FsnDependency **out_dependency,
                         GError **error)
{
    void *handle = find(virt, kind, name, error);
    FsnDependency *d;
    bool ok;

    if (!handle) {
        return false;
    }
    d = g_new0(FsnDependency, 1);
    d->kind = kind;
    d->name = g_strdup(name);
    ok = read_all(handle, d, error);
    verbs[kind].release(handle);
    if (!ok) {
        fsn_dependency_free(d);
        return false;
    }
    *out_dependency = d;
    return true;
}

bool
fsn_virt_dependency_define(FsnVirt *virt, const FsnDependency *d, GError **error)
{
    const Verbs *v = &verbs[d->kind];
    void *handle = v->find(fsn_virt_handle(virt), d->name);

    /* libvirt would change one that is there. */
    if (handle) {
        v->release(handle);
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "there is a %s '%s' already",
                    fsn_dependency_name(d->kind), d->name);
        return false;
    }
    handle = d->persistent || !v->create ? v->define(fsn_virt_handle(virt), d->xml)
                                         : v->create(fsn_virt_handle(virt), d->xml);
    if (!handle) {
        return fsn_virt_set_error(error, "cannot define %s '%s'",
                                  fsn_dependency_name(d->kind), d->name);
    }
    v->release(handle);
    return true;
}

static bool
start(void *handle, const FsnDependency *d, GError **error)
{
    const Verbs *v = &verbs[d->kind];
    bool make = d->kind == FSN_DEPENDENCY_POOL && fsn_dependency_pool_is_folder(d->xml);

    if (d->autostart && v->set_autostart(handle, 1) < 0) {
        return fsn_virt_set_error(error, "cannot let %s '%s' start with libvirt",
                                  fsn_dependency_name(d->kind), d->name);
    }
    if (d->active && v->active(handle) == 0 && v->start(handle, make) < 0) {
        return fsn_virt_set_error(error, "cannot start %s '%s'",
                                  fsn_dependency_name(d->kind), d->name);
    }
    return true;
}

bool
fsn_virt_dependency_start(FsnVirt *virt, const FsnDependency *d, GError **error)
{
    void *handle;
    bool ok;

    if (!verbs[d->kind].start) {
        return true;
    }
    handle = find(virt, d->kind, d->name, error);
    if (!handle) {
        return false;
    }
    ok = start(handle, d, error);
    verbs[d->kind].release(handle);
    return ok;
}

/* True if the pool's folder is one of @folders. */
static bool
is_in(virStoragePoolPtr pool, const GPtrArray *folders)
{
    char *xml = virStoragePoolGetXMLDesc(pool, 0);
    g_autofree char *folder = NULL;
    bool found;

    found =
        xml && fsn_dependency_pool_folder(xml, &folder, NULL) && folder &&
        g_ptr_array_find_with_equal_func((GPtrArray *)folders, folder, g_str_equal, NULL);
    free(xml);
    return found;
}

bool
fsn_virt_pools_of_folders(FsnVirt *virt,
                          const GPtrArray *folders,
                          GPtrArray *found,
                          GError **error)
{
    virStoragePoolPtr *pools = NULL;
    int n;

    if (folders->len == 0) {
        return true;
    }
    n = virConnectListAllStoragePools(fsn_virt_handle(virt), &pools, 0);
    if (n < 0) {
        return fsn_virt_set_error(error, "cannot list the storage pools");
    }
    for (int i = 0; i < n; i++) {
        const char *name = virStoragePoolGetName(pools[i]);

        if (i < MAX_POOLS && name && is_in(pools[i], folders) &&
            !g_ptr_array_find_with_equal_func(found, name, g_str_equal, NULL)) {
            g_ptr_array_add(found, g_strdup(name));
        }
        (void)virStoragePoolFree(pools[i]); /* cannot fail */
    }
    free(pools);
    return true;
}
