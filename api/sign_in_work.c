/* Two threads for what takes long in signing in: hashing a password takes 0.1 s and 64 MiB, so that more
 * at once would be a way to stop the server, and a provider may take seconds. */
#include <pthread.h>
#include <stdlib.h>

#include "api/sign_in.h"

enum { THREADS = 2, QUEUE = 64 }; /* the last of a full queue waits for about 3 s */

struct job {
	struct exchange *x;
	void (*work)(void *arg);
	void *arg;
};

struct sign_in_pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job jobs[QUEUE];
	unsigned int first, n, running;
	bool stopping;
	pthread_t threads[THREADS];
};

static void *work_main(void *arg)
{
	struct sign_in_pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct job job;
		bool stopping;

		while (!pool->n && !pool->stopping)
			pthread_cond_wait(&pool->more, &pool->lock);
		if (!pool->n)
			break;
		job = pool->jobs[pool->first];
		pool->first = (pool->first + 1) % QUEUE;
		pool->n--;
		stopping = pool->stopping;
		pthread_mutex_unlock(&pool->lock);
		/* the listeners are gone by then: nobody would see what comes of it */
		if (!stopping)
			job.work(job.arg);
		http_wake(job.x);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

int sign_in_pool_new(struct sign_in_pool **ret, struct ark_error *err)
{
	struct sign_in_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return ark_fail(err, ARK_ENOMEM, "no memory for signing in");
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	while (pool->running < THREADS) {
		if (pthread_create(&pool->threads[pool->running], NULL, work_main, pool) != 0) {
			sign_in_pool_free(pool);
			return ark_fail(err, ARK_EIO, "cannot start the threads of signing in");
		}
		pool->running++;
	}
	*ret = pool;
	return ARK_OK;
}

void sign_in_pool_free(struct sign_in_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->running; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

bool sign_in_work(
    struct exchange *x, void (*work)(void *arg), void *arg, void (*done)(struct exchange *x))
{
	struct sign_in_pool *pool = app_of(x)->sign_in->pool;
	bool taken;

	pthread_mutex_lock(&pool->lock);
	taken = pool->n < QUEUE && !pool->stopping;
	if (taken) {
		pool->jobs[(pool->first + pool->n) % QUEUE] = (struct job){x, work, arg};
		pool->n++;
		pthread_cond_signal(&pool->more);
	}
	pthread_mutex_unlock(&pool->lock);
	if (taken) {
		http_wait(x, done);
		return true;
	}
	http_reply_header(x, "Retry-After", "5");
	http_reply_problem(x, 503, "busy",
	    "Many are signing in at this moment. Try again in a few seconds.", NULL);
	return false;
}
