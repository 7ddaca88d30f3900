/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "access/token.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The HTTP API of foresnap, foresnap-api(7), and the web page: on a Unix socket, where the kernel
 * says who asks, and by TCP with TLS and tokens. It lives in one main context; whatever blocks
 * (libvirt, the repository, the history) is done by threads and processes of its own, a few
 * at a time and with a time limit. Long work becomes jobs (jobs/jobs.h), which outlive it.
 */
typedef struct FsnApi FsnApi;

/* Members of the group, by name or number, have @scope on the Unix socket. */
typedef struct {
    const char *group;
    FsnScope scope;
} FsnApiGroup;

/* All strings are copied. 0 and NULL mean the default. */
typedef struct {
    const char *socket_path;     /* NULL: no Unix socket */
    unsigned socket_mode;        /* 0666: who may do what is decided by who asks */
    const char *tcp_address;     /* "127.0.0.1:8443", "[::1]:8443"; NULL: no TCP */
    const char *tls_certificate; /* PEM; with TCP both are needed */
    const char *tls_key;
    const char *token_file; /* fsn_tokens_default_path() */
    const FsnApiGroup *groups;
    size_t n_groups;

    const char *uri;       /* of libvirt; NULL: its default */
    const char *history;   /* fsn_history_default_path() */
    const char *repo;      /* must be given */
    const char *state_dir; /* fsn_cycle_default_state_dir() */
    const char *program;   /* foresnap, for documents and jobs; must be given */

    unsigned
        max_connections;  /* 256; of more the one that is idle for longest is closed */
    unsigned request_s;   /* 30: within so many seconds a request must be there */
    unsigned work_s;      /* 60: what takes longer is answered with 504 */
    unsigned max_streams; /* 64 readers of events */
} FsnApiOptions;

/* Checks the options (FSN_ERROR_USAGE) and opens nothing yet. */
FsnApi *fsn_api_new(const FsnApiOptions *options, GError **error);
/* Listens, in the thread-default main context of the caller. A socket that somebody listens on is
 * FSN_ERROR_BUSY; one that is left over is replaced. */
bool fsn_api_start(FsnApi *api, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Closes all connections and removes the socket. Jobs go on. */
void fsn_api_stop(FsnApi *api);
void fsn_api_free(FsnApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnApi, fsn_api_free)

/* The port of TCP (0: none), which the kernel has chosen where 0 was asked for. */
unsigned fsn_api_port(const FsnApi *api);

/* Something has changed about domain @uuid, or (NULL) perhaps about all: it is looked at anew,
 * and readers of events are told what is different. In the main context. */
void fsn_api_invalidate(FsnApi *api, const char *uuid);
/* Tells readers of events: @type is one word, @data is borrowed. Only those see it who may see
 * the domain called @domain (NULL: only those who see all). In the main context. */
void fsn_api_publish(FsnApi *api, const char *type, const char *domain, JsonObject *data);

G_END_DECLS
