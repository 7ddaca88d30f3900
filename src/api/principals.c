/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks. On the Unix socket the kernel says it: root and the daemon's own user may do
 * everything, members of the configured groups what these may, nobody else anything. A token says
 * it by TCP; on the Unix socket it may be given too, and then counts alone.
 */
#include "config.h"

#include "api/private.h"

#include "base/clock.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUPS_MAX 1024

void
fsn_principal_clear(FsnPrincipal *principal)
{
    g_clear_pointer(&principal->name, g_free);
    g_clear_pointer(&principal->tenant.prefix, g_free);
    g_clear_pointer(&principal->tenant.tag, g_free);
    principal->scope = FSN_SCOPE_NONE;
}

static void
copy(const FsnPrincipal *from, FsnPrincipal *to)
{
    to->scope = from->scope;
    to->name = g_strdup(from->name);
    to->tenant.prefix = g_strdup(from->tenant.prefix);
    to->tenant.tag = g_strdup(from->tenant.tag);
}

/* Groups by name are looked up each time: they may be made after the daemon was started. */
static bool
group_id(const char *group, gid_t *out_gid)
{
    struct group *entry = getgrnam(group);
    guint64 number;

    if (entry) {
        *out_gid = entry->gr_gid;
        return true;
    }
    if (!g_ascii_string_to_unsigned(group, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
        return false;
    }
    *out_gid = (gid_t)number;
    return true;
}

static FsnScope
scope_of_groups(FsnApi *api, const gid_t *gids, size_t n)
{
    FsnScope scope = FSN_SCOPE_NONE;

    for (guint i = 0; i < api->groups->len; i++) {
        const FsnApiGroup *group = api->groups->pdata[i];
        gid_t gid;

        if (!group_id(group->group, &gid)) {
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            scope = gids[k] == gid ? MAX(scope, group->scope) : scope;
        }
    }
    return scope;
}

void
fsn_api_identify_peer(FsnApi *api, GSocket *socket, FsnPrincipal *out_principal)
{
    int fd = g_socket_get_fd(socket);
    gid_t gids[GROUPS_MAX + 1];
    struct ucred peer;
    socklen_t len = sizeof(peer);
    socklen_t groups_len = GROUPS_MAX * sizeof(gid_t);
    struct passwd *user;
    size_t n = 0;

    memset(out_principal, 0, sizeof(*out_principal));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return;
    }
    /* The groups that the process has, not those that its user would get now. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &groups_len) == 0) {
        n = groups_len / sizeof(gid_t);
    }
    gids[n++] = peer.gid;
    user = getpwuid(peer.uid);
    out_principal->name =
        user ? g_strdup(user->pw_name) : g_strdup_printf("%u", (unsigned)peer.uid);
    out_principal->scope = peer.uid == 0 || peer.uid == geteuid()
                               ? FSN_SCOPE_ADMIN
                               : scope_of_groups(api, gids, n);
}

/* The file again if it is another one than that read last: a token that was removed must not
 * be good for a moment longer. */
static bool
read_tokens(FsnApi *api, GError **error)
{
    struct stat st;
    int64_t seen = -1;
    GPtrArray *tokens;

    if (stat(api->token_file, &st) == 0) {
        seen = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec +
               (int64_t)st.st_ino;
    }
    if (api->tokens && seen == api->tokens_seen) {
        return true;
    }
    tokens = fsn_tokens_load(api->token_file, error);
    if (!tokens) {
        return false;
    }
    g_clear_pointer(&api->tokens, g_ptr_array_unref);
    api->tokens = tokens;
    api->tokens_seen = seen;
    return true;
}

static bool
refuse(FsnApiRefusal *out, guint status, const char *code, const char *message)
{
    out->status = status;
    out->code = code;
    out->message = g_strdup(message);
    return false;
}

static bool
by_token(FsnApi *api,
         const char *header,
         FsnPrincipal *out_principal,
         FsnApiRefusal *out_refusal)
{
    g_autoptr(GError) error = NULL;
    const FsnToken *token;

    if (g_ascii_strncasecmp(header, "Bearer ", 7) != 0) {
        return refuse(out_refusal, SOUP_STATUS_UNAUTHORIZED, "usage",
                      "only bearer tokens are understood");
    }
    if (!read_tokens(api, &error)) {
        g_message("cannot read the tokens: %s", error->message);
        return refuse(out_refusal, SOUP_STATUS_SERVICE_UNAVAILABLE, "failed",
                      "the tokens cannot be read");
    }
    token = fsn_tokens_match(api->tokens, header + 7, fsn_realtime_us());
    if (!token) {
        return refuse(out_refusal, SOUP_STATUS_UNAUTHORIZED, "usage",
                      "the token is not known, or not valid any more");
    }
    out_principal->scope = token->scope;
    out_principal->name = g_strdup(token->name);
    out_principal->tenant.prefix = g_strdup(token->tenant.prefix);
    out_principal->tenant.tag = g_strdup(token->tenant.tag);
    return true;
}

bool
fsn_api_identify(FsnApi *api,
                 const FsnApiPeer *peer,
                 SoupServerMessage *message,
                 FsnPrincipal *out_principal,
                 FsnApiRefusal *out_refusal)
{
    const char *header = soup_message_headers_get_one(
        soup_server_message_get_request_headers(message), "Authorization");

    memset(out_principal, 0, sizeof(*out_principal));
    if (header) {
        return by_token(api, header, out_principal, out_refusal);
    }
    if (peer->local) {
        copy(&peer->whose, out_principal);
    }
    return true;
}
