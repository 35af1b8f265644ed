/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of images: the OCI image specification 1.1 and, where the members are the same, Docker's
 * "image manifest version 2, schema 2" and its configuration.
 */
#pragma once

#include "core/auto.h"
#include "core/json_table.h"

#define OCI_MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define OCI_CONFIG_TYPE "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER_TAR_TYPE "application/vnd.oci.image.layer.v1.tar"
#define OCI_LAYER_GZIP_TYPE "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_LAYER_ZSTD_TYPE "application/vnd.oci.image.layer.v1.tar+zstd"
#define DOCKER_MANIFEST_TYPE "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST_TYPE "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_CONFIG_TYPE "application/vnd.docker.container.image.v1+json"
#define DOCKER_LAYER_GZIP_TYPE "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define DOCKER_LAYER_TAR_TYPE "application/vnd.docker.image.rootfs.diff.tar"

#define IMAGE_DOCUMENT_MAX ((size_t)8 << 20)
#define IMAGE_LAYERS_MAX 1024

struct image_platform {
	char *architecture;
	char *os;
	char *os_version;
	char *variant;
	struct json_extra extra;
};

struct image_descriptor {
	char *media_type;
	char *digest;
	int64_t size;
	char **urls;
	size_t n_urls;
	struct json_string_map annotations;
	struct image_platform *platform;
	struct json_extra extra;
};

struct image_manifest {
	int schema_version;
	char *media_type; /* optional with OCI */
	char *artifact_type;
	struct image_descriptor config;
	struct image_descriptor *layers;
	size_t n_layers;
	struct json_string_map annotations;
	struct json_extra extra;
};

struct image_index {
	int schema_version;
	char *media_type;
	struct image_descriptor *manifests;
	size_t n_manifests;
	struct json_string_map annotations;
	struct json_extra extra;
};

struct image_healthcheck {
	char **test;
	size_t n_test;
	int64_t interval; /* nanoseconds */
	int64_t timeout;
	int64_t start_period;
	int64_t start_interval;
	int retries;
};

/* "config": what containers of the image begin with. */
struct image_process {
	char *user;
	struct json_object *exposed_ports; /* {"80/tcp": {}}; NULL: none */
	char **env;
	size_t n_env;
	char **entrypoint;
	size_t n_entrypoint;
	char **cmd;
	size_t n_cmd;
	struct json_object *volumes; /* {"/data": {}}; NULL: none */
	char *working_dir;
	struct json_string_map labels;
	char *stop_signal;
	struct image_healthcheck *healthcheck;
	char **on_build;
	size_t n_on_build;
	char **shell;
	size_t n_shell;
	struct json_extra extra;
};

struct image_rootfs {
	char *type; /* "layers" */
	char **diff_ids;
	size_t n_diff_ids;
};

struct image_history {
	char *created; /* RFC 3339 */
	char *created_by;
	char *author;
	char *comment;
	bool empty_layer;
};

struct image_config {
	char *created; /* RFC 3339 */
	char *author;
	char *architecture;
	char *os;
	char *os_version;
	char *variant;
	struct image_process config;
	struct image_rootfs rootfs;
	struct image_history *history;
	size_t n_history;
	struct json_extra extra;
};

extern const struct json_desc image_descriptor_desc;
extern const struct json_desc image_manifest_desc;
extern const struct json_desc image_index_desc;
extern const struct json_desc image_process_desc;
extern const struct json_desc image_config_desc;

static inline void image_config_done(struct image_config *config)
{
	json_done(&image_config_desc, config);
}
static inline void image_manifest_done(struct image_manifest *manifest)
{
	json_done(&image_manifest_desc, manifest);
}
static inline void image_index_done(struct image_index *index)
{
	json_done(&image_index_desc, index);
}

DEFINE_AUTO_VAL(image_config, struct image_config, image_config_done)
DEFINE_AUTO_VAL(image_manifest, struct image_manifest, image_manifest_done)
DEFINE_AUTO_VAL(image_index, struct image_index, image_index_done)
#define auto_image_config auto_cleanup(image_config_cleanup_val)
#define auto_image_manifest auto_cleanup(image_manifest_cleanup_val)
#define auto_image_index auto_cleanup(image_index_cleanup_val)
