#include "api/reaper.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "arkki/base/clock.h"

struct reaper {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* stop */
	pthread_t thread;
	struct conn *head;
	bool stop;
	int64_t tick_us, window_us;
	uint64_t slow_bytes;
};

void conn_mark(struct conn *c, enum phase phase, int64_t deadline_us)
{
	atomic_store_explicit(&c->deadline_us, deadline_us, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->turn, 1, memory_order_relaxed);
	/* release: the reaper that sees the phase sees its deadline */
	atomic_store_explicit(&c->phase, (int)phase, memory_order_release);
}

/* What the peer has acknowledged, and whether anything waits for it. Only TCP tells; a local
 * socket's peer is our own proxy, which has deadlines of its own. */
static bool acknowledged(int fd, uint64_t *ret)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int queued = 0;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    len < offsetof(struct tcp_info, tcpi_bytes_received))
		return false;
	*ret = info.tcpi_bytes_acked;
	return ioctl(fd, SIOCOUTQ, &queued) == 0 && queued > 0;
}

static bool too_slow(const struct reaper *r, struct conn *c, enum phase phase, int64_t now)
{
	unsigned int turn = atomic_load_explicit(&c->turn, memory_order_relaxed);
	uint64_t moved = atomic_load_explicit(&c->received, memory_order_relaxed);
	bool same = c->window_turn == turn, due = true;

	if (same && now - c->window_us < r->window_us)
		return false;
	if (phase == PHASE_SEND)
		due = acknowledged(c->fd, &moved);
	if (same && due && moved - c->window_moved < r->slow_bytes)
		return true;
	c->window_turn = turn;
	c->window_moved = moved;
	c->window_us = now;
	return false;
}

static bool late(const struct reaper *r, struct conn *c, int64_t now)
{
	enum phase phase = (enum phase)atomic_load_explicit(&c->phase, memory_order_acquire);

	if (phase == PHASE_HEADERS)
		return now > atomic_load_explicit(&c->deadline_us, memory_order_relaxed);
	if (phase == PHASE_BUSY)
		return false;
	return too_slow(r, c, phase, now);
}

static void *run(void *arg)
{
	struct reaper *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		struct timespec until;
		int64_t now = clock_monotonic_us(), next = now + r->tick_us;

		for (struct conn *c = r->head; c; c = c->next) {
			if (!c->shut && late(r, c, now)) {
				c->shut = true;
				shutdown(c->fd, SHUT_RDWR);
			}
		}
		until.tv_sec = next / 1000000;
		until.tv_nsec = next % 1000000 * 1000;
		pthread_cond_timedwait(&r->changed, &r->lock, &until);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

int reaper_start(unsigned int header_ms, unsigned int window_ms, unsigned int slow_bytes,
    struct reaper **ret, struct ark_error *err)
{
	unsigned int shortest = header_ms < window_ms ? header_ms : window_ms;
	struct reaper *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;
	int e;

	if (!r)
		return ark_fail(err, ARK_ENOMEM, "no memory for the connection reaper");
	r->tick_us = shortest / 8 > 1000 ? 1000000 : shortest / 8 < 5 ? 5000 : shortest / 8 * 1000;
	r->window_us = (int64_t)window_ms * 1000;
	r->slow_bytes = slow_bytes;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	e = pthread_create(&r->thread, NULL, run, r);
	if (e) {
		pthread_cond_destroy(&r->changed);
		pthread_mutex_destroy(&r->lock);
		free(r);
		errno = e;
		return ark_fail_errno(err, ARK_EIO, "cannot start the connection reaper");
	}
	*ret = r;
	return ARK_OK;
}

void reaper_stop(struct reaper *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void reaper_add(struct reaper *r, struct conn *c)
{
	pthread_mutex_lock(&r->lock);
	c->next = r->head;
	if (r->head)
		r->head->prev = c;
	r->head = c;
	pthread_mutex_unlock(&r->lock);
}

void reaper_remove(struct reaper *r, struct conn *c)
{
	pthread_mutex_lock(&r->lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		r->head = c->next;
	if (c->next)
		c->next->prev = c->prev;
	pthread_mutex_unlock(&r->lock);
}
