/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The destination half of libvirt's migration protocol, which libvirt.so exports for its own
 * daemon (LIBVIRT_PRIVATE). The functions are looked up when they are needed; their remote
 * procedures are stable. Arguments come from migrate-args.c alone: nothing else may call
 * these entry points.
 */
#include "config.h"

#include "virt/migrate-in.h"

#include "base/error.h"
#include "virt/connection-private.h"
#include "virt/error-private.h"
#include "virt/migrate-args.h"

#include <dlfcn.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

/* The oldest daemon that these calls were tested with. */
#define OLDEST_TESTED 9000000

typedef int (*PrepareFunc)(virConnectPtr connection,
                           virTypedParameterPtr params,
                           int n_params,
                           const char *cookie_in,
                           int cookie_in_len,
                           char **cookie_out,
                           int *cookie_out_len,
                           char **uri_out,
                           unsigned flags);
typedef virDomainPtr (*FinishFunc)(virConnectPtr connection,
                                   virTypedParameterPtr params,
                                   int n_params,
                                   const char *cookie_in,
                                   int cookie_in_len,
                                   char **cookie_out,
                                   int *cookie_out_len,
                                   unsigned flags,
                                   int cancelled);

/* libvirt is linked, so its symbols are among those of the program. */
static PrepareFunc
find_prepare(void)
{
    return (PrepareFunc)dlsym(RTLD_DEFAULT, "virDomainMigratePrepare3Params");
}

static FinishFunc
find_finish(void)
{
    return (FinishFunc)dlsym(RTLD_DEFAULT, "virDomainMigrateFinish3Params");
}

bool
fsn_migrate_in_available(FsnVirt *virt, GError **why_not)
{
    FsnVirtVersions versions;

    if (!fsn_virt_versions(virt, &versions, why_not)) {
        return false;
    }
    /* Without its daemon the library names its own driver, which is nobody's. */
    if (virConnectIsAlive(fsn_virt_handle(virt)) != 1) {
        g_set_error(why_not, FSN_ERROR, FSN_ERROR_FAILED,
                    "libvirtd has closed the connection; is it running?");
        return false;
    }
    if (strcmp(fsn_virt_driver(virt), "QEMU") != 0) {
        g_set_error(why_not, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "libvirt's driver is '%s', not QEMU", fsn_virt_driver(virt));
        return false;
    }
    if (versions.daemon < OLDEST_TESTED) {
        g_set_error(why_not, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "libvirt %lu.%lu is older than 9.0", versions.daemon / 1000000,
                    versions.daemon / 1000 % 1000);
        return false;
    }
    if (!find_prepare() || !find_finish()) {
        g_set_error(why_not, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "this libvirt library does not offer its migration entry points");
        return false;
    }
    return true;
}

bool
fsn_migrate_in_recover_is_safe(FsnVirt *virt, GError **why_not)
{
    FsnVirtVersions versions;

    if (!fsn_migrate_in_available(virt, why_not) ||
        !fsn_virt_versions(virt, &versions, why_not)) {
        return false;
    }
    if (versions.daemon / 1000 != OLDEST_TESTED / 1000) {
        g_set_error(why_not, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "continuing a lost resume is not known to be safe with libvirt "
                    "%lu.%lu.%lu; 11.3.0 crashes",
                    versions.daemon / 1000000, versions.daemon / 1000 % 1000,
                    versions.daemon % 1000);
        return false;
    }
    return true;
}

static bool
build_args(FsnVirt *virt,
           const FsnMigrateIn *in,
           FsnMigrateArgs **out_args,
           GError **error)
{
    g_autofree char *host_uuid = NULL;

    return fsn_migrate_in_available(virt, error) &&
           (!in->resume || fsn_migrate_in_recover_is_safe(virt, error)) &&
           fsn_virt_host_uuid(virt, &host_uuid, error) &&
           fsn_migrate_args_build(in, host_uuid, out_args, error);
}

/* Adds a string to a list of libvirt's parameters; @max is its allocated length. */
static bool
add_param(virTypedParameterPtr *params,
          int *n_params,
          int *max,
          const char *name,
          const char *value,
          GError **error)
{
    if (virTypedParamsAddString(params, n_params, max, name, value) < 0) {
        return fsn_virt_set_error(error, "cannot build the arguments for libvirt");
    }
    return true;
}

static bool
call_prepare(FsnVirt *virt,
             const FsnMigrateArgs *args,
             virTypedParameterPtr params,
             int n_params,
             GError **error)
{
    char *cookie_out = NULL;
    char *uri_out = NULL;
    int cookie_out_len = 0;
    int result = find_prepare()(fsn_virt_handle(virt), params, n_params, args->cookie,
                                (int)args->cookie_len, &cookie_out, &cookie_out_len,
                                &uri_out, args->flags);

    if (result < 0) {
        return fsn_virt_set_error(error, "libvirt cannot receive domain '%s'",
                                  args->name);
    }
    free(cookie_out);
    free(uri_out);
    return true;
}

bool
fsn_migrate_in_prepare(FsnVirt *virt, const FsnMigrateIn *in, GError **error)
{
    g_autoptr(FsnMigrateArgs) args = NULL;
    virTypedParameterPtr params = NULL;
    int n_params = 0;
    int max = 0;
    bool ok;

    if (!build_args(virt, in, &args, error)) {
        return false;
    }
    ok = add_param(&params, &n_params, &max, VIR_MIGRATE_PARAM_DEST_XML, args->xml,
                   error) &&
         add_param(&params, &n_params, &max, VIR_MIGRATE_PARAM_URI, args->uri, error) &&
         call_prepare(virt, args, params, n_params, error);
    virTypedParamsFree(params, n_params);
    return ok;
}

static bool
call_finish(FsnVirt *virt,
            const FsnMigrateArgs *args,
            virTypedParameterPtr params,
            int n_params,
            bool cancelled,
            GError **error)
{
    char *cookie_out = NULL;
    int cookie_out_len = 0;
    virDomainPtr domain = find_finish()(fsn_virt_handle(virt), params, n_params,
                                        args->cookie, (int)args->cookie_len, &cookie_out,
                                        &cookie_out_len, args->flags, cancelled);

    free(cookie_out);
    if (domain) {
        (void)virDomainFree(domain); /* fails for NULL only */
        return true;
    }
    /* A cancelled one has no domain to return, and says so by this code. */
    if (cancelled && virGetLastErrorCode() == VIR_ERR_MIGRATE_FINISH_OK) {
        return true;
    }
    return fsn_virt_set_error(error, "libvirt could not load domain '%s'", args->name);
}

bool
fsn_migrate_in_finish(FsnVirt *virt,
                      const FsnMigrateIn *in,
                      bool cancelled,
                      GError **error)
{
    g_autoptr(FsnMigrateArgs) args = NULL;
    virTypedParameterPtr params = NULL;
    int n_params = 0;
    int max = 0;
    bool ok;

    if (!build_args(virt, in, &args, error)) {
        return false;
    }
    ok = add_param(&params, &n_params, &max, VIR_MIGRATE_PARAM_DEST_NAME, args->name,
                   error) &&
         (cancelled || !in->let_run || in->let_run(in->user, error)) &&
         call_finish(virt, args, params, n_params, cancelled, error);
    virTypedParamsFree(params, n_params);
    return ok;
}
