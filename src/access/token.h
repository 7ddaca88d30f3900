/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Who may do what, and the tokens that prove it. Pure but for the file of tokens. */

/* Each may do what those before it may. */
typedef enum {
    FSN_SCOPE_NONE,
    FSN_SCOPE_READ,    /* look at everything */
    FSN_SCOPE_OPERATE, /* suspend, resume, snapshot, restore; cancel jobs */
    FSN_SCOPE_ADMIN,   /* profiles and policies; delete and discard */
} FsnScope;

/* "none", "read", "operate", "admin"; static. */
const char *fsn_scope_name(FsnScope scope);
/* One that may do something; FSN_ERROR_USAGE names those that there are. */
bool fsn_scope_parse(const char *text, FsnScope *out_scope, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whose domains: those that have a name with @prefix, and the tag @tag; NULL: no such
 * limit. With neither all of them. */
typedef struct {
    char *prefix;
    char *tag;
} FsnTenant;

/* @tags of the domain called @name may be NULL. */
bool fsn_tenant_has(const FsnTenant *tenant, const char *name, const char *const *tags);
/* True if it is limited at all. */
bool fsn_tenant_is_limited(const FsnTenant *tenant);

/* What is kept of a token: nothing from which it could be made again. */
typedef struct {
    char *id;   /* 16 hex digits, which are a part of the token */
    char *name; /* for people and as the owner of jobs; unique */
    FsnScope scope;
    FsnTenant tenant;
    int64_t created_us; /* real time */
    int64_t expires_us; /* 0: never */
    uint8_t hash[FSN_SHA256_SIZE];
} FsnToken;

#define FSN_TOKENS_MAX      10000
#define FSN_TOKEN_NAME_MAX  64
#define FSN_TOKEN_MAX       128 /* bytes of the text that is presented */
#define FSN_TOKENS_FILE_MAX ((size_t)8 << 20)

void fsn_token_free(FsnToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnToken, fsn_token_free)

/* One with a new id and secret; *@out_secret is what its bearer presents, and is kept nowhere.
 * Name, prefix and tag (may be NULL) are checked: FSN_ERROR_USAGE. */
FsnToken *fsn_token_new(const char *name,
                        FsnScope scope,
                        const char *prefix,
                        const char *tag,
                        int64_t created_us,
                        int64_t expires_us,
                        char **out_secret,
                        GError **error);

/* An array of FsnToken, which owns them. Any bytes are tokens or FSN_ERROR_FORMAT. */
GPtrArray *fsn_tokens_parse(const char *text, size_t len, GError **error);
char *fsn_tokens_to_text(const GPtrArray *tokens);

/* The file of tokens; one that is not there has none. One that others could read is
 * FSN_ERROR_FAILED, for then its owner has to know. */
GPtrArray *fsn_tokens_load(const char *path, GError **error);
/* Durable, mode 0600. */
bool fsn_tokens_save(const char *path, const GPtrArray *tokens, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* /etc/foresnap/tokens.json, or in $FORESNAP_CONFIG_DIR or the user's folder; the caller
 * frees. */
char *fsn_tokens_default_path(void);

/* The token that @presented is, or NULL: unknown, wrong or expired. Takes the same time for each
 * wrong one. Borrowed from @tokens. */
const FsnToken *fsn_tokens_match(const GPtrArray *tokens,
                                 const char *presented,
                                 int64_t now_us);

/* Compares in a time that does not depend on where they differ. */
bool fsn_equal_in_constant_time(const uint8_t *a, const uint8_t *b, size_t len);

G_END_DECLS
