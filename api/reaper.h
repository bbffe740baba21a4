/* Closes connections that take too long to say what they want.
 *
 * The transport's own timeout means inactivity: a byte now and then keeps a
 * connection for ever. A thread looks at all connections several times per
 * deadline and shuts down the sockets of those that are late; the transport
 * then sees a closed connection and cleans up in its usual way.
 *
 * Threads: reaper_add/remove from any; the conn_… marks by the thread that
 *          serves the connection. remove() takes the lock that shutdown()
 *          is called under, so that no other connection's descriptor is hit.
 */
#ifndef ARKKI_API_REAPER_H
#define ARKKI_API_REAPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arkki/base/error.h"

struct reaper;

enum phase {
	PHASE_HEADERS, /* until deadline_us */
	PHASE_BUSY,    /* ours: handlers, waiting */
	PHASE_RECEIVE, /* slow_bytes must come in each window */
	PHASE_SEND, /* slow_bytes must be acknowledged in each window while any are unacknowledged */
};

struct conn {
	int fd;
	char peer[64];
	bool local; /* loopback or Unix socket */
	atomic_int phase;
	_Atomic int64_t deadline_us; /* monotonic */
	_Atomic uint64_t received;   /* bytes of bodies since the connection began */
	atomic_uint turn;            /* grows with each phase: a new window begins */
	/* the reaper's own */
	unsigned int window_turn;
	uint64_t window_moved;
	int64_t window_us;
	bool shut;
	struct conn *prev, *next;
};

ARK_MUSTUSE int reaper_start(unsigned int header_ms, unsigned int window_ms,
    unsigned int slow_bytes, struct reaper **ret, struct ark_error *err);
void reaper_stop(struct reaper *r); /* all connections must have been removed */
void reaper_add(struct reaper *r, struct conn *c);
void reaper_remove(struct reaper *r, struct conn *c);

void conn_mark(struct conn *c, enum phase phase, int64_t deadline_us);
static inline void conn_received(struct conn *c, uint64_t bytes)
{
	atomic_fetch_add_explicit(&c->received, bytes, memory_order_relaxed);
}

#endif
