/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "core/strbuf.h"

CriuReq *criu_message_new(CriuReqType type, bool with_opts)
{
	CriuReq *req = xmalloc(sizeof(*req));

	criu_req__init(req);
	req->type = type;
	if (with_opts) {
		req->opts = xmalloc(sizeof(*req->opts));
		criu_opts__init(req->opts);
		req->opts->images_dir_fd = -1;
	}
	return req;
}

void criu_message_free(CriuReq *req)
{
	/* Everything in it comes from malloc, as if it had been unpacked. */
	if (req)
		criu_req__free_unpacked(req, NULL);
}

void criu_opts_set_string(char **field, const char *value)
{
	replace_ptr(*field, xstrdup(value));
}

void criu_opts_set_page_server(CriuOpts *opts, const char *address, int port)
{
	if (!opts->ps) {
		opts->ps = xmalloc(sizeof(*opts->ps));
		criu_page_server_info__init(opts->ps);
	}
	criu_opts_set_string(&opts->ps->address, address);
	CRIU_SET(opts->ps, port, port);
}

void criu_opts_add_external(CriuOpts *opts, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*array_push(opts->external, opts->n_external) = xvasprintf(fmt, ap);
	va_end(ap);
}

void criu_opts_add_ext_mount(CriuOpts *opts, const char *key, const char *value)
{
	CriuExtMount *m;

	for (size_t i = 0; i < opts->n_ext_mnt; i++)
		if (str_eq(opts->ext_mnt[i]->key, key) && str_eq(opts->ext_mnt[i]->val, value))
			return;
	m = xmalloc(sizeof(*m));
	criu_ext_mount__init(m);
	m->key = xstrdup(key);
	m->val = xstrdup(value);
	*array_push(opts->ext_mnt, opts->n_ext_mnt) = m;
}

void criu_opts_add_inherit_fd(CriuOpts *opts, const char *key, int fd)
{
	CriuInheritFd *inherit = xmalloc(sizeof(*inherit));

	criu_inherit_fd__init(inherit);
	inherit->key = xstrdup(key);
	inherit->fd = fd;
	*array_push(opts->inherit_fd, opts->n_inherit_fd) = inherit;
}

void criu_opts_add_join_ns(CriuOpts *opts, const char *type, const char *path)
{
	CriuJoinNs *join = xmalloc(sizeof(*join));

	criu_join_ns__init(join);
	join->ns = xstrdup(type);
	join->ns_file = xstrdup(path);
	*array_push(opts->join_ns, opts->n_join_ns) = join;
}

void criu_opts_add_cgroup_root(CriuOpts *opts, const char *ctrl, const char *path)
{
	CriuCgroupRoot *root = xmalloc(sizeof(*root));

	criu_cgroup_root__init(root);
	root->ctrl = xstrdup(ctrl);
	root->path = xstrdup(path);
	*array_push(opts->cg_root, opts->n_cg_root) = root;
}

const char *criu_type_to_string(CriuReqType type)
{
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value(&criu_req_type__descriptor, (int)type);

	return value ? value->name : "UNKNOWN";
}

static void add_message(struct strbuf *sb, const char *prefix, const ProtobufCMessage *message);

static void add_value(struct strbuf *sb, const char *prefix, const ProtobufCFieldDescriptor *field,
		      const void *value)
{
	const ProtobufCEnumValue *name;

	if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		auto_free char *deeper = xasprintf("%s%s.", prefix, field->name);

		add_message(sb, deeper, *(ProtobufCMessage *const *)value);
		return;
	}
	strbuf_addf(sb, "%s%s: ", prefix, field->name);
	/* Only the types that our messages have. */
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		strbuf_adds(sb, *(char *const *)value);
	} else if (field->type == PROTOBUF_C_TYPE_BOOL) {
		strbuf_adds(sb, *(const protobuf_c_boolean *)value ? "true" : "false");
	} else if (field->type == PROTOBUF_C_TYPE_UINT32) {
		strbuf_addf(sb, "%" PRIu32, *(const uint32_t *)value);
	} else if (field->type == PROTOBUF_C_TYPE_UINT64) {
		strbuf_addf(sb, "%" PRIu64, *(const uint64_t *)value);
	} else if (field->type == PROTOBUF_C_TYPE_ENUM) {
		name = protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value);
		strbuf_adds(sb, name ? name->name : "?");
	} else {
		strbuf_addf(sb, "%" PRId32, *(const int32_t *)value);
	}
	strbuf_addc(sb, '\n');
}

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return sizeof(void *);
	if (field->type == PROTOBUF_C_TYPE_UINT64)
		return sizeof(uint64_t);
	return field->type == PROTOBUF_C_TYPE_BOOL ? sizeof(protobuf_c_boolean) : sizeof(int32_t);
}

static bool value_is_present(const ProtobufCFieldDescriptor *field, const char *base)
{
	const void *value = base + field->offset;

	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)value && *(void *const *)value != field->default_value;
	return field->label == PROTOBUF_C_LABEL_REQUIRED ||
	       *(const protobuf_c_boolean *)(base + field->quantifier_offset);
}

static void add_message(struct strbuf *sb, const char *prefix, const ProtobufCMessage *message)
{
	const char *base = (const char *)message;

	for (unsigned int i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			size_t n = *(const size_t *)(base + field->quantifier_offset);
			const char *values = *(const char *const *)(base + field->offset);

			for (size_t k = 0; k < n; k++)
				add_value(sb, prefix, field, values + k * value_size(field));
		} else if (value_is_present(field, base)) {
			add_value(sb, prefix, field, base + field->offset);
		}
	}
}

char *criu_message_to_text(const ProtobufCMessage *message)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	add_message(&sb, "", message);
	return strbuf_take(&sb);
}
