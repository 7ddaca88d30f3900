/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/page-source.h"
#include "memory/pager-plan.h"
#include "repo/repo.h"

/* The pages of the plan's image, verified by the repository. @repo must outlive it. */
FsnPageSource *fsn_repo_source_new(FsnRepo *repo,
                                   const FsnPagerPlan *plan,
                                   GError **error);
