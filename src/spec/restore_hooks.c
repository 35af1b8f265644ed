/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/restore_hooks.h"

#include "core/alloc.h"
#include "core/json_table.h"
#include "core/str.h"
#include "spec/validate_parts.h"

JSON_DESC_STATIC(restore_hooks_desc, struct restore_hooks,
		 F_OBJECTS(struct restore_hooks, post_restore, struct oci_hook, "post-restore", 0,
			   oci_hook_desc));

static int decode(struct restore_hooks *ret, const char *list, struct err *err)
{
	/* The decoder wants an object; its name becomes the first part of the path in errors. */
	auto_free char *text = xasprintf("{\"post-restore\":%s}", list);

	return json_decode(&restore_hooks_desc, ret, text, strlen(text),
			   "annotation '" ANNOTATION_POST_RESTORE "'", err);
}

int restore_hooks_parse(struct restore_hooks *ret, const struct runtime_spec *spec, struct err *err)
{
	auto_restore_hooks struct restore_hooks hooks = RESTORE_HOOKS_INIT;
	const char *list = runtime_spec_annotation(spec, ANNOTATION_POST_RESTORE);
	int r = str_is_empty(list) ? 0 : decode(&hooks, list, err);

	if (r == 0)
		r = validate_hook_list(hooks.post_restore, hooks.n_post_restore, "post-restore",
				       err);
	if (r < 0)
		return r;
	*ret = hooks;
	hooks = (struct restore_hooks)RESTORE_HOOKS_INIT;
	return 0;
}

void restore_hooks_done(struct restore_hooks *hooks)
{
	json_done(&restore_hooks_desc, hooks);
}
