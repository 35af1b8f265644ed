/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/nftables.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/str.h"

/* What every request begins with. */
struct nft_message {
	struct nlmsghdr header;
	struct nfgenmsg message;
};

#define ANSWER_MAX 32768
#define TABLE_MAX 256
#define ALIGN4(n) (((size_t)(n) + 3) & ~(size_t)3) /* messages and attributes */

static uint16_t message_type(unsigned int type)
{
	return (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | type);
}

/* The name in a message about a table: its attribute of that type, which ends with NUL. */
static const char *table_name(const struct nlmsghdr *header)
{
	const char *p = (const char *)header + NLMSG_LENGTH(sizeof(struct nfgenmsg));
	const char *end = (const char *)header + header->nlmsg_len;
	struct nlattr attribute;

	while (end - p >= (ptrdiff_t)sizeof(attribute)) {
		(void)memcpy(&attribute, p, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > end - p)
			return NULL;
		if ((attribute.nla_type & NLA_TYPE_MASK) == NFTA_TABLE_NAME &&
		    memchr(p + sizeof(attribute), '\0', attribute.nla_len - sizeof(attribute)))
			return p + sizeof(attribute);
		p += ALIGN4(attribute.nla_len);
	}
	return NULL;
}

/* Return: 1 when that was the last of a dump or an acknowledgement, 0 to go on, negative errno. */
static int take_message(const struct nlmsghdr *header, struct strvec *ret, const char *prefix)
{
	const char *name;
	int error;

	if (header->nlmsg_type == NLMSG_DONE)
		return 1;
	if (header->nlmsg_type == NLMSG_ERROR) {
		if (header->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
			return -EBADMSG;
		(void)memcpy(&error, NLMSG_DATA(header), sizeof(error));
		return error < 0 ? error : 1;
	}
	if (!ret || header->nlmsg_type != message_type(NFT_MSG_NEWTABLE) ||
	    header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
		return 0;
	name = table_name(header);
	if (name && str_has_prefix(name, prefix))
		strvec_add(ret, name);
	return 0;
}

/* Until the end of the dump, or the acknowledgement. */
static int take_answers(int fd, struct strvec *ret, const char *prefix)
{
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	int r = 0;

	while (r == 0) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);
		size_t at = 0;

		if (n < 0)
			return -errno;
		while (r == 0 && at + sizeof(struct nlmsghdr) <= (size_t)n) {
			const struct nlmsghdr *header = (const void *)(answer + at);

			if (header->nlmsg_len < sizeof(*header) ||
			    header->nlmsg_len > (size_t)n - at)
				return -EBADMSG;
			r = take_message(header, ret, prefix);
			at += ALIGN4(header->nlmsg_len);
		}
	}
	return r < 0 ? r : 0;
}

static int exchange(const void *request, size_t len, struct strvec *ret, const char *prefix)
{
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = send(fd, request, len, 0);
	if (n != (ssize_t)len)
		return n < 0 ? -errno : -EIO;
	return take_answers(fd, ret, prefix);
}

bool nftables_is_available(void)
{
	const struct nft_message request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = message_type(NFT_MSG_GETGEN),
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.message = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
	};

	return exchange(&request, sizeof(request), NULL, NULL) == 0;
}

int nftables_list_tables(struct strvec *ret, const char *prefix)
{
	const struct nft_message request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = message_type(NFT_MSG_GETTABLE),
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.message = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 },
	};

	return exchange(&request, sizeof(request), ret, prefix);
}

/* Changes come in a transaction: its begin, the change, its end. */
struct delete_request {
	struct nft_message begin;
	struct nft_message change;
	struct nlattr attribute;
	char rest[TABLE_MAX + sizeof(struct nft_message)]; /* name, end */
};

static void set_batch(struct nft_message *ret, uint16_t type)
{
	*ret = (struct nft_message){
		.header = { .nlmsg_len = sizeof(*ret),
			    .nlmsg_type = type,
			    .nlmsg_flags = NLM_F_REQUEST },
		.message = { .nfgen_family = AF_UNSPEC,
			     .version = NFNETLINK_V0,
			     .res_id = htobe16(NFNL_SUBSYS_NFTABLES) },
	};
}

int nftables_delete_table(const char *name)
{
	struct delete_request request = { 0 };
	struct nft_message end;
	size_t len = strlen(name) + 1;
	size_t aligned = ALIGN4(len);

	if (len > TABLE_MAX)
		return -ENAMETOOLONG;
	set_batch(&request.begin, NFNL_MSG_BATCH_BEGIN);
	set_batch(&end, NFNL_MSG_BATCH_END);
	request.change = (struct nft_message){
		.header = { .nlmsg_len = (uint32_t)(sizeof(request.change) +
						    sizeof(request.attribute) + aligned),
			    .nlmsg_type = message_type(NFT_MSG_DELTABLE),
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.message = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 },
	};
	request.attribute = (struct nlattr){
		.nla_len = (uint16_t)(sizeof(request.attribute) + len),
		.nla_type = NFTA_TABLE_NAME,
	};
	(void)memcpy(request.rest, name, len);
	(void)memcpy(request.rest + aligned, &end, sizeof(end));
	return exchange(&request, offsetof(struct delete_request, rest) + aligned + sizeof(end),
			NULL, NULL);
}
