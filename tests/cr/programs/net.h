/* SPDX-License-Identifier: Apache-2.0 */
/* Internet sockets over the loopback interface, IPv4 or IPv6. */
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "test.h"

struct address {
	struct sockaddr_storage storage;
	socklen_t size;
};

/* 127.0.0.1 or ::1; port 0: any */
struct address net_loopback(int family, uint16_t port);
struct address net_name(int fd);
struct address net_peer(int fd);
uint16_t net_port(const struct address *address);
void net_bind(int fd, const struct address *address);
void net_connect(int fd, const struct address *address);

/* A connection, and the socket that it was accepted from. */
struct net_pair {
	int listener;
	int client;
	int server;
};
struct net_pair net_pair_make(int family);
/* Data go through in both directions. */
void net_pair_check(const struct net_pair *pair);

int net_get(int fd, int level, int option);
void net_set(int fd, int level, int option, int value);
