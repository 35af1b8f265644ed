/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/digest.h"

#include <openssl/evp.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"

#define HEX_LEN 64

struct digest_context {
	EVP_MD_CTX *evp;
};

bool digest_is_valid(const char *text)
{
	const char *hex = text ? str_skip_prefix(text, "sha256:") : NULL;

	return hex && strlen(hex) == HEX_LEN && strspn(hex, "0123456789abcdef") == HEX_LEN;
}

const char *digest_hex(const char *digest)
{
	return digest + strlen("sha256:");
}

struct digest_context *digest_new(void)
{
	struct digest_context *c = xcalloc(1, sizeof(*c));

	c->evp = EVP_MD_CTX_new();
	if (!c->evp || EVP_DigestInit_ex(c->evp, EVP_sha256(), NULL) != 1)
		abort(); /* out of memory, or a libcrypto without sha256 */
	return c;
}

void digest_update(struct digest_context *c, const void *data, size_t len)
{
	if (EVP_DigestUpdate(c->evp, data, len) != 1)
		abort();
}

void digest_final(struct digest_context *c, char ret[static STORE_DIGEST_MAX])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	char *p;

	if (EVP_DigestFinal_ex(c->evp, sum, &n) != 1)
		abort();
	p = stpcpy(ret, "sha256:");
	for (unsigned int i = 0; i < n; i++) {
		*p++ = hex[sum[i] >> 4];
		*p++ = hex[sum[i] & 15];
	}
	*p = '\0';
}

void digest_free(struct digest_context *c)
{
	if (!c)
		return;
	EVP_MD_CTX_free(c->evp);
	free(c);
}

void digest_of(const void *data, size_t len, char ret[static STORE_DIGEST_MAX])
{
	auto_digest struct digest_context *c = digest_new();

	digest_update(c, data, len);
	digest_final(c, ret);
}
