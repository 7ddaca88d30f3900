/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scopes, tenants and tokens: who may do what. A token is "fsn_ID_SECRET" with 256 random bits,
 * so its SHA-256 can be kept without salt or stretching: nobody can try them all.
 */
#include "config.h"

#include "access/token.h"

#include "base/error.h"

#include <string.h>

#define ID_BYTES     8
#define SECRET_BYTES 32
#define PREFIX       "fsn_"
/* "fsn_" + id + "_" + secret */
#define TOKEN_LENGTH (strlen(PREFIX) + 2 * ID_BYTES + 1 + 2 * SECRET_BYTES)

static const char *const names[] = { "none", "read", "operate", "admin" };

const char *
fsn_scope_name(FsnScope scope)
{
    return names[scope];
}

bool
fsn_scope_parse(const char *text, FsnScope *out_scope, GError **error)
{
    for (FsnScope scope = FSN_SCOPE_READ; scope <= FSN_SCOPE_ADMIN; scope++) {
        if (strcmp(text, names[scope]) == 0) {
            *out_scope = scope;
            return true;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                "'%s' is no scope; there are read, operate and admin", text);
    return false;
}

bool
fsn_tenant_is_limited(const FsnTenant *tenant)
{
    return tenant->prefix || tenant->tag;
}

bool
fsn_tenant_has(const FsnTenant *tenant, const char *name, const char *const *tags)
{
    if (tenant->prefix && (!name || !g_str_has_prefix(name, tenant->prefix))) {
        return false;
    }
    return !tenant->tag || (tags && g_strv_contains(tags, tenant->tag));
}

void
fsn_token_free(FsnToken *token)
{
    if (!token) {
        return;
    }
    g_free(token->id);
    g_free(token->name);
    g_free(token->tenant.prefix);
    g_free(token->tenant.tag);
    g_free(token);
}

/* A name is shown and written into records: plain characters only. */
static bool
check_word(const char *what, const char *text, GError **error)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isalnum(text[i]) && !strchr("-_.@+:", text[i])) {
            len = 0;
        }
    }
    if (len == 0 || len > FSN_TOKEN_NAME_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "a %s has 1 to %d of A-Z, a-z, 0-9 and '-_.@+:'", what,
                    FSN_TOKEN_NAME_MAX);
        return false;
    }
    return true;
}

static void
hash_secret(const char *text, uint8_t out[FSN_SHA256_SIZE])
{
    fsn_sha256(text, strlen(text), out);
}

FsnToken *
fsn_token_new(const char *name,
              FsnScope scope,
              const char *prefix,
              const char *tag,
              int64_t created_us,
              int64_t expires_us,
              char **out_secret,
              GError **error)
{
    g_autoptr(FsnToken) token = g_new0(FsnToken, 1);
    uint8_t random[ID_BYTES + SECRET_BYTES];
    g_autofree char *secret = NULL;

    if (!check_word("name", name, error) ||
        (prefix && !check_word("prefix", prefix, error)) ||
        (tag && !check_word("tag", tag, error))) {
        return NULL;
    }
    fsn_random_bytes(random, sizeof(random));
    secret = fsn_hex(random + ID_BYTES, SECRET_BYTES);
    token->id = fsn_hex(random, ID_BYTES);
    token->name = g_strdup(name);
    token->scope = scope;
    token->tenant.prefix = g_strdup(prefix);
    token->tenant.tag = g_strdup(tag);
    token->created_us = created_us;
    token->expires_us = expires_us;
    hash_secret(secret, token->hash);
    *out_secret = g_strconcat(PREFIX, token->id, "_", secret, NULL);
    return g_steal_pointer(&token);
}

bool
fsn_equal_in_constant_time(const uint8_t *a, const uint8_t *b, size_t len)
{
    volatile uint8_t differs = 0;

    for (size_t i = 0; i < len; i++) {
        differs |= (uint8_t)(a[i] ^ b[i]);
    }
    return differs == 0;
}

const FsnToken *
fsn_tokens_match(const GPtrArray *tokens, const char *presented, int64_t now_us)
{
    static const uint8_t nobody[FSN_SHA256_SIZE];
    const FsnToken *token = NULL;
    uint8_t hash[FSN_SHA256_SIZE];
    g_autofree char *id = NULL;

    if (strlen(presented) != TOKEN_LENGTH || !g_str_has_prefix(presented, PREFIX) ||
        presented[strlen(PREFIX) + 2 * ID_BYTES] != '_') {
        return NULL;
    }
    id = g_strndup(presented + strlen(PREFIX), 2 * ID_BYTES);
    for (guint i = 0; i < tokens->len; i++) {
        const FsnToken *other = tokens->pdata[i];

        if (strcmp(other->id, id) == 0) {
            token = other;
        }
    }
    hash_secret(presented + strlen(PREFIX) + 2 * ID_BYTES + 1, hash);
    /* The same work whether there is such an id or not. */
    if (!fsn_equal_in_constant_time(hash, token ? token->hash : nobody,
                                    FSN_SHA256_SIZE) ||
        !token || (token->expires_us > 0 && token->expires_us <= now_us)) {
        return NULL;
    }
    return token;
}
