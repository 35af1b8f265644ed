/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/metadata.h"

#include <string.h>

#include "archive/mac.h"
#include "core/alloc.h"
#include "core/str.h"
#include "core/strvec.h"

/* --- engines --- */

const char *archive_engine_to_string(enum archive_engine engine)
{
	switch (engine) {
	case ARCHIVE_ENGINE_PODMAN:
		return "Podman";
	case ARCHIVE_ENGINE_CRIO:
		return "CRI-O";
	case ARCHIVE_ENGINE_CONTAINERD:
		return "containerd";
	case ARCHIVE_ENGINE_UNKNOWN:
	default:
		return "unknown";
	}
}

enum archive_engine archive_engine_of(const struct json_string_map *annotations)
{
	const char *manager = json_string_map_get(annotations, "io.container.manager");

	if (str_eq(manager, "libpod"))
		return ARCHIVE_ENGINE_PODMAN;
	if (str_eq(manager, "cri-o"))
		return ARCHIVE_ENGINE_CRIO;
	for (size_t i = 0; i < annotations->n; i++)
		if (str_has_prefix(annotations->v[i].key, "io.kubernetes.cri."))
			return ARCHIVE_ENGINE_CONTAINERD;
	return ARCHIVE_ENGINE_UNKNOWN;
}

/* --- documents that are no object --- */

/* The tables are for objects: the document becomes the value of one member. */
static int decode_wrapped(const struct json_desc *desc, void *ret, const char *key,
			  const char *text, size_t len, const char *name, struct err *err)
{
	auto_free char *wrapped = xasprintf("{\"%s\":%.*s}", key, (int)len, text);

	return json_decode(desc, ret, wrapped, strlen(wrapped), name, err);
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

/* --- network.status --- */

struct cni_interface {
	char *name;
	char *mac;
	char *sandbox; /* of those inside the container */
};

struct cni_ip {
	int interface;
	char *address;
	char *gateway;
};

struct cni_dns {
	char **nameservers;
	size_t n_nameservers;
	char **search;
	size_t n_search;
};

struct cni_result {
	struct cni_interface *interfaces;
	size_t n_interfaces;
	struct cni_ip *ips;
	size_t n_ips;
	struct cni_dns dns;
};

struct cni_results {
	struct cni_result *v;
	size_t n_v;
};

JSON_DESC_STATIC(cni_interface_desc, struct cni_interface,
		 F_STRING(struct cni_interface, name, "name", 0),
		 F_STRING(struct cni_interface, mac, "mac", 0),
		 F_STRING(struct cni_interface, sandbox, "sandbox", 0));
JSON_DESC_STATIC(cni_ip_desc, struct cni_ip, F_INT(struct cni_ip, interface, "interface", 0),
		 F_STRING(struct cni_ip, address, "address", 0),
		 F_STRING(struct cni_ip, gateway, "gateway", 0));
JSON_DESC_STATIC(cni_dns_desc, struct cni_dns,
		 F_STRINGS(struct cni_dns, nameservers, "nameservers", 0),
		 F_STRINGS(struct cni_dns, search, "search", 0));
JSON_DESC_STATIC(cni_result_desc, struct cni_result,
		 F_OBJECTS(struct cni_result, interfaces, struct cni_interface, "interfaces", 0,
			   cni_interface_desc),
		 F_OBJECTS(struct cni_result, ips, struct cni_ip, "ips", 0, cni_ip_desc),
		 F_OBJECT(struct cni_result, dns, struct cni_dns, "dns", 0, cni_dns_desc));
JSON_DESC_STATIC(cni_results_desc, struct cni_results,
		 F_OBJECTS(struct cni_results, v, struct cni_result, "results", 0,
			   cni_result_desc));

static char *copy_or_null(const char *s)
{
	return str_is_empty(s) ? NULL : xstrdup(s);
}

/* The one interface inside the container, with all addresses. */
static void add_cni(struct network_status *status, const struct cni_result *cni, char *network)
{
	struct network_status_entry *entry = array_push(status->v, status->n);
	struct network_status_interface *interface =
		array_push(entry->interfaces, entry->n_interfaces);

	entry->network = network;
	for (size_t i = 0; i < cni->n_interfaces; i++) {
		if (str_is_empty(cni->interfaces[i].sandbox) || interface->name)
			continue;
		interface->name = copy_or_null(cni->interfaces[i].name);
		interface->mac_address = copy_or_null(cni->interfaces[i].mac);
	}
	if (!interface->name)
		interface->name = xstrdup("eth0");
	for (size_t i = 0; i < cni->n_ips; i++) {
		struct network_status_subnet *subnet;

		if (str_is_empty(cni->ips[i].address))
			continue;
		subnet = array_push(interface->subnets, interface->n_subnets);
		subnet->ipnet = xstrdup(cni->ips[i].address);
		subnet->gateway = copy_or_null(cni->ips[i].gateway);
	}
	for (size_t i = 0; i < cni->dns.n_nameservers; i++)
		json_strings_add(&entry->dns_server_ips, &entry->n_dns_server_ips,
				 cni->dns.nameservers[i]);
	for (size_t i = 0; i < cni->dns.n_search; i++)
		json_strings_add(&entry->dns_search_domains, &entry->n_dns_search_domains,
				 cni->dns.search[i]);
}

static int parse_cni(struct network_status *ret, const char *text, size_t len, char *const *names,
		     size_t n_names, struct err *err)
{
	struct cni_results results;
	int r = decode_wrapped(&cni_results_desc, &results, "results", text, len, "network.status",
			       err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < results.n_v; i++)
		add_cni(ret, &results.v[i],
			i < n_names ? xstrdup(names[i]) : xasprintf("network-%zu", i));
	json_done(&cni_results_desc, &results);
	return 0;
}

int archive_network_status_parse(struct network_status *ret, const char *text, size_t len,
				 char *const *names, size_t n_names, struct err *err)
{
	int r;

	*ret = (struct network_status)NETWORK_STATUS_INIT;
	if (!text)
		return 0;
	while (len > 0 && is_blank(text, 1)) {
		text++;
		len--;
	}
	while (len > 0 && is_blank(text + len - 1, 1))
		len--;
	if (len == 0 || (len == 4 && memcmp(text, "null", 4) == 0))
		return 0;
	if (*text == '[')
		return parse_cni(ret, text, len, names, n_names, err);
	r = network_status_parse(ret, text, len, "network.status", err);
	for (size_t i = 0; r == 0 && i < ret->n; i++)
		for (size_t k = 0; k < ret->v[i].n_interfaces; k++)
			archive_mac_to_text(&ret->v[i].interfaces[k].mac_address);
	return r;
}

/* --- deleted.files --- */

struct string_list {
	char **v;
	size_t n_v;
};
JSON_DESC_STATIC(string_list_desc, struct string_list,
		 F_STRINGS(struct string_list, v, "paths", JSON_ALWAYS));

static bool is_inside(const char *path)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	strvec_split(&parts, path, '/', false);
	for (size_t i = 0; i < parts.n; i++)
		if (str_eq(parts.v[i], "..") || str_eq(parts.v[i], "."))
			return false;
	return *path == '/' && parts.n > 0;
}

int archive_deleted_parse(struct strvec *ret, const char *text, size_t len, struct err *err)
{
	struct string_list list;
	int r;

	if (!text || is_blank(text, len))
		return 0;
	r = decode_wrapped(&string_list_desc, &list, "paths", text, len, "deleted.files", err);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < list.n_v; i++) {
		if (!is_inside(list.v[i]))
			r = err_set(err, ERR_INVALID,
				    "deleted.files: '%.200s' is no absolute path of a file",
				    list.v[i]);
		else
			strvec_add(ret, list.v[i]);
	}
	json_done(&string_list_desc, &list);
	return r;
}

char *archive_deleted_format(char *const *paths, size_t n)
{
	struct string_list list = { 0 };
	auto_free char *text = NULL;
	const char *begin;
	char *result;

	for (size_t i = 0; i < n; i++)
		json_strings_add(&list.v, &list.n_v, paths[i]);
	text = json_encode(&string_list_desc, &list, JSON_COMPACT);
	json_done(&string_list_desc, &list);
	begin = strchr(text, '[');
	result = begin ? xstrdup(begin) : xstrdup("[]}");
	result[strlen(result) - 1] = '\0';
	return result;
}

/* --- bind.mounts --- */

struct bind_mounts {
	struct archive_bind_mount *v;
	size_t n_v;
};
JSON_DESC_STATIC(bind_mount_desc, struct archive_bind_mount,
		 F_STRING(struct archive_bind_mount, source, "source", JSON_REQUIRED),
		 F_STRING(struct archive_bind_mount, destination, "destination", JSON_REQUIRED),
		 F_STRING(struct archive_bind_mount, file_type, "file_type", 0),
		 F_U32(struct archive_bind_mount, permissions, "permissions", 0));
JSON_DESC_STATIC(bind_mounts_desc, struct bind_mounts,
		 F_OBJECTS(struct bind_mounts, v, struct archive_bind_mount, "mounts", 0,
			   bind_mount_desc));

int archive_bind_mounts_parse(struct archive_bind_mounts *ret, const char *text, size_t len,
			      struct err *err)
{
	struct bind_mounts mounts;
	int r;

	*ret = (struct archive_bind_mounts){ 0 };
	if (!text || is_blank(text, len))
		return 0;
	r = decode_wrapped(&bind_mounts_desc, &mounts, "mounts", text, len, "bind.mounts", err);
	if (r == 0)
		*ret = (struct archive_bind_mounts){ mounts.v, mounts.n_v };
	return r;
}

void archive_bind_mounts_done(struct archive_bind_mounts *mounts)
{
	struct bind_mounts all = { mounts->v, mounts->n };

	json_done(&bind_mounts_desc, &all);
	*mounts = (struct archive_bind_mounts){ 0 };
}

/* --- annotations of images --- */

#define PODMAN "io.podman.annotations.checkpoint."
#define CRIO "io.kubernetes.cri-o.annotations.checkpoint."
#define GENERIC "org.criu.checkpoint."

/* A field, and what each set calls it; NULL: it has none. */
static const struct {
	size_t offset;
	const char *podman; /* CRI-O's are the same */
	const char *generic;
} annotation_names[] = {
#define NAME(member, podman, generic)                                                              \
	{                                                                                          \
		offsetof(struct archive_annotations, member), podman, generic                      \
	}
	NAME(engine_name, NULL, "engine.name"),
	NAME(engine_version, "podman.version", "engine.version"),
	NAME(name, "name", "container.name"),
	NAME(raw_image_name, "rawImageName", "rawImageName"),
	NAME(rootfs_image_id, "rootfsImageID", "rootfsImageID"),
	NAME(rootfs_image_name, "rootfsImageName", "rootfsImageName"),
	NAME(runtime_name, "runtime.name", "runtime.name"),
	NAME(runtime_version, "runtime.version", "runtime.version"),
	NAME(criu_version, "criu.version", "criu.version"),
	NAME(conmon_version, "conmon.version", "conmon.version"),
	NAME(host_arch, "host.arch", "host.arch"),
	NAME(host_kernel, "host.kernel", "host.kernel"),
	NAME(cgroup_version, "cgroups.version", "cgroup.version"),
	NAME(distribution_name, "distribution.name", "distribution.name"),
	NAME(distribution_version, "distribution.version", "distribution.version"),
#undef NAME
};

static char **annotation_field(struct archive_annotations *a, size_t i)
{
	return (char **)((char *)a + annotation_names[i].offset);
}

int archive_annotations_parse(struct archive_annotations *ret, const struct json_string_map *map)
{
	struct archive_annotations found = { 0 };
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(annotation_names); i++) {
		static const char *const prefixes[] = { PODMAN, CRIO, GENERIC };

		for (size_t k = 0; k < ARRAY_SIZE(prefixes); k++) {
			const char *name = k < 2 ? annotation_names[i].podman :
						   annotation_names[i].generic;
			auto_free char *key = name ? xasprintf("%s%s", prefixes[k], name) : NULL;
			const char *value = key ? json_string_map_get(map, key) : NULL;

			if (!value || *annotation_field(&found, i))
				continue;
			*annotation_field(&found, i) = xstrdup(value);
			any = true;
		}
	}
	/* Something else may carry one of them by chance; without a name there is nothing to restore. */
	if (!any || (!found.name && !found.runtime_name)) {
		archive_annotations_done(&found);
		return 0;
	}
	*ret = found;
	return 1;
}

void archive_annotations_format(const struct archive_annotations *annotations,
				struct json_string_map *map)
{
	for (size_t i = 0; i < ARRAY_SIZE(annotation_names); i++) {
		const char *value =
			*(char *const *)((const char *)annotations + annotation_names[i].offset);
		auto_free char *podman = NULL;
		auto_free char *generic = NULL;

		if (!value)
			continue;
		generic = xasprintf(GENERIC "%s", annotation_names[i].generic);
		json_string_map_set(map, generic, value);
		if (!annotation_names[i].podman)
			continue;
		podman = xasprintf(PODMAN "%s", annotation_names[i].podman);
		json_string_map_set(map, podman, value);
	}
}

void archive_annotations_done(struct archive_annotations *annotations)
{
	for (size_t i = 0; i < ARRAY_SIZE(annotation_names); i++)
		free(*annotation_field(annotations, i));
	*annotations = (struct archive_annotations){ 0 };
}
