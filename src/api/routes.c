/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All routes, with what they need. docs/api/openapi.json describes each; a test compares. */
#include "config.h"

#include "api/private.h"

#define READ    FSN_SCOPE_READ
#define OPERATE FSN_SCOPE_OPERATE
#define ADMIN   FSN_SCOPE_ADMIN
#define BODY    FSN_ROUTE_BODY

static const FsnApiRoute routes[] = {
    { "GET", "/v1/openapi.json", FSN_SCOPE_NONE, FSN_ROUTE_OPEN, fsn_api_get_openapi },
    { "GET", "/v1/whoami", FSN_SCOPE_NONE, FSN_ROUTE_OPEN, fsn_api_get_whoami },
    { "GET", "/v1/health", READ, 0, fsn_api_get_health },
    { "GET", "/metrics", READ, 0, fsn_api_get_metrics },
    { "GET", "/v1/domains", READ, 0, fsn_api_get_domains },
    { "GET", "/v1/domains/{domain}", READ, 0, fsn_api_get_domain },
    { "GET", "/v1/domains/{domain}/history", READ, 0, fsn_api_get_domain_history },
    { "GET", "/v1/domains/{domain}/forecast", READ, 0, fsn_api_get_domain_forecast },
    { "GET", "/v1/domains/{domain}/idle", READ, 0, fsn_api_get_domain_idle },
    { "GET", "/v1/domains/{domain}/workingset", READ, 0, fsn_api_get_domain_workingset },
    { "GET", "/v1/domains/{domain}/changemap", READ, 0, fsn_api_get_domain_changemap },
    { "GET", "/v1/domains/{domain}/policy", READ, 0, fsn_api_get_domain_policy },
    { "PATCH", "/v1/domains/{domain}/policy", ADMIN, BODY, fsn_api_patch_domain_policy },
    { "POST", "/v1/domains/{domain}/preview", READ, BODY, fsn_api_post_domain_preview },
    { "GET", "/v1/snapshots", READ, 0, fsn_api_get_snapshots },
    { "GET", "/v1/snapshots/{snapshot}", READ, 0, fsn_api_get_snapshot },
    { "GET", "/v1/suspends", READ, 0, fsn_api_get_suspends },
    { "GET", "/v1/plan", READ, 0, fsn_api_get_plan },
    { "GET", "/v1/jobs", READ, 0, fsn_api_get_jobs },
    { "POST", "/v1/jobs", OPERATE, BODY, fsn_api_post_jobs },
    { "GET", "/v1/jobs/{job}", READ, 0, fsn_api_get_job },
    { "DELETE", "/v1/jobs/{job}", OPERATE, 0, fsn_api_delete_job },
    { "GET", "/v1/events", READ, 0, fsn_api_get_events },
    { "GET", "/v1/profiles", READ, 0, fsn_api_get_profiles },
    { "GET", "/v1/profile-keys", READ, 0, fsn_api_get_profile_keys },
    { "GET", "/v1/profiles/{profile}", READ, 0, fsn_api_get_profile },
    { "PUT", "/v1/profiles/{profile}", ADMIN, BODY, fsn_api_put_profile },
    { "DELETE", "/v1/profiles/{profile}", ADMIN, 0, fsn_api_delete_profile },
    { "POST", "/v1/profiles/{profile}/check", READ, BODY, fsn_api_post_profile_check },
    { "GET", "/v1/repository", READ, 0, fsn_api_get_repository },
};

const FsnApiRoute *
fsn_api_routes(size_t *out_n)
{
    *out_n = G_N_ELEMENTS(routes);
    return routes;
}
