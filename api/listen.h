/* A listening socket from "HOST:PORT", "[v6]:PORT" or "unix:/path". */
#ifndef ARKKI_API_LISTEN_H
#define ARKKI_API_LISTEN_H

#include <stdint.h>
#include <sys/socket.h>

#include "arkki/base/error.h"

/* On success *ret_fd (non-blocking, close-on-exec) is the caller's, *ret_port its TCP port or 0.
 * ARK_EINPUT when the address is malformed, ARK_EIO when it cannot be listened on. A Unix socket
 * that nobody answers on is replaced. */
ARK_MUSTUSE int listen_open(
    const char *address, int *ret_fd, uint16_t *ret_port, struct ark_error *err);

/* The address as text ("unix" for a local socket) into out of 64 bytes, and whether it is this machine. */
void listen_peer(const struct sockaddr *addr, char out[64], int *ret_local);

#endif
