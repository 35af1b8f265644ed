/* SPDX-License-Identifier: Apache-2.0 */
#include "image/reference.h"

#include <ctype.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "storage/blob.h"

#define TAG_MAX 128

static int invalid(struct err *err, const char *text, const char *why)
{
	return err_set(err, ERR_INVALID, "parse image name '%s': %s", text, why);
}

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* [a-z0-9]+ joined by one '.', one or two '_', or any number of '-'. */
static bool component_is_valid(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t start = i;

		while (i < len && is_lower_or_digit(s[i]))
			i++;
		if (i == start)
			return false;
		if (i == len)
			return true;
		if (s[i] == '-') {
			while (i < len && s[i] == '-')
				i++;
		} else if (s[i] == '_' && i + 1 < len && s[i + 1] == '_') {
			i += 2;
		} else if (s[i] == '.' || s[i] == '_') {
			i++;
		} else {
			return false;
		}
	}
	return false;
}

static bool path_is_valid(const char *path)
{
	for (const char *p = path;;) {
		size_t len = strcspn(p, "/");

		if (!component_is_valid(p, len))
			return false;
		if (!p[len])
			return true;
		p += len + 1;
	}
}

static bool tag_is_valid(const char *tag)
{
	size_t len = strlen(tag);

	if (len == 0 || len > TAG_MAX || !(isalnum((unsigned char)*tag) || *tag == '_'))
		return false;
	for (const char *p = tag; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
			return false;
	return true;
}

/* host[:port]; an address in brackets too. */
static bool domain_is_valid(const char *domain)
{
	const char *port = strrchr(domain, ':');
	size_t len = port && !strchr(port, ']') ? (size_t)(port - domain) : strlen(domain);

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)domain[i]) && !strchr(".-[]:", domain[i]))
			return false;
	if (domain[len] == ':') {
		const char *p = domain + len + 1;

		return *p && strspn(p, "0123456789") == strlen(p);
	}
	return domain[0] != '-' && domain[0] != '.';
}

/* Whether the part before the first slash is a domain. */
static bool has_domain(const char *name)
{
	size_t len = strcspn(name, "/");

	if (!name[len])
		return false;
	return memchr(name, '.', len) || memchr(name, ':', len) ||
	       (len == strlen("localhost") && strncmp(name, "localhost", len) == 0);
}

static int split_domain(struct reference *ref, char *name, const char *text, struct err *err)
{
	const char *path = name;

	if (has_domain(name)) {
		char *slash = strchr(name, '/');

		*slash = '\0';
		path = slash + 1;
		if (!domain_is_valid(name))
			return invalid(err, text, "the part before the first '/' is no registry");
		ref->domain = xstrdup(str_eq(name, "index.docker.io") ? "docker.io" : name);
	}
	if (!*path)
		return invalid(err, text, "it has no name");
	for (const char *p = path; *p; p++)
		if (isupper((unsigned char)*p))
			return invalid(err, text, "names must be lower case");
	if (!path_is_valid(path))
		return invalid(err, text,
			       "a name has letters, digits, and single '.', '_' or '-' between "
			       "them, in parts separated by '/'");
	if (strlen(path) + (ref->domain ? strlen(ref->domain) + 1 : 0) > REFERENCE_NAME_MAX)
		return invalid(err, text, "the name has more than 255 characters");
	/* docker.io's own images. */
	if (str_eq(ref->domain, "docker.io") && !strchr(path, '/'))
		ref->path = xasprintf("library/%s", path);
	else
		ref->path = xstrdup(path);
	return 0;
}

int reference_parse(struct reference *ret, const char *text, struct err *err)
{
	auto_reference struct reference ref = { 0 };
	auto_free char *name = xstrdup(text);
	char *at = strchr(name, '@');
	char *colon;
	int r;

	if (!*text)
		return invalid(err, text, "it is empty");
	if (at) {
		*at = '\0';
		if (!digest_is_valid(at + 1))
			return invalid(err, text,
				       "the part behind '@' is no digest 'sha256:' with 64 hex "
				       "digits");
		ref.digest = xstrdup(at + 1);
	}
	colon = strrchr(name, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		if (!tag_is_valid(colon + 1))
			return invalid(err, text,
				       "a tag has at most 128 letters, digits, '_', '.' or '-'");
		ref.tag = xstrdup(colon + 1);
	}
	r = split_domain(&ref, name, text, err);
	if (r < 0)
		return r;
	*ret = ref;
	ref = (struct reference){ 0 };
	return 0;
}

void reference_done(struct reference *ref)
{
	free(ref->domain);
	free(ref->path);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct reference){ 0 };
}

void reference_tag_latest(struct reference *ref)
{
	if (!ref->tag && !ref->digest)
		ref->tag = xstrdup("latest");
}

char *reference_repository(const struct reference *ref)
{
	return ref->domain ? xasprintf("%s/%s", ref->domain, ref->path) : xstrdup(ref->path);
}

char *reference_format(const struct reference *ref)
{
	auto_free char *repository = reference_repository(ref);

	return xasprintf("%s%s%s%s%s", repository, ref->tag ? ":" : "", ref->tag ? ref->tag : "",
			 ref->digest ? "@" : "", ref->digest ? ref->digest : "");
}

int reference_normalize_local(const char *text, char **ret, struct err *err)
{
	auto_reference struct reference ref = { 0 };
	int r = reference_parse(&ref, text, err);

	if (r < 0)
		return r;
	/* Whoever used such a name would get the image of that id. */
	if (ref.digest || (!ref.domain && str_eq(ref.path, "sha256")))
		return invalid(err, text, "a name that is given to an image cannot have a digest");
	if (!ref.domain)
		ref.domain = xstrdup("localhost");
	reference_tag_latest(&ref);
	*ret = reference_format(&ref);
	return 0;
}
