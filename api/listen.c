#include "api/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static int bind_and_listen(const struct sockaddr *addr, socklen_t len, const char *address,
    int *ret, struct ark_error *err)
{
	int one = 1, fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot open a socket for %s", address);
	if (addr->sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, addr, len) < 0 || listen(fd, BACKLOG) < 0) {
		int status = ark_fail_errno(err, ARK_EIO, "cannot listen on %s", address);
		int keep = errno;

		close(fd);
		errno = keep;
		return status;
	}
	*ret = fd;
	return ARK_OK;
}

static int open_unix(const char *address, int *ret, struct ark_error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const char *path = address + strlen("unix:");
	struct stat st;
	int r, fd;

	if (!*path || strlen(path) >= sizeof(addr.sun_path))
		return ark_fail(
		    err, ARK_EINPUT, "listen address %s: the path must be 1-107 bytes", address);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		r = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&addr, sizeof(addr));
		/* left behind by a server that was killed */
		if (r < 0 && errno == ECONNREFUSED)
			unlink(path);
		if (fd >= 0)
			close(fd);
	}
	return bind_and_listen((struct sockaddr *)&addr, sizeof(addr), address, ret, err);
}

/* "host:port" or "[host]:port" taken apart. */
static int split(const char *address, char host[256], const char **ret_port, struct ark_error *err)
{
	const char *colon = strrchr(address, ':'), *first = address;
	size_t len = colon ? (size_t)(colon - address) : 0;
	unsigned long port = 0;

	if (len >= 2 && *first == '[' && colon[-1] == ']')
		first++, len -= 2;
	else if (memchr(address, ':', len))
		len = 0;
	for (const char *p = colon ? colon + 1 : ""; *p; p++)
		port = *p < '0' || *p > '9' || port > 65535 ? 65536
							    : port * 10 + (unsigned long)(*p - '0');
	if (!len || len >= 256 || !colon[1] || port > 65535)
		return ark_fail(err, ARK_EINPUT,
		    "listen address %s: give HOST:PORT, [IPV6]:PORT or unix:/path", address);
	memcpy(host, first, len);
	host[len] = '\0';
	*ret_port = colon + 1;
	return ARK_OK;
}

static int open_tcp(const char *address, int *ret, struct ark_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
	const char *port = "";
	char host[256];
	int r = split(address, host, &port, err);

	if (r)
		return r;
	r = getaddrinfo(host, port, &hints, &list);
	if (r)
		return ark_fail(err, ARK_EIO, "cannot listen on %s: %s", address, gai_strerror(r));
	r = bind_and_listen(list->ai_addr, list->ai_addrlen, address, ret, err);
	freeaddrinfo(list);
	return r;
}

int listen_open(const char *address, int *ret_fd, uint16_t *ret_port, struct ark_error *err)
{
	struct sockaddr_storage addr = {0};
	socklen_t len = sizeof(addr);
	int fd = -1, r;

	if (!strncmp(address, "unix:", 5))
		r = open_unix(address, &fd, err);
	else
		r = open_tcp(address, &fd, err);
	if (r)
		return r;
	getsockname(fd, (struct sockaddr *)&addr, &len);
	*ret_port = 0;
	if (addr.ss_family == AF_INET)
		*ret_port = ntohs(((struct sockaddr_in *)&addr)->sin_port);
	if (addr.ss_family == AF_INET6)
		*ret_port = ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
	*ret_fd = fd;
	return ARK_OK;
}

void listen_peer(const struct sockaddr *addr, char out[64], int *ret_local)
{
	*ret_local = 1;
	memcpy(out, "unix", 5);
	if (addr && addr->sa_family == AF_INET) {
		const struct in_addr *a = &((const struct sockaddr_in *)addr)->sin_addr;

		inet_ntop(AF_INET, a, out, 64);
		*ret_local = ntohl(a->s_addr) >> 24 == 127;
	} else if (addr && addr->sa_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *)addr)->sin6_addr;

		inet_ntop(AF_INET6, a, out, 64);
		*ret_local =
		    IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
	}
}
