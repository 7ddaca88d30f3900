/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storage pools, as far as a restore needs them: a folder that libvirt knows. */
#include "config.h"

#include "virt/pool.h"

#include "base/error.h"
#include "domxml/restore-edit.h"
#include "virt/connection-private.h"
#include "virt/error-private.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virStoragePool, virStoragePoolFree)

static virStoragePoolPtr
find_pool(FsnVirt *virt, const char *name, GError **error)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(fsn_virt_handle(virt), name);

    if (!pool && virGetLastErrorCode() == VIR_ERR_NO_STORAGE_POOL) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "there is no storage pool '%s'", name);
    } else if (!pool) {
        (void)fsn_virt_set_error(error, "cannot find storage pool '%s'", name);
    }
    return pool;
}

bool
fsn_virt_pool_folder(FsnVirt *virt, const char *name, char **out_folder, GError **error)
{
    g_autoptr(virStoragePool) pool = find_pool(virt, name, error);
    char *xml;
    bool ok;

    if (!pool) {
        return false;
    }
    if (virStoragePoolIsActive(pool) != 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "storage pool '%s' is not active: 'virsh pool-start %s'", name, name);
        return false;
    }
    xml = virStoragePoolGetXMLDesc(pool, 0);
    if (!xml) {
        return fsn_virt_set_error(
            error, "cannot get the description of storage pool '%s'", name);
    }
    ok = fsn_pool_xml_folder(xml, out_folder, error);
    free(xml);
    if (!ok) {
        g_prefix_error(error, "storage pool '%s': ", name);
    }
    return ok;
}

bool
fsn_virt_pool_refresh(FsnVirt *virt, const char *name, GError **error)
{
    g_autoptr(virStoragePool) pool = find_pool(virt, name, error);

    return pool && (virStoragePoolRefresh(pool, 0) == 0 ||
                    fsn_virt_set_error(error, "cannot refresh storage pool '%s'", name));
}
