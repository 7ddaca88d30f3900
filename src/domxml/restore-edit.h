/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Where a disk is from now on. */
typedef struct {
    const char *target;
    const char *kind; /* "file" or "block" */
    const char *path;
    const char *format;
    /* NULL: it is a standalone image; else a qcow2 one over what is served on this socket by
     * NBD, and a guest stops where a read fails, unless its description says otherwise. */
    const char *served;
} FsnDiskPlace;

/* What a restore changes in the description of a domain. */
typedef struct {
    const char *name;  /* NULL: stays */
    const char *uuid;  /* NULL: stays */
    const char *genid; /* in place of the one that it has; NULL: stays */
    const FsnDiskPlace *disks;
    size_t n_disks;
    const char *const *dropped; /* targets of disks that it loses; NULL: none */
    bool new_macs;              /* libvirt makes up others */
    bool links_down;
    bool new_nvram;    /* another variable store: … */
    const char *nvram; /* … at this path; NULL: libvirt makes one of its own */
} FsnRestoreEdit;

/* A changed copy of the domain XML @xml, for the caller to free. FSN_ERROR_FORMAT if @xml is
 * refused by the bounded parser or lacks a disk of @edit. */
bool fsn_domain_xml_restore(const char *xml,
                            const FsnRestoreEdit *edit,
                            char **out_xml,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A disk that was served, and is standalone now. */
typedef struct {
    const char *target;
    bool
        own_policy; /* what a failed read does was said by FsnDiskPlace, not by the user */
} FsnFilledDisk;

/* The same for a description of such a domain; disks that it does not have any more are no
 * error. */
bool fsn_domain_xml_filled(const char *xml,
                           const FsnFilledDisk *disks,
                           size_t n_disks,
                           char **out_xml,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The folder of a storage pool whose volumes are files, from its XML. FSN_ERROR_UNSUPPORTED
 * for a pool of another kind. */
bool fsn_pool_xml_folder(const char *xml, char **out_folder, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
