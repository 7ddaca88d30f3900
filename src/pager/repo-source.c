/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages out of a repository. Every granule is checked against its hash by the repository's
 * reader; this file only fits its interface to the worker's. */
#include "config.h"

#include "pager/repo-source.h"

#include "base/error.h"
#include "repo/image.h"
#include "repo/sequence.h"
#include "stream/page-map.h"

typedef struct {
    FsnPageSource base;
    FsnRepo *repo;
    FsnImage *image; /* owned by the first source */
    FsnImageReader *reader;
    char *sequence;
    bool first;
} RepoSource;

static bool
source_read(
    FsnPageSource *source, uint64_t granule, uint8_t *out, bool *out_zero, GError **error)
{
    RepoSource *s = (RepoSource *)source;

    return fsn_image_reader_read(s->reader, granule, out, out_zero, error);
}

static bool
source_sequence(FsnPageSource *source, FsnPageEach each, gpointer user, GError **error)
{
    RepoSource *s = (RepoSource *)source;

    if (!s->sequence) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "no sequence is stored");
        return false;
    }
    return fsn_sequence_read(s->repo, s->sequence, s->image, each, user, error);
}

static void
source_free(FsnPageSource *source)
{
    RepoSource *s = (RepoSource *)source;

    fsn_image_reader_free(s->reader);
    if (s->first) {
        fsn_image_free(s->image);
    }
    g_free(s->sequence);
    g_free(s);
}

static FsnPageSource *
source_dup(FsnPageSource *source, GError **error)
{
    RepoSource *s = (RepoSource *)source;
    RepoSource *copy = g_new0(RepoSource, 1);

    copy->base = s->base;
    copy->repo = s->repo;
    copy->image = s->image;
    copy->reader = fsn_image_reader_new(s->image);
    copy->sequence = g_strdup(s->sequence);
    return &copy->base;
}

static const FsnPageSourceOps ops = {
    .read = source_read,
    .sequence = source_sequence,
    .dup = source_dup,
    .free = source_free,
};

FsnPageSource *
fsn_repo_source_new(FsnRepo *repo, const FsnPagerPlan *plan, GError **error)
{
    g_autoptr(FsnImage) image = fsn_image_open(repo, plan->image, error);
    uint64_t pages = fsn_page_map_pages(plan->ram);
    RepoSource *s;

    if (!image) {
        return NULL;
    }
    if (fsn_image_n_granules(image) != pages) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "image '%s' has %" G_GUINT64_FORMAT
                    " pages, the guest %" G_GUINT64_FORMAT,
                    plan->image, fsn_image_n_granules(image), pages);
        return NULL;
    }
    s = g_new0(RepoSource, 1);
    s->base.ops = &ops;
    s->repo = repo;
    s->image = g_steal_pointer(&image);
    s->reader = fsn_image_reader_new(s->image);
    s->sequence = g_strdup(plan->sequence);
    s->first = true;
    return &s->base;
}
