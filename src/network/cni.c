/* SPDX-License-Identifier: Apache-2.0 */
#include "network/cni.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/capture.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/json_auto.h"
#include "core/log.h"
#include "core/program.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "network/cni_document.h"
#include "network/config.h"

#define PLUGIN_PATH                                                                                \
	"/usr/local/libexec/cni:/usr/libexec/cni:/usr/local/lib/cni:/usr/lib/cni:/opt/cni/bin"
#define CONFIG_MAX (1U << 20)
#define TIMEOUT_MS 120000
/* Of a file that says none. */
#define VERSION_DEFAULT "0.1.0"

void cni_network_done(struct cni_network *network)
{
	free(network->name);
	free(network->version);
	(void)json_object_put(network->plugins);
	(void)json_object_put(network->args);
	*network = (struct cni_network)CNI_NETWORK_INIT;
}

/* ---- configuration files ---- */

static const char *get_string(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_string) ?
		       json_object_get_string(value) :
		       NULL;
}

static struct json_object *plugins_of(struct json_object *document)
{
	struct json_object *plugins;

	if (json_object_object_get_ex(document, "plugins", &plugins))
		return json_object_is_type(plugins, json_type_array) ? json_object_get(plugins) :
								       NULL;
	if (!get_string(document, "type"))
		return NULL;
	/* A single plugin stands for a list of one. */
	plugins = json_object_new_array();
	(void)json_object_array_add(plugins, json_object_get(document));
	return plugins;
}

/* A plugin's type is the name of a program in a directory of plugins, never a path. */
static int check_plugins(const struct cni_network *network, struct err *err)
{
	size_t n = json_object_array_length(network->plugins);

	for (size_t i = 0; i < n; i++) {
		const char *type =
			get_string(json_object_array_get_idx(network->plugins, i), "type");

		if (str_is_empty(type) || strchr(type, '/') || *type == '.')
			return err_set(err, ERR_INVALID, "plugins[%zu].type: '%s' is not a name", i,
				       type ? type : "");
	}
	return n ? 0 : err_set(err, ERR_INVALID, "plugins: the list is empty");
}

int cni_network_parse(struct cni_network *ret, const char *text, struct err *err)
{
	auto_json struct json_object *document = json_tokener_parse(text);
	auto_cni_network struct cni_network network = CNI_NETWORK_INIT;
	struct json_object *args;
	int r;

	if (!document || !json_object_is_type(document, json_type_object))
		return err_set(err, ERR_INVALID, "not a JSON object");
	network.name = xstrdup(get_string(document, "name"));
	network.version = xstrdup(get_string(document, "cniVersion"));
	if (!network.version)
		network.version = xstrdup(VERSION_DEFAULT);
	network.plugins = plugins_of(document);
	if (json_object_object_get_ex(document, "args", &args))
		network.args = json_object_get(args);
	if (!network.name || !network.plugins)
		return err_set(err, ERR_INVALID, "it has no 'name' or no 'plugins'");
	r = network_name_check(network.name, err);
	if (r == 0)
		r = check_plugins(&network, err);
	if (r < 0)
		return r;
	*ret = network;
	network = (struct cni_network)CNI_NETWORK_INIT;
	return 0;
}

static int load_file(struct cni_network *ret, const char *dir, const char *name, struct err *err)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(AT_FDCWD, path, CONFIG_MAX, &text);

	return r < 0 ? err_sys(err, r, "read") : cni_network_parse(ret, text.buf, err);
}

/* As podman has it when there is no file, with a bridge of its own: netavark's may be there as well. */
static int make_default(struct cni_network *ret, const struct network_dir *defaults,
			struct err *err)
{
	auto_network struct network n = NETWORK_INIT;
	auto_free char *text = NULL;
	int r = network_make_default(&n, defaults, err);

	if (r == 0)
		r = network_name_check(n.name, err);
	if (r < 0)
		return r;
	text = xasprintf("{\"cniVersion\":\"0.4.0\",\"name\":\"%s\",\"plugins\":["
			 "{\"type\":\"bridge\",\"bridge\":\"" NETWORK_CNI_DEFAULT_BRIDGE
			 "\",\"isGateway\":true,"
			 "\"ipMasq\":true,\"hairpinMode\":true,\"capabilities\":{\"ips\":true},"
			 "\"ipam\":{\"type\":\"host-local\",\"routes\":[{\"dst\":\"%s\"}],"
			 "\"ranges\":[[{\"subnet\":\"%s\",\"gateway\":\"%s\"}]]}},"
			 "{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true}},"
			 "{\"type\":\"firewall\"},{\"type\":\"tuning\"}]}",
			 n.name, strchr(n.subnets[0].subnet, ':') ? "::/0" : "0.0.0.0/0",
			 n.subnets[0].subnet, n.subnets[0].gateway);
	return cni_network_parse(ret, text, err);
}

bool cni_is_config(const char *name)
{
	return name[0] != '.' && (str_has_suffix(name, ".conflist") ||
				  str_has_suffix(name, ".conf") || str_has_suffix(name, ".json"));
}

/* By name: what the file is called does not matter. Files in the order of their names, as libcni has it. ERR_NOT_FOUND. */
static int find_network(struct cni_network *ret, const struct cni *cni, const char *name,
			struct err *err)
{
	auto_strvec struct strvec files = STRVEC_INIT;
	int r = fs_list(AT_FDCWD, cni->config_dir, &files);

	if (r < 0 && r != -ENOENT)
		return err_sys(err, r, "read network directory '%s'", cni->config_dir);
	for (size_t i = 0; i < files.n; i++) {
		auto_cni_network struct cni_network network = CNI_NETWORK_INIT;
		struct err why = ERR_INIT;

		if (!cni_is_config(files.v[i]))
			continue;
		if (load_file(&network, cni->config_dir, files.v[i], &why) < 0) {
			log_warning("network file '%s/%s' is left out: %s", cni->config_dir,
				    files.v[i], why.msg);
		} else if (str_eq(network.name, name)) {
			*ret = network;
			network = (struct cni_network)CNI_NETWORK_INIT;
			return 0;
		}
	}
	if (cni->defaults && str_eq(name, network_default_name(cni->defaults)))
		return make_default(ret, cni->defaults, err);
	return err_set(err, ERR_NOT_FOUND, "it does not exist: no file in '%s' has this name",
		       cni->config_dir);
}

/* ---- plugins ---- */

/* One attachment on its way. */
struct operation {
	const struct cni *cni;
	const struct network_request *request;
	const struct network_attachment *attachment;
	const char *netns_path;
	struct cni_network network;
};

static void operation_done(struct operation *op)
{
	cni_network_done(&op->network);
}
DEFINE_AUTO_VAL(operation, struct operation, operation_done)
#define auto_operation auto_cleanup(operation_cleanup_val)

static const char *plugin_path(const struct cni *cni)
{
	return cni->plugin_path ? cni->plugin_path : PLUGIN_PATH;
}

static char *find_in(const char *path, const char *type)
{
	auto_strvec struct strvec directories = STRVEC_INIT;

	strvec_split(&directories, path, ':', false);
	return program_in((const char *const *)directories.v, directories.n, type);
}

static char *find_plugin(const struct cni *cni, const char *type)
{
	return find_in(plugin_path(cni), type);
}

bool cni_has_plugin(const char *path, const char *type)
{
	auto_free char *found = find_in(path ? path : PLUGIN_PATH, type);

	return found != NULL;
}

static void make_environment(const struct operation *op, const char *command, struct strvec *ret)
{
	const char *path = getenv("PATH");
	auto_free char *args = cni_args(op->request, op->attachment);

	strvec_addf(ret, "CNI_COMMAND=%s", command);
	strvec_addf(ret, "CNI_CONTAINERID=%s", op->request->container_id);
	strvec_addf(ret, "CNI_NETNS=%s", op->netns_path ? op->netns_path : "");
	strvec_addf(ret, "CNI_IFNAME=%s", op->attachment->interface_name);
	strvec_addf(ret, "CNI_ARGS=%s", args);
	strvec_addf(ret, "CNI_PATH=%s", plugin_path(op->cni));
	strvec_addf(ret, "PATH=%s", path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
}

/* Its own words: {"code": 11, "msg": "...", "details": "..."} on stdout. */
static int fail(const char *type, const struct capture *exec, int status, struct err *err)
{
	auto_json struct json_object *said = json_tokener_parse(exec->output.buf);
	bool is_object = said && json_object_is_type(said, json_type_object);
	const char *text = is_object ? get_string(said, "msg") : NULL;
	const char *details = is_object ? get_string(said, "details") : NULL;

	if (str_is_empty(text))
		text = exec->messages.len ? exec->messages.buf : "failed without a word";
	return err_set(err, ERR_REMOTE, "plugin '%s' (exit status %d): %.*s%s%s", type, status,
		       (int)strcspn(text, "\n"), text, str_is_empty(details) ? "" : ": ",
		       details ? details : "");
}

/* *ret_result (may be NULL) is owned by the caller; NULL when the plugin said nothing. */
static int run_plugin(const struct operation *op, size_t i, const char *command,
		      struct json_object *previous, struct json_object **ret_result,
		      struct err *err)
{
	auto_json struct json_object *input =
		cni_plugin_input(&op->network, i, op->request, op->attachment, previous);
	auto_capture struct capture exec = CAPTURE_INIT;
	auto_strvec struct strvec environment = STRVEC_INIT;
	const char *type = get_string(json_object_array_get_idx(op->network.plugins, i), "type");
	auto_free char *path = find_plugin(op->cni, type);
	int r;

	if (!path)
		return err_set(err, ERR_NOT_FOUND,
			       "plugin '%s' is in none of '%s'; install it (Debian: "
			       "containernetworking-plugins)",
			       type, plugin_path(op->cni));
	make_environment(op, command, &environment);
	exec.argv = (char *[]){ path, NULL };
	exec.envp = environment.v;
	exec.input = json_object_to_json_string_ext(input, JSON_C_TO_STRING_PLAIN);
	exec.timeout_ms = TIMEOUT_MS;
	log_debug("cni %s %s: %s", command, type, exec.input);
	r = capture_run(&exec, err);
	if (r > 0)
		return fail(type, &exec, r, err);
	if (r == 0 && ret_result)
		*ret_result = json_tokener_parse(exec.output.buf);
	return r;
}

/* ---- the result that was, for the deletion ---- */

static char *cache_name(const struct operation *op)
{
	return xasprintf("%s-%s-%s", op->attachment->network, op->request->container_id,
			 op->attachment->interface_name);
}

static char *cache_directory(const struct operation *op)
{
	return xasprintf("%s/results", op->cni->cache_dir);
}

/* The list as a document, in base64 as Go writes bytes. */
static char *encode_network(const struct cni_network *network)
{
	auto_json struct json_object *document = json_object_new_object();
	auto_strbuf struct strbuf encoded = STRBUF_INIT;
	const char *text;

	(void)json_object_object_add(document, "cniVersion",
				     json_object_new_string(network->version));
	(void)json_object_object_add(document, "name", json_object_new_string(network->name));
	(void)json_object_object_add(document, "plugins", json_object_get(network->plugins));
	text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN);
	base64_encode(text, strlen(text), &encoded);
	return strbuf_take(&encoded);
}

static int keep_result(const struct operation *op, struct json_object *result, struct err *err)
{
	auto_free char *directory = cache_directory(op);
	auto_free char *name = cache_name(op);
	auto_free char *config = encode_network(&op->network);
	auto_json struct json_object *entry = json_object_new_object();
	auto_close int dir_fd = -EBADF;
	const char *text;
	int r = fs_mkdir_all(AT_FDCWD, directory, 0700, 0700);

	(void)json_object_object_add(entry, "kind", json_object_new_string("cniCacheV1"));
	(void)json_object_object_add(entry, "containerId",
				     json_object_new_string(op->request->container_id));
	(void)json_object_object_add(entry, "config", json_object_new_string(config));
	(void)json_object_object_add(entry, "ifName",
				     json_object_new_string(op->attachment->interface_name));
	(void)json_object_object_add(entry, "networkName",
				     json_object_new_string(op->network.name));
	(void)json_object_object_add(entry, "result", json_object_get(result));
	text = json_object_to_json_string_ext(entry, JSON_C_TO_STRING_PLAIN);
	if (r == 0)
		r = dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == -1)
		r = -errno;
	if (r >= 0)
		r = fs_write_atomic(dir_fd, name, text, strlen(text), 0600, FS_VOLATILE);
	return r < 0 ? err_sys(err, r, "keep the result of network '%s' in '%s'", op->network.name,
			       directory) :
		       0;
}

/* NULL when there is none. */
static struct json_object *kept(const struct operation *op)
{
	auto_free char *directory = cache_directory(op);
	auto_free char *name = cache_name(op);
	auto_free char *path = xasprintf("%s/%s", directory, name);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json struct json_object *entry = NULL;

	if (io_read_file_at(AT_FDCWD, path, CONFIG_MAX, &text) < 0)
		return NULL;
	entry = json_tokener_parse(text.buf);
	return entry && json_object_is_type(entry, json_type_object) ? take_ptr(entry) : NULL;
}

static struct json_object *kept_result(const struct operation *op)
{
	auto_json struct json_object *entry = kept(op);
	struct json_object *result;

	return entry && json_object_object_get_ex(entry, "result", &result) ?
		       json_object_get(result) :
		       NULL;
}

/* The list that the attachment was made with. */
static int find_kept_network(struct operation *op)
{
	auto_json struct json_object *entry = kept(op);
	const char *config = entry ? get_string(entry, "config") : NULL;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = config ? base64_decode(config, &text) : -ENOENT;

	return r < 0 ? r : cni_network_parse(&op->network, text.buf, NULL);
}

static void forget_result(const struct operation *op)
{
	auto_free char *directory = cache_directory(op);
	auto_free char *name = cache_name(op);
	auto_free char *path = xasprintf("%s/%s", directory, name);

	(void)unlink(path);
}

/* ---- one network ---- */

static void operation_init(struct operation *ret, const struct cni *cni,
			   const struct network_request *request, size_t i, const char *netns_path)
{
	*ret = (struct operation){ .cni = cni,
				   .request = request,
				   .attachment = &request->attachments[i],
				   .netns_path = netns_path };
}

/* All plugins, in reverse, whatever fails. */
static int delete (struct operation *op, struct err *err)
{
	auto_json struct json_object *result = kept_result(op);
	int first = 0;

	if (!op->network.plugins && find_kept_network(op) < 0)
		first = find_network(&op->network, op->cni, op->attachment->network, err);
	if (first < 0)
		return first;
	for (size_t i = json_object_array_length(op->network.plugins); i-- > 0;) {
		int r = run_plugin(op, i, "DEL", result, NULL, first ? NULL : err);

		if (first == 0)
			first = r;
	}
	if (first == 0)
		forget_result(op);
	return first;
}

/* What no plugin understands is passed over by the specification; who asked for ports shall know. */
static void warn_of_ports(const struct operation *op)
{
	size_t n = json_object_array_length(op->network.plugins);

	for (size_t i = 0; i < n; i++)
		if (cni_declares(json_object_array_get_idx(op->network.plugins, i), "portMappings"))
			return;
	if (op->request->ports.n)
		log_warning("network '%s' publishes no ports: none of its plugins has the "
			    "capability portMappings; add one of type portmap",
			    op->network.name);
}

static int add(struct operation *op, struct network_status *ret, struct err *err)
{
	auto_json struct json_object *result = NULL;
	struct network_status_entry entry;
	int r = find_network(&op->network, op->cni, op->attachment->network, err);
	size_t n = r < 0 ? 0 : json_object_array_length(op->network.plugins);

	if (r < 0)
		return r;
	warn_of_ports(op);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct json_object *next = NULL;

		r = run_plugin(op, i, "ADD", result, &next, err);
		if (next) {
			(void)json_object_put(result);
			result = next;
		}
	}
	if (r == 0 && !result)
		r = err_set(err, ERR_REMOTE, "no plugin said what it made");
	if (r == 0)
		r = keep_result(op, result, err);
	if (r == 0)
		r = cni_result_to_status(result, op->network.name, &entry, err);
	if (r < 0) {
		(void)delete (op, NULL);
		return r;
	}
	*array_push(ret->v, ret->n) = entry;
	return 0;
}

int cni_setup(const struct cni *cni, const struct network_request *request, const char *netns_path,
	      struct network_status *ret, struct err *err)
{
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < request->n_attachments; i++) {
		auto_operation struct operation op = { 0 };

		operation_init(&op, cni, request, i, netns_path);
		r = add(&op, &status, err);
		if (r < 0)
			r = err_wrap(err, r, "network '%s'", request->attachments[i].network);
	}
	if (r < 0) {
		/* The last one has cleaned up behind itself. */
		while (i-- > 1) {
			auto_operation struct operation op = { 0 };

			operation_init(&op, cni, request, i - 1, netns_path);
			(void)delete (&op, NULL);
		}
		return r;
	}
	network_status_append(ret, &status);
	return 0;
}

int cni_teardown(const struct cni *cni, const struct network_request *request,
		 const char *netns_path, struct err *err)
{
	int first = 0;

	for (size_t i = request->n_attachments; i-- > 0;) {
		auto_operation struct operation op = { 0 };
		struct err *where = first ? NULL : err;
		int r;

		operation_init(&op, cni, request, i, netns_path);
		r = delete (&op, where);
		if (r < 0)
			r = err_wrap(where, r, "network '%s'", request->attachments[i].network);
		if (first == 0)
			first = r;
	}
	return first;
}
