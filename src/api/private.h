/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "api/server.h"
#include "view/view.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What the files of this folder share. All of it is used in the main context only, but for what
 * work is handed to threads. */

#define FSN_API_MAX_BODY    ((goffset)1 << 20)
#define FSN_API_MAX_HEADERS 100
#define FSN_API_MAX_HEADER  16384
#define FSN_API_MAX_PATH    2048

/* Who asks. */
typedef struct {
    FsnScope scope;
    char *name; /* NULL: nobody */
    FsnTenant tenant;
} FsnPrincipal;

void fsn_principal_clear(FsnPrincipal *principal);

/* A connection, as its limits need it. Counted by g_rc_box. */
typedef struct {
    GIOStream *stream;
    GSocket *socket;
    bool local;         /* a Unix socket */
    bool busy;          /* a request is being answered */
    bool streams;       /* … by events without end */
    bool cut;           /* it only has to notice */
    int64_t since_us;   /* monotonic, of its state */
    FsnPrincipal whose; /* of a Unix socket */
} FsnApiPeer;

typedef struct FsnApiRequest FsnApiRequest;
typedef void (*FsnApiHandler)(FsnApiRequest *request);

typedef enum {
    FSN_ROUTE_OPEN = 1, /* needs no principal */
    FSN_ROUTE_BODY = 2, /* has a JSON object as its body */
} FsnRouteFlags;

typedef struct {
    const char *method;
    const char *path; /* "/v1/domains/{domain}": a segment in braces is a parameter */
    FsnScope scope;
    FsnRouteFlags flags;
    FsnApiHandler handler;
} FsnApiRoute;

#define FSN_API_PARAMETERS 2

/* One request from when it is complete until its reply is handed over. */
struct FsnApiRequest {
    FsnApi *api;
    SoupServerMessage *message;
    FsnApiPeer *peer; /* has a reference */
    const FsnApiRoute *route;
    FsnPrincipal principal;
    char *parameters[FSN_API_PARAMETERS];
    GHashTable *query; /* or NULL */
    JsonObject *body;  /* or NULL */
    bool gone;         /* nobody waits for the reply any more */
    gpointer data;     /* of the handler, freed by data_free */
    GDestroyNotify data_free;
};

/* The answer; each ends and frees the request. */
void fsn_api_reply_json(FsnApiRequest *request, guint status, JsonObject *document);
void fsn_api_reply_bytes(FsnApiRequest *request,
                         guint status,
                         const char *type,
                         GBytes *bytes);
void fsn_api_reply_empty(FsnApiRequest *request, guint status);
/* {"error": {"code", "message"}} */
void fsn_api_reply_error(FsnApiRequest *request,
                         guint status,
                         const char *code,
                         const char *format,
                         ...) G_GNUC_PRINTF(4, 5);
/* With the status that fits; takes @error. */
void fsn_api_reply_gerror(FsnApiRequest *request, GError *error);
/* What a run of foresnap has come to: its document, which is taken over, or the error. */
void fsn_api_reply_document(FsnApiRequest *request, JsonObject *document, GError *error);
void fsn_api_set_header(FsnApiRequest *request, const char *name, const char *value);
const char *fsn_api_query(FsnApiRequest *request, const char *name);
/* An optional number of the query, within bounds; false after a reply. */
bool fsn_api_query_number(FsnApiRequest *request,
                          const char *name,
                          double min,
                          double max,
                          double fallback,
                          double *out_value);

/* errors.c: pure. */
guint fsn_api_status_of(const GError *error);
const char *fsn_api_code_of(const GError *error);

/* router.c: pure. */
typedef enum { FSN_ROUTE_FOUND, FSN_ROUTE_NO_PATH, FSN_ROUTE_NO_METHOD } FsnRouteResult;

FsnRouteResult fsn_api_route_find(const FsnApiRoute *routes,
                                  size_t n,
                                  const char *method,
                                  const char *path,
                                  const FsnApiRoute **out_route,
                                  char *out_parameters[FSN_API_PARAMETERS]);
/* "GET, PUT": what @path can be asked with; the caller frees. */
char *fsn_api_route_methods(const FsnApiRoute *routes, size_t n, const char *path);
/* All routes; routes.c. */
const FsnApiRoute *fsn_api_routes(size_t *out_n);

/* guard.c: what is refused before its body is read; NULL: nothing. Pure but for the tokens. */
typedef struct {
    guint status;
    const char *code;
    char *message;
} FsnApiRefusal;

void fsn_api_refusal_clear(FsnApiRefusal *refusal);
/* Sizes, Host, Origin, Content-Type. */
bool fsn_api_guard(SoupServerMessage *message, bool local, FsnApiRefusal *out_refusal);
/* principals.c: false with a refusal where somebody claims to be who he is not. */
bool fsn_api_identify(FsnApi *api,
                      const FsnApiPeer *peer,
                      SoupServerMessage *message,
                      FsnPrincipal *out_principal,
                      FsnApiRefusal *out_refusal);
void fsn_api_identify_peer(FsnApi *api, GSocket *socket, FsnPrincipal *out_principal);

/* connections.c */
typedef struct FsnApiConnections FsnApiConnections;
FsnApiConnections *fsn_api_connections_new(FsnApi *api);
bool fsn_api_connections_listen(FsnApiConnections *connections, GError **error);
void fsn_api_connections_free(FsnApiConnections *connections);
FsnApiPeer *fsn_api_peer_of(SoupServerMessage *message);
void fsn_api_peer_unref(FsnApiPeer *peer);
void fsn_api_peer_cut(FsnApiPeer *peer);
guint fsn_api_connections_count(const FsnApiConnections *connections);
unsigned fsn_api_connections_port(const FsnApiConnections *connections);

/* work.c: @func runs in a thread, and its document is the reply; @data is freed after it. */
typedef JsonObject *(*FsnApiWorkFunc)(gpointer data, GError **error);
void fsn_api_work(FsnApiRequest *request,
                  FsnApiWorkFunc func,
                  gpointer data,
                  GDestroyNotify data_free);
/* The same for what replies by itself: @then gets the document or the error, both of which it
 * takes over. */
typedef void (*FsnApiThenFunc)(FsnApiRequest *request,
                               JsonObject *document,
                               GError *error);
void fsn_api_work_then(FsnApiRequest *request,
                       FsnApiWorkFunc func,
                       gpointer data,
                       GDestroyNotify data_free,
                       FsnApiThenFunc then);
/* Without a request: @done in the main context, with both NULL when the API stops before. */
typedef void (*FsnApiDoneFunc)(FsnApi *api, JsonObject *document, const GError *error);
void fsn_api_background(FsnApi *api,
                        FsnApiWorkFunc func,
                        gpointer data,
                        GDestroyNotify data_free,
                        FsnApiDoneFunc done);
typedef struct FsnApiWork FsnApiWork;
FsnApiWork *fsn_api_work_new(FsnApi *api);
void fsn_api_work_free(FsnApiWork *work);

/* run.c: the document that a command of foresnap prints with --json; @arguments without
 * program and global options. @folder (or NULL) is one whose profiles it sees instead of this
 * user's own. */
void fsn_api_run(FsnApiRequest *request,
                 const char *const *arguments,
                 const char *folder,
                 FsnApiThenFunc then);

/* views.c */
typedef struct FsnApiViews FsnApiViews;
typedef void (*FsnApiViewFunc)(FsnApiRequest *request, FsnView *view);
FsnApiViews *fsn_api_views_new(FsnApi *api);
void fsn_api_views_free(FsnApiViews *views);
/* Calls @func with a view that is fresh enough. */
void fsn_api_with_view(FsnApiRequest *request, FsnApiViewFunc func);
/* With the domain that the first parameter names, which the principal may see; else 404. */
typedef void (*FsnApiDomainFunc)(FsnApiRequest *request,
                                 FsnView *view,
                                 const FsnViewDomain *domain);
void fsn_api_with_domain(FsnApiRequest *request, FsnApiDomainFunc func);
void fsn_api_views_invalidate(FsnApiViews *views, const char *uuid);
/* Looks again if the last look is older than that. */
void fsn_api_views_refresh(FsnApiViews *views, int64_t older_us);
/* The text of the list for this principal; borrowed. */
GBytes *fsn_api_views_list(FsnApiViews *views, const FsnPrincipal *principal);
bool fsn_api_may_see(const FsnPrincipal *principal, const FsnViewDomain *domain);
/* NULL: none yet; borrowed. */
FsnView *fsn_api_views_last(FsnApiViews *views);

/* news.c */
typedef struct FsnApiNews FsnApiNews;
FsnApiNews *fsn_api_news_new(FsnApi *api);
void fsn_api_news_free(FsnApiNews *news);
void fsn_api_news_view(FsnApiNews *news, FsnView *before, FsnView *after);
void fsn_api_news_wake(FsnApiNews *news);
guint fsn_api_news_readers(const FsnApiNews *news);

/* static.c: the web page and the description of the API; false if there is no such file. */
bool fsn_api_static(const char *path, GBytes **out_bytes, const char **out_type);

struct FsnApi {
    char *socket_path;
    unsigned socket_mode;
    char *tcp_address;
    char *tls_certificate, *tls_key;
    char *token_file;
    GPtrArray *groups; /* FsnApiGroup, with texts of their own */
    char *uri, *history, *repo, *state_dir, *program;
    unsigned max_connections, request_s, work_s, max_streams;

    GMainContext *context;
    SoupServer *soup;
    FsnApiConnections *connections;
    FsnApiWork *work;
    FsnApiViews *views;
    FsnApiNews *news;
    GPtrArray *tokens;   /* as last read */
    int64_t tokens_seen; /* which file that was */
    uint64_t replies[6]; /* by the first digit of their status */
    bool running;
};

/* Handlers, by resource. */
void fsn_api_get_health(FsnApiRequest *request);
void fsn_api_get_metrics(FsnApiRequest *request);
void fsn_api_get_openapi(FsnApiRequest *request);
void fsn_api_get_whoami(FsnApiRequest *request);
void fsn_api_get_domains(FsnApiRequest *request);
void fsn_api_get_domain(FsnApiRequest *request);
void fsn_api_get_domain_history(FsnApiRequest *request);
void fsn_api_get_domain_forecast(FsnApiRequest *request);
void fsn_api_get_domain_idle(FsnApiRequest *request);
void fsn_api_get_domain_policy(FsnApiRequest *request);
void fsn_api_patch_domain_policy(FsnApiRequest *request);
void fsn_api_get_domain_workingset(FsnApiRequest *request);
void fsn_api_get_domain_changemap(FsnApiRequest *request);
void fsn_api_post_domain_preview(FsnApiRequest *request);
void fsn_api_get_snapshots(FsnApiRequest *request);
void fsn_api_get_snapshot(FsnApiRequest *request);
void fsn_api_get_suspends(FsnApiRequest *request);
void fsn_api_get_jobs(FsnApiRequest *request);
void fsn_api_post_jobs(FsnApiRequest *request);
void fsn_api_get_job(FsnApiRequest *request);
void fsn_api_delete_job(FsnApiRequest *request);
void fsn_api_get_events(FsnApiRequest *request);
void fsn_api_get_profiles(FsnApiRequest *request);
void fsn_api_get_profile_keys(FsnApiRequest *request);
void fsn_api_get_profile(FsnApiRequest *request);
void fsn_api_put_profile(FsnApiRequest *request);
void fsn_api_delete_profile(FsnApiRequest *request);
void fsn_api_post_profile_check(FsnApiRequest *request);
void fsn_api_get_repository(FsnApiRequest *request);
void fsn_api_get_plan(FsnApiRequest *request);

G_END_DECLS
