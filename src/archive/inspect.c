/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/inspect.h"

#include <json-c/json.h>
#include <string.h>

#include "archive/image_set.h"
#include "archive/metadata.h"
#include "archive/report.h"
#include "core/alloc.h"
#include "core/json_auto.h"
#include "core/parse.h"
#include "core/str.h"
#include "criu/stats.h"
#include "spec/runtime_spec.h"

/* An image that is larger is none of the small ones. */
#define IMAGE_MAX ((size_t)128 << 20)

struct inspector {
	struct archive_reader *reader;
	unsigned int flags;
	struct archive_documents documents;
	struct image_set images;
	struct archive_report *report;
	bool missed; /* memory that was wanted came before what says where it is */
};

static bool wants_images(const struct inspector *in)
{
	return in->flags &
	       (ARCHIVE_INSPECT_PS_TREE | ARCHIVE_INSPECT_PS_TREE_CMD |
		ARCHIVE_INSPECT_PS_TREE_ENV | ARCHIVE_INSPECT_FILES | ARCHIVE_INSPECT_SOCKETS);
}

static bool wants_memory(const struct inspector *in)
{
	return in->flags & (ARCHIVE_INSPECT_PS_TREE_CMD | ARCHIVE_INSPECT_PS_TREE_ENV);
}

/* --- members --- */

static int read_wanted(struct inspector *in, const struct wanted *v, size_t n, struct err *err)
{
	uint64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		size_t done = 0;
		size_t len = 1;
		int r = 0;

		/* Two processes may have been given the same page; it is read for one of them. */
		if (v[i].offset < at)
			continue;
		r = archive_reader_skip(in->reader, v[i].offset - at, err);
		while (r == 0 && done < v[i].len && len > 0) {
			r = archive_reader_read(in->reader, v[i].to + done, v[i].len - done, &len,
						err);
			done += len;
		}
		if (r < 0)
			return r;
		at = v[i].offset + done;
	}
	return 0;
}

/* "pages-3.img" */
static bool pages_id(const char *name, uint32_t *ret)
{
	const char *rest = str_skip_prefix(name, "pages-");
	auto_free char *digits = NULL;

	if (!rest || !str_has_suffix(rest, ".img"))
		return false;
	digits = xstrndup(rest, strlen(rest) - strlen(".img"));
	return parse_u32(digits, ret) == 0;
}

static int take_pages(struct inspector *in, uint32_t id, struct err *err)
{
	auto_free struct wanted *wanted = NULL;
	size_t n;

	if (!wants_memory(in))
		return 0;
	n = image_set_wanted(&in->images, id, &wanted);
	if (n == 0)
		in->missed = true;
	return read_wanted(in, wanted, n, err);
}

static int take_image(struct inspector *in, const struct archive_member *member, struct err *err)
{
	const char *name = member->name + strlen("checkpoint/");
	uint32_t id;
	size_t len;
	char *data;
	int r;

	in->report->size.total += member->size;
	if (pages_id(name, &id)) {
		in->report->size.pages += member->size;
		return take_pages(in, id, err);
	}
	if (str_has_prefix(name, "amdgpu-pages-"))
		in->report->size.gpu_pages += member->size;
	if (!wants_images(in) || !image_set_want(name))
		return 0;
	if (member->size > IMAGE_SET_BYTES_MAX - in->images.bytes)
		return err_set(err, ERR_INVALID, "inspect the archive: its images are too large");
	r = archive_reader_slurp(in->reader, IMAGE_MAX, &data, &len, err);
	if (r == 0)
		image_set_add(&in->images, name, data, len);
	return r;
}

static int take_member(struct inspector *in, const struct archive_member *member, struct err *err)
{
	struct archive_document *document;

	if (member->type != ARCHIVE_REGULAR)
		return 0;
	if (member->kind == ARCHIVE_ROOTFS_TAR)
		in->report->size.rootfs_diff = member->size;
	if (member->kind == ARCHIVE_CHECKPOINT)
		return take_image(in, member, err);
	if (member->kind >= ARCHIVE_DOCUMENT_MAX_)
		return 0;
	document = &in->documents.v[member->kind];
	return archive_reader_slurp(in->reader, JSON_TEXT_MAX, &document->text, &document->len,
				    err);
}

static int read_members(struct inspector *in, struct err *err)
{
	const struct archive_member *member;
	int r;

	while ((r = archive_reader_next(in->reader, &member, err)) > 0) {
		r = take_member(in, member, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* Once more, for memory that came too early. */
static int read_pages_again(struct inspector *in, struct err *err)
{
	const struct archive_member *member;
	uint32_t id;
	int r = archive_reader_rewind(in->reader, err);

	while (r == 0 && (r = archive_reader_next(in->reader, &member, err)) > 0) {
		r = 0;
		if (member->kind == ARCHIVE_CHECKPOINT && member->type == ARCHIVE_REGULAR &&
		    pages_id(member->name + strlen("checkpoint/"), &id))
			r = take_pages(in, id, err);
	}
	return r;
}

/* --- documents --- */

static char *copy(const char *s)
{
	return xstrdup(s ? s : "");
}

static char *copy_or_null(const char *s)
{
	return str_is_empty(s) ? NULL : xstrdup(s);
}

static const char *annotation(const struct runtime_spec *spec, const char *key)
{
	return json_string_map_get(&spec->annotations, key);
}

/* The container's name in CRI-O's annotation: {"name": "web", "attempt": 1}. */
static char *crio_name(const struct runtime_spec *spec)
{
	const char *text = annotation(spec, "io.kubernetes.cri-o.Metadata");
	auto_json struct json_object *value = text ? json_tokener_parse(text) : NULL;
	struct json_object *name = NULL;

	if (value && json_object_is_type(value, json_type_object))
		(void)json_object_object_get_ex(value, "name", &name);
	return copy(name ? json_object_get_string(name) : NULL);
}

static void take_identity(struct archive_report *report, const struct archive_config *config,
			  const struct runtime_spec *spec)
{
	enum archive_engine engine = archive_engine_of(&spec->annotations);
	const char *created = config->created_time;

	if (engine == ARCHIVE_ENGINE_CRIO) {
		report->container_name = crio_name(spec);
		report->ip = copy_or_null(annotation(spec, "io.kubernetes.cri-o.IP.0"));
		if (annotation(spec, "io.kubernetes.cri-o.Created"))
			created = annotation(spec, "io.kubernetes.cri-o.Created");
	} else if (engine == ARCHIVE_ENGINE_CONTAINERD) {
		report->container_name = copy(annotation(spec, "io.kubernetes.cri.container-name"));
	} else {
		report->container_name = copy(config->name);
	}
	report->image = copy(config->rootfs_image_name);
	report->id = copy(config->id);
	report->runtime = copy(config->runtime);
	report->created = copy(created);
	report->checkpointed = copy_or_null(config->checkpointed_time);
	/* Go's zero time: not known. */
	if (report->checkpointed && str_has_prefix(report->checkpointed, "0001-01-01T"))
		replace_ptr(report->checkpointed, NULL);
	report->engine = xstrdup(archive_engine_to_string(
		engine == ARCHIVE_ENGINE_UNKNOWN ? ARCHIVE_ENGINE_CONTAINERD : engine));
}

static void take_metadata(struct archive_report *report, const struct runtime_spec *spec)
{
	const char *pod = annotation(spec, "io.kubernetes.pod.name");
	const char *namespace = annotation(spec, "io.kubernetes.pod.namespace");
	struct report_metadata *m = xcalloc(1, sizeof(*m));

	if (!pod)
		pod = annotation(spec, "io.kubernetes.cri.sandbox-name");
	if (!namespace)
	namespace = annotation(spec, "io.kubernetes.cri.sandbox-namespace");
	m->pod_name = copy_or_null(pod);
	m->namespace = copy_or_null(namespace);
	json_string_map_set_all(&m->annotations, &spec->annotations);
	report->metadata = m;
}

static void take_mounts(struct archive_report *report, const struct runtime_spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		struct report_mount *mount = array_push(report->mounts, report->n_mounts);

		mount->destination = copy(spec->mounts[i].destination);
		mount->type = copy(spec->mounts[i].type);
		mount->source = copy(spec->mounts[i].source);
	}
}

static void take_interface(struct report_network *to, const struct network_status_interface *from)
{
	struct report_interface *f = array_push(to->interfaces, to->n_interfaces);

	f->name = copy(from->name);
	f->mac = copy_or_null(from->mac_address);
	for (size_t i = 0; i < from->n_subnets; i++) {
		char *ip = xstrdup(from->subnets[i].ipnet);

		ip[strcspn(ip, "/")] = '\0';
		replace_ptr(f->ip, f->ip ? xasprintf("%s, %s", f->ip, ip) : xstrdup(ip));
		free(ip);
		if (!f->gateway)
			f->gateway = copy_or_null(from->subnets[i].gateway);
	}
}

static int take_networks(struct inspector *in, const struct archive_config *config, struct err *err)
{
	const struct archive_document *document = &in->documents.v[ARCHIVE_NETWORK_STATUS];
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	int r = archive_network_status_parse(&status, document->text, document->len,
					     config->network_names, config->n_network_names, err);

	for (size_t i = 0; r == 0 && i < status.n; i++) {
		struct report_network *to =
			array_push(in->report->networks, in->report->n_networks);

		to->name = copy(status.v[i].network);
		for (size_t k = 0; k < status.v[i].n_interfaces; k++)
			take_interface(to, &status.v[i].interfaces[k]);
	}
	/* The first one is the container's, for whoever wants one. */
	if (in->report->n_networks > 0 && in->report->networks[0].n_interfaces > 0) {
		if (!in->report->ip)
			in->report->ip = copy_or_null(in->report->networks[0].interfaces[0].ip);
		in->report->mac = copy_or_null(in->report->networks[0].interfaces[0].mac);
	}
	return r;
}

static int take_statistics(struct inspector *in, struct err *err)
{
	const struct archive_document *document = &in->documents.v[ARCHIVE_STATS];
	struct report_statistics *to;
	struct criu_stats stats;
	int r;

	if (!document->text)
		return 0;
	r = criu_stats_decode(&stats, document->text, document->len, "stats-dump", err);
	if (r < 0)
		return r;
	to = xcalloc(1, sizeof(*to));
	*to = (struct report_statistics){
		stats.dump.freezing_time, stats.dump.frozen_time,   stats.dump.memdump_time,
		stats.dump.memwrite_time, stats.dump.pages_scanned, stats.dump.pages_written,
	};
	in->report->statistics = to;
	return 0;
}

static int take_documents(struct inspector *in, struct err *err)
{
	const struct archive_document *config_text = &in->documents.v[ARCHIVE_CONFIG];
	const struct archive_document *spec_text = &in->documents.v[ARCHIVE_SPEC];
	auto_archive_config struct archive_config config = { 0 };
	struct runtime_spec spec;
	int r;

	if (!config_text->text || !spec_text->text)
		return err_set(err, ERR_INVALID, "the archive is no checkpoint: it has no '%s'",
			       config_text->text ? "spec.dump" : "config.dump");
	r = archive_config_parse(&config, config_text->text, config_text->len, "config.dump", err);
	if (r < 0) {
		config = (struct archive_config){ 0 };
		return r;
	}
	r = json_decode(&runtime_spec_desc, &spec, spec_text->text, spec_text->len, "spec.dump",
			err);
	if (r < 0)
		return r;
	take_identity(in->report, &config, &spec);
	if (in->flags & ARCHIVE_INSPECT_METADATA)
		take_metadata(in->report, &spec);
	if (in->flags & ARCHIVE_INSPECT_MOUNTS)
		take_mounts(in->report, &spec);
	runtime_spec_done(&spec);
	r = take_networks(in, &config, err);
	if (r == 0 && (in->flags & ARCHIVE_INSPECT_STATS))
		r = take_statistics(in, err);
	return r;
}

static int take_processes(struct inspector *in, struct err *err)
{
	int r;

	/* An archive of a pre-dump has memory only. */
	if (!wants_images(in) || in->images.n == 0)
		return 0;
	if (in->missed && archive_reader_can_rewind(in->reader)) {
		r = read_pages_again(in, err);
		if (r < 0)
			return r;
	}
	r = image_set_load_processes(&in->images, err);
	if (r < 0)
		return r;
	in->report->process_tree = image_set_process_tree(&in->images, in->flags, err);
	if (!in->report->process_tree)
		return err_is_set(err) ? err->code : -EBADMSG;
	if (in->flags & ARCHIVE_INSPECT_FILES)
		image_set_files(&in->images, in->report);
	if (in->flags & ARCHIVE_INSPECT_SOCKETS)
		image_set_sockets(&in->images, in->report);
	return 0;
}

int archive_inspect(struct archive_report **ret, struct archive_reader *reader, unsigned int flags,
		    struct err *err)
{
	auto_archive_report struct archive_report *report = xcalloc(1, sizeof(*report));
	struct inspector in = { .reader = reader, .flags = flags, .report = report };
	int r = read_members(&in, err);

	if (r == 0)
		r = take_documents(&in, err);
	if (r == 0)
		r = take_processes(&in, err);
	archive_documents_done(&in.documents);
	image_set_done(&in.images);
	if (r < 0)
		return r;
	*ret = take_ptr(report);
	return 0;
}
