/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/image_spec.h"

#define T struct image_platform
JSON_DESC_STATIC(platform_desc, T, F_STRING(T, architecture, "architecture", JSON_ALWAYS),
		 F_STRING(T, os, "os", JSON_ALWAYS), F_STRING(T, os_version, "os.version", 0),
		 F_STRING(T, variant, "variant", 0), F_EXTRA(T, extra));
#undef T

#define T struct image_descriptor
JSON_DESC(image_descriptor_desc, T, F_STRING(T, media_type, "mediaType", JSON_ALWAYS),
	  F_STRING(T, digest, "digest", JSON_REQUIRED), F_I64(T, size, "size", JSON_ALWAYS),
	  F_STRINGS(T, urls, "urls", 0), F_STRING_MAP(T, annotations, "annotations", 0),
	  F_OBJECT_PTR(T, platform, struct image_platform, "platform", 0, platform_desc),
	  F_EXTRA(T, extra));
#undef T

#define T struct image_manifest
JSON_DESC(image_manifest_desc, T, F_INT(T, schema_version, "schemaVersion", JSON_ALWAYS),
	  F_STRING(T, media_type, "mediaType", 0), F_STRING(T, artifact_type, "artifactType", 0),
	  F_OBJECT(T, config, struct image_descriptor, "config", JSON_REQUIRED,
		   image_descriptor_desc),
	  F_OBJECTS(T, layers, struct image_descriptor, "layers", JSON_ALWAYS,
		    image_descriptor_desc),
	  F_STRING_MAP(T, annotations, "annotations", 0), F_EXTRA(T, extra));
#undef T

#define T struct image_index
JSON_DESC(image_index_desc, T, F_INT(T, schema_version, "schemaVersion", JSON_ALWAYS),
	  F_STRING(T, media_type, "mediaType", 0),
	  F_OBJECTS(T, manifests, struct image_descriptor, "manifests", JSON_ALWAYS,
		    image_descriptor_desc),
	  F_STRING_MAP(T, annotations, "annotations", 0), F_EXTRA(T, extra));
#undef T

#define T struct image_healthcheck
JSON_DESC_STATIC(healthcheck_desc, T, F_STRINGS(T, test, "Test", 0),
		 F_I64(T, interval, "Interval", 0), F_I64(T, timeout, "Timeout", 0),
		 F_I64(T, start_period, "StartPeriod", 0),
		 F_I64(T, start_interval, "StartInterval", 0), F_INT(T, retries, "Retries", 0));
#undef T

#define T struct image_process
JSON_DESC(image_process_desc, T, F_STRING(T, user, "User", 0),
	  F_RAW(T, exposed_ports, "ExposedPorts", 0), F_STRINGS(T, env, "Env", 0),
	  F_STRINGS(T, entrypoint, "Entrypoint", 0), F_STRINGS(T, cmd, "Cmd", 0),
	  F_RAW(T, volumes, "Volumes", 0), F_STRING(T, working_dir, "WorkingDir", 0),
	  F_STRING_MAP(T, labels, "Labels", 0), F_STRING(T, stop_signal, "StopSignal", 0),
	  F_OBJECT_PTR(T, healthcheck, struct image_healthcheck, "Healthcheck", 0,
		       healthcheck_desc),
	  F_STRINGS(T, on_build, "OnBuild", 0), F_STRINGS(T, shell, "Shell", 0), F_EXTRA(T, extra));
#undef T

#define T struct image_rootfs
JSON_DESC_STATIC(rootfs_desc, T, F_STRING(T, type, "type", JSON_ALWAYS),
		 F_STRINGS(T, diff_ids, "diff_ids", JSON_ALWAYS));
#undef T

#define T struct image_history
JSON_DESC_STATIC(history_desc, T, F_STRING(T, created, "created", 0),
		 F_STRING(T, created_by, "created_by", 0), F_STRING(T, author, "author", 0),
		 F_STRING(T, comment, "comment", 0), F_BOOL(T, empty_layer, "empty_layer", 0));
#undef T

#define T struct image_config
JSON_DESC(image_config_desc, T, F_STRING(T, created, "created", 0),
	  F_STRING(T, author, "author", 0), F_STRING(T, architecture, "architecture", JSON_ALWAYS),
	  F_STRING(T, os, "os", JSON_ALWAYS), F_STRING(T, os_version, "os.version", 0),
	  F_STRING(T, variant, "variant", 0),
	  F_OBJECT(T, config, struct image_process, "config", JSON_ALWAYS, image_process_desc),
	  F_OBJECT(T, rootfs, struct image_rootfs, "rootfs", JSON_ALWAYS, rootfs_desc),
	  F_OBJECTS(T, history, struct image_history, "history", 0, history_desc),
	  F_EXTRA(T, extra));
#undef T
