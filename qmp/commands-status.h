/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* Commands about the machine as a whole. Errors of all: as for fsn_qmp_execute(), and
 * FSN_ERROR_FORMAT for a value of another shape than documented by QEMU. */

/* Either may be NULL. *@out_status is QEMU's word for the run state ("running", "paused",
 * "inmigrate", "postmigrate", …), for the caller to free. */
bool fsn_qmp_query_status(FsnQmp *qmp,
                          bool *out_running,
                          char **out_status,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stops or starts the guest's CPUs. stop returns after QEMU has drained its I/O. */
bool fsn_qmp_stop(FsnQmp *qmp, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_qmp_cont(FsnQmp *qmp, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    int major;
    int minor;
    int micro;
    char *package; /* the distribution's name of the build, may be "" */
} FsnQmpVersion;

void fsn_qmp_version_clear(FsnQmpVersion *version);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnQmpVersion, fsn_qmp_version_clear)

/* For manifests and messages; what QEMU can do is asked of qmp/schema.h. The caller clears
 * @out_version, whose old contents are not freed. */
bool fsn_qmp_query_version(FsnQmp *qmp, FsnQmpVersion *out_version, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The caller frees. A guest without a name has *@out_name NULL; one without a UUID has
 * that of zeros. */
bool fsn_qmp_query_name(FsnQmp *qmp, char **out_name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_qmp_query_uuid(FsnQmp *qmp, char **out_uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Gives QEMU a duplicate of @fd, called @name from then on (in "fd:<name>" for one); a name
 * that is taken is given to the new one. @fd stays the caller's. */
bool fsn_qmp_getfd(FsnQmp *qmp, const char *name, int fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Closes QEMU's duplicate, unless it has been put to use. */
bool fsn_qmp_closefd(FsnQmp *qmp, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
