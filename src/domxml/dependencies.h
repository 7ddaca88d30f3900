/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What a domain needs of its host's libvirt besides itself. Pure: XML in, names out. */

typedef enum {
    FSN_DEPENDENCY_FILTER,
    FSN_DEPENDENCY_NETWORK,
    FSN_DEPENDENCY_POOL,
    FSN_N_DEPENDENCIES,
} FsnDependencyKind;

/* "filter", "network", "pool"; static. */
const char *fsn_dependency_name(FsnDependencyKind kind);

/* One of them as libvirt has it, or had it. */
typedef struct {
    FsnDependencyKind kind;
    char *name;
    char *xml;      /* its definition */
    bool active;    /* of a network and a pool, as the next two */
    bool autostart; /* with libvirt */
    bool persistent;
} FsnDependency;

void fsn_dependency_free(gpointer dependency);

/* Names (char *), each once, and in the order of the description. */
typedef struct {
    GPtrArray *names[FSN_N_DEPENDENCIES];
    GPtrArray *folders; /* where its disks are files: a pool may be there */
    GPtrArray *ports;   /* the host's devices of its network interfaces; live XML only */
} FsnDependencies;

/* The most names of one kind that are looked for. */
#define FSN_DEPENDENCIES_MAX 128

/* Reads domain XML; FSN_ERROR_FORMAT as fsn_domain_facts_parse(). The caller clears. */
bool fsn_dependencies_find(const char *domain_xml,
                           FsnDependencies *out_dependencies,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_dependencies_clear(FsnDependencies *dependencies);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnDependencies, fsn_dependencies_clear)

/* Adds the names of the filters that a filter refers to. */
bool fsn_dependency_filters(const char *filter_xml, GPtrArray *names, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The folder of a pool; NULL without error if it has none. The caller frees. */
bool fsn_dependency_pool_folder(const char *pool_xml, char **out_folder, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* True for a pool that is a folder of files, which can be made. */
bool fsn_dependency_pool_is_folder(const char *pool_xml);

/* FSN_ERROR_FORMAT unless @xml defines a @kind that is called @name. */
bool fsn_dependency_check(FsnDependencyKind kind,
                          const char *name,
                          const char *xml,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How two definitions differ, apart from what changes by itself (a pool's free space): lines
 * (char *) of which those that only @here has begin with "+", of @was with "-"; none: they are
 * the same. At most FSN_DEPENDENCY_LINES. The caller unrefs. */
#define FSN_DEPENDENCY_LINES 40
bool fsn_dependency_compare(FsnDependencyKind kind,
                            const char *here,
                            const char *was,
                            GPtrArray **out_lines,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
