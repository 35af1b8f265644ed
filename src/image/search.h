/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for images in registries: the catalogue of the distribution protocol (version 2), and for
 * docker.io, which has none, its own search. By curl(1), which knows proxies and certificates; skopeo does not
 * search.
 */
#pragma once

#include "core/err.h"
#include "core/json_table.h"
#include "image/registries.h"

struct search_result {
	char *registry;
	char *name; /* full: "docker.io/library/alpine" */
	char *description; /* NULL: the registry has none */
	int64_t stars;
	bool official;
	bool automated;
};

struct search_results {
	struct search_result *v;
	size_t n;
};

void search_results_done(struct search_results *results);

/*
 * Repositories of one registry whose name has the term in it, at most limit, appended. tls_verify: unset: as
 * registries.conf says. ERR_REMOTE with curl's words; ERR_NOT_FOUND when curl is not installed.
 */
int image_search(const struct registries *registries, const char *registry, const char *term,
		 size_t limit, struct opt_bool tls_verify, struct search_results *ret,
		 struct err *err);

DEFINE_AUTO_VAL(search_results, struct search_results, search_results_done)
#define auto_search_results auto_cleanup(search_results_cleanup_val)
