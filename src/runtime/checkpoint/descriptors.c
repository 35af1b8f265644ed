/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/descriptors.h"

#include <json_object.h>
#include <json_tokener.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/strbuf.h"

/* Three paths with room to spare. */
#define TEXT_MAX ((size_t)64 << 10)

static void json_object_cleanup(struct json_object **o)
{
	json_object_put(*o);
}

/* By json-c's strict mode; the reason of a failure, or NULL. A null document is a NULL value. */
static const char *parse_text(const char *text, size_t len, struct json_object **ret)
{
	struct json_tokener *tokener = json_tokener_new_ex(4);
	enum json_tokener_error e;

	if (!tokener)
		return "out of memory";
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*ret = json_tokener_parse_ex(tokener, text, (int)len);
	e = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	if (e == json_tokener_success)
		return NULL;
	return e == json_tokener_continue ? "unexpected end" : json_tokener_error_desc(e);
}

int descriptors_parse(struct descriptors *ret, const char *text, size_t len, struct err *err)
{
	auto_cleanup(json_object_cleanup) struct json_object *list = NULL;
	auto_descriptors struct descriptors d = DESCRIPTORS_INIT;
	const char *reason;

	if (len > TEXT_MAX)
		return err_set(err, ERR_CORRUPT, "read '%s': too large", DESCRIPTORS_FILE);
	/* A tokener that has seen a whole value without the end of the text waits for more. */
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	reason = parse_text(text, len, &list);
	if (reason)
		return err_set(err, ERR_CORRUPT, "read '%s': %s", DESCRIPTORS_FILE, reason);
	if (!json_object_is_type(list, json_type_array) ||
	    json_object_array_length(list) != DESCRIPTORS_COUNT)
		return err_set(err, ERR_CORRUPT, "read '%s': expected a list of %d strings",
			       DESCRIPTORS_FILE, DESCRIPTORS_COUNT);
	for (size_t i = 0; i < DESCRIPTORS_COUNT; i++) {
		struct json_object *s = json_object_array_get_idx(list, i);
		const char *v =
			json_object_is_type(s, json_type_string) ? json_object_get_string(s) : NULL;

		if (!v || strlen(v) != (size_t)json_object_get_string_len(s))
			return err_set(err, ERR_CORRUPT, "read '%s': [%zu]: expected a string",
				       DESCRIPTORS_FILE, i);
		d.v[i] = xstrdup(v);
	}
	*ret = d;
	d = (struct descriptors)DESCRIPTORS_INIT;
	return 0;
}

int descriptors_load(struct descriptors *ret, int images_dir_fd, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(images_dir_fd, DESCRIPTORS_FILE, TEXT_MAX, &text);

	if (r == -ENOENT)
		return err_set(err, ERR_CORRUPT,
			       "'%s' is missing: this is not the image of a container's checkpoint "
			       "(a pre-dump has none)",
			       DESCRIPTORS_FILE);
	if (r < 0)
		return err_sys(err, r, "read '%s'", DESCRIPTORS_FILE);
	return descriptors_parse(ret, text.buf, text.len, err);
}

char *descriptors_format(const struct descriptors *descriptors)
{
	auto_cleanup(json_object_cleanup) struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < DESCRIPTORS_COUNT; i++)
		json_object_array_add(list, json_object_new_string(descriptors->v[i]));
	return xstrdup(json_object_to_json_string_ext(
		list, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

int descriptors_save(const struct descriptors *descriptors, int images_dir_fd, struct err *err)
{
	auto_free char *text = descriptors_format(descriptors);
	int r = fs_write_atomic(images_dir_fd, DESCRIPTORS_FILE, text, strlen(text), 0600,
				FS_VOLATILE);

	return r < 0 ? err_sys(err, r, "write '%s'", DESCRIPTORS_FILE) : 0;
}

int descriptors_remove(int images_dir_fd, struct err *err)
{
	if (unlinkat(images_dir_fd, DESCRIPTORS_FILE, 0) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "remove '%s' of an earlier checkpoint",
			       DESCRIPTORS_FILE);
	return 0;
}

void descriptors_done(struct descriptors *descriptors)
{
	for (size_t i = 0; i < DESCRIPTORS_COUNT; i++)
		replace_ptr(descriptors->v[i], NULL);
}

void descriptors_add_to_restore(const struct descriptors *descriptors, CriuOpts *opts)
{
	for (size_t i = 0; i < DESCRIPTORS_COUNT; i++)
		if (strstr(descriptors->v[i], "pipe:"))
			criu_opts_add_inherit_fd(opts, descriptors->v[i], (int)i);
}
