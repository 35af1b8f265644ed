/* SPDX-License-Identifier: Apache-2.0 */
#include "image/search.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/capture.h"
#include "core/program.h"
#include "core/str.h"
#include "core/strbuf.h"

#define TIMEOUT_MS 60000
/* More are refused by the distribution project's registry. */
#define CATALOGUE_MAX 1000
/* curl(1): the URL's answer was an error. */
#define CURL_HTTP_ERROR 22

struct catalogue {
	char **repositories;
	size_t n_repositories;
};

JSON_DESC_STATIC(catalogue_desc, struct catalogue,
		 F_STRINGS(struct catalogue, repositories, "repositories", 0));

struct hub_entry {
	char *name;
	char *description;
	int64_t stars;
	bool official;
	bool automated;
};

JSON_DESC_STATIC(hub_entry_desc, struct hub_entry,
		 F_STRING(struct hub_entry, name, "name", JSON_REQUIRED),
		 F_STRING(struct hub_entry, description, "description", 0),
		 F_I64(struct hub_entry, stars, "star_count", 0),
		 F_BOOL(struct hub_entry, official, "is_official", 0),
		 F_BOOL(struct hub_entry, automated, "is_automated", 0));

struct hub {
	struct hub_entry *results;
	size_t n_results;
};

JSON_DESC_STATIC(hub_desc, struct hub,
		 F_OBJECTS(struct hub, results, struct hub_entry, "results", 0, hub_entry_desc));

void search_results_done(struct search_results *results)
{
	for (size_t i = 0; i < results->n; i++) {
		free(results->v[i].registry);
		free(results->v[i].name);
		free(results->v[i].description);
	}
	free(results->v);
	*results = (struct search_results){ 0 };
}

static bool is_insecure(const struct registries *r, const char *registry,
			struct opt_bool tls_verify)
{
	if (tls_verify.set)
		return !tls_verify.v;
	return strvec_contains(&r->insecure, registry);
}

/* The exit status of curl, its output in *ret. */
static int fetch(const char *url, bool insecure, struct capture *run, struct err *err)
{
	auto_free char *curl = program_find("curl");
	auto_strvec struct strvec argv = STRVEC_INIT;
	int r;

	if (!curl)
		return err_set(err, ERR_NOT_FOUND,
			       "curl is needed to search; install the package 'curl'");
	strvec_add(&argv, curl);
	strvec_add(&argv, "-fsSL");
	if (insecure)
		strvec_add(&argv, "-k");
	strvec_add(&argv, "--");
	strvec_add(&argv, url);
	run->argv = argv.v;
	run->timeout_ms = TIMEOUT_MS;
	strbuf_clear(&run->output);
	strbuf_clear(&run->messages);
	r = capture_run(run, err);
	run->argv = NULL;
	return r;
}

static int explain(const char *registry, const struct capture *run, struct err *err)
{
	auto_free char *text = xstrdup(run->messages.buf);
	char *line = text;

	line[strcspn(line, "\n")] = '\0';
	if (str_has_prefix(line, "curl: "))
		line += strlen("curl: ");
	return err_set(err, ERR_REMOTE, "search registry '%s': %s", registry,
		       *line ? line : "curl failed");
}

static void add(struct search_results *ret, const char *registry, const char *name,
		const char *description)
{
	struct search_result *result = array_push(ret->v, ret->n);

	*result = (struct search_result){
		.registry = xstrdup(registry),
		.name = xasprintf("%s/%s", registry, name),
		.description = xstrdup(description),
	};
}

static int search_catalogue(const struct registries *registries, const char *registry,
			    const char *term, size_t limit, struct opt_bool tls_verify,
			    struct search_results *ret, struct err *err)
{
	auto_capture struct capture run = CAPTURE_INIT;
	auto_free char *url = xasprintf("https://%s/v2/_catalog?n=%d", registry, CATALOGUE_MAX);
	bool insecure = is_insecure(registries, registry, tls_verify);
	struct catalogue catalogue = { 0 };
	size_t found = 0;
	int r = fetch(url, insecure, &run, err);

	if (r > 0 && r != CURL_HTTP_ERROR && insecure) {
		replace_ptr(url, xasprintf("http://%s/v2/_catalog?n=%d", registry, CATALOGUE_MAX));
		r = fetch(url, true, &run, err);
	}
	if (r > 0)
		return explain(registry, &run, err);
	if (r == 0)
		r = json_decode(&catalogue_desc, &catalogue, run.output.buf, run.output.len,
				"catalogue", err);
	for (size_t i = 0; r == 0 && i < catalogue.n_repositories && found < limit; i++)
		if (strstr(catalogue.repositories[i], term)) {
			add(ret, registry, catalogue.repositories[i], NULL);
			found++;
		}
	json_done(&catalogue_desc, &catalogue);
	return r;
}

/* Letters, digits and what else means itself in a URL. */
static char *url_escape(const char *s)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (; *s; s++)
		strbuf_addf(&sb, isalnum((unsigned char)*s) || strchr("-_.~", *s) ? "%c" : "%%%02X",
			    (unsigned char)*s);
	return strbuf_take(&sb);
}

static int search_hub(const char *term, size_t limit, struct search_results *ret, struct err *err)
{
	auto_capture struct capture run = CAPTURE_INIT;
	auto_free char *query = url_escape(term);
	auto_free char *url =
		xasprintf("https://index.docker.io/v1/search?q=%s&n=%zu", query, limit);
	struct hub hub = { 0 };
	int r = fetch(url, false, &run, err);

	if (r > 0)
		return explain("docker.io", &run, err);
	if (r == 0)
		r = json_decode(&hub_desc, &hub, run.output.buf, run.output.len, "search result",
				err);
	for (size_t i = 0; r == 0 && i < hub.n_results && i < limit; i++) {
		const struct hub_entry *e = &hub.results[i];
		auto_free char *name = strchr(e->name, '/') ? xstrdup(e->name) :
							      xasprintf("library/%s", e->name);

		add(ret, "docker.io", name, e->description);
		ret->v[ret->n - 1].stars = e->stars;
		ret->v[ret->n - 1].official = e->official;
		ret->v[ret->n - 1].automated = e->automated;
	}
	json_done(&hub_desc, &hub);
	return r;
}

int image_search(const struct registries *registries, const char *registry, const char *term,
		 size_t limit, struct opt_bool tls_verify, struct search_results *ret,
		 struct err *err)
{
	return str_eq(registry, "docker.io") ?
		       search_hub(term, limit, ret, err) :
		       search_catalogue(registries, registry, term, limit, tls_verify, ret, err);
}
