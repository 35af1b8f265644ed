/* SPDX-License-Identifier: Apache-2.0 */
/* Which kind of document it is, and which entry of a list is for this machine. */
#include <json-c/json.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/str.h"
#include "image/pull.h"

static const char *const known_types[] = {
	OCI_MANIFEST_TYPE,
	OCI_INDEX_TYPE,
	DOCKER_MANIFEST_TYPE,
	DOCKER_LIST_TYPE,
};

static const char *type_of_object(struct json_object *object)
{
	struct json_object *member;
	const char *named = NULL;

	if (json_object_object_get_ex(object, "mediaType", &member))
		named = json_object_get_string(member);
	for (size_t i = 0; named && i < ARRAY_SIZE(known_types); i++)
		if (str_eq(named, known_types[i]))
			return known_types[i];
	if (named)
		return NULL;
	/* OCI documents need not say it. */
	if (json_object_object_get_ex(object, "manifests", NULL))
		return OCI_INDEX_TYPE;
	if (json_object_object_get_ex(object, "config", NULL))
		return OCI_MANIFEST_TYPE;
	return NULL;
}

int manifest_type_of(const char *text, size_t len, const char **ret_type, struct err *err)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, text, (int)len);
	const char *type = NULL;

	if (json_object_is_type(object, json_type_object))
		type = type_of_object(object);
	json_object_put(object);
	json_tokener_free(tokener);
	if (!type)
		return err_set(
			err, ERR_UNSUPPORTED,
			"read manifest: it is neither an OCI image nor one of Docker's schema 2");
	*ret_type = type;
	return 0;
}

const char *platform_architecture(const char **ret_variant)
{
	static const struct {
		const char *machine;
		const char *name;
		const char *variant;
	} names[] = {
		{ "x86_64", "amd64", NULL },
		{ "aarch64", "arm64", "v8" },
		{ "armv7l", "arm", "v7" },
		{ "armv6l", "arm", "v6" },
		{ "i686", "386", NULL },
		{ "i386", "386", NULL },
		{ "ppc64le", "ppc64le", NULL },
		{ "s390x", "s390x", NULL },
		{ "riscv64", "riscv64", NULL },
		{ "mips64", "mips64", NULL },
		{ "loongarch64", "loong64", NULL },
	};
	static struct utsname uts;

	*ret_variant = NULL;
	if (uname(&uts) < 0)
		return "amd64";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i].machine, uts.machine)) {
			*ret_variant = names[i].variant;
			return names[i].name;
		}
	return uts.machine;
}

/* 0: does not fit; the better, the higher. */
static int score(const struct image_platform *p, const char *os, const char *arch,
		 const char *variant)
{
	if (!p || !str_eq(p->os, os) || !str_eq(p->architecture, arch))
		return 0;
	if (str_eq(p->variant, variant))
		return 3;
	/* arm64 is v8, said or not. */
	if (str_eq(arch, "arm64") && (!variant || !p->variant))
		return 3;
	if (str_is_empty(p->variant))
		return 2;
	/* A processor runs what is for an older one: v6 on v7. */
	if (variant && strcmp(p->variant, variant) < 0)
		return 1;
	return variant ? 0 : 1;
}

const struct image_descriptor *index_choose(const struct image_index *index, const char *os,
					    const char *arch, const char *variant)
{
	const struct image_descriptor *best = NULL;
	int best_score = 0;

	for (size_t i = 0; i < index->n_manifests; i++) {
		int s = score(index->manifests[i].platform, os, arch, variant);

		if (s > best_score) {
			best = &index->manifests[i];
			best_score = s;
		}
	}
	return best;
}
