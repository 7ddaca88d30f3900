/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What every command is given: the global options after environment and defaults have been
 * applied, and the document that --json prints. Owned by the command framework; a command
 * borrows it, fills @document and touches nothing else. */
typedef struct {
    char *uri;           /* of libvirt; NULL = libvirt's own default */
    char *repo_location; /* folder of the repository, never NULL */
    char *progress_file; /* of the job that this is; NULL: it is none */
    bool json;           /* exactly one JSON document on stdout */
    bool quiet;          /* no lines about things done */
    bool verbose;        /* more detail, phases on stderr */
    JsonObject *document;
    GCancellable *cancellable; /* cancelled by the first SIGINT or SIGTERM */
} FsnCliContext;

FsnCliContext *fsn_cli_context_new(void);
void fsn_cli_context_free(FsnCliContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnCliContext, fsn_cli_context_free)

/* Fills what no option has set: @uri from LIBVIRT_DEFAULT_URI, @repo_location from
 * FORESNAP_REPO, else /var/lib/foresnap/repo for root and $XDG_DATA_HOME/foresnap/repo for
 * everybody else. */
void fsn_cli_context_apply_environment(FsnCliContext *context);

G_END_DECLS
