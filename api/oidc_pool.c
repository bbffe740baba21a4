/* Four threads. One provider has three of them at most, and 32 places in the queue: where it takes 5 s to say nothing, the
 * people of another one still sign in. Passwords are looked at elsewhere (sign_in_work.c). */
#include <pthread.h>
#include <stdlib.h>

#include "api/oidc_private.h"

enum { THREADS = 4, QUEUE = 64, OF_ONE_RUNNING = 3, OF_ONE_WAITING = 32 };

struct oidc_pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	atomic_bool stop;
	struct oidc_job *first, **last;
	const struct oidc_provider *running[THREADS]; /* whose work each thread does */
	unsigned int started;
	pthread_t threads[THREADS];
};

struct worker {
	struct oidc_pool *pool;
	unsigned int number;
};

static unsigned int running_of(const struct oidc_pool *pool, const struct oidc_provider *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < THREADS; i++)
		n += pool->running[i] == p;
	return n;
}

/* The first whose provider does not have its share already; under the lock. NULL: none. */
static struct oidc_job *take(struct oidc_pool *pool)
{
	for (struct oidc_job **at = &pool->first; *at; at = &(*at)->next) {
		struct oidc_job *job = *at;

		if (job->provider && !atomic_load(&pool->stop) &&
		    running_of(pool, job->provider) >= OF_ONE_RUNNING)
			continue;
		*at = job->next;
		if (!*at)
			pool->last = at;
		return job;
	}
	return NULL;
}

static void end(struct oidc_job *job)
{
	if (job->x) {
		http_wake(job->x); /* whose data the job is a part of */
		return;
	}
	oidc_provider_unref(job->provider);
	free(job);
}

static void *work_main(void *arg)
{
	struct worker w = *(struct worker *)arg;
	struct oidc_pool *pool = w.pool;

	free(arg);
	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct oidc_job *job = take(pool);
		bool stop = atomic_load(&pool->stop);

		if (!job && stop)
			break;
		if (!job) {
			pthread_cond_wait(&pool->more, &pool->lock);
			continue;
		}
		pool->running[w.number] = job->provider;
		pthread_mutex_unlock(&pool->lock);
		if (!stop)
			job->work(job);
		pthread_mutex_lock(&pool->lock);
		pool->running[w.number] = NULL;
		pthread_cond_broadcast(&pool->more); /* one that its provider held back may go on */
		pthread_mutex_unlock(&pool->lock);
		end(job);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

int oidc_pool_new(struct oidc_pool **ret, struct ark_error *err)
{
	struct oidc_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return ark_fail(err, ARK_ENOMEM, "no memory for signing in");
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	atomic_init(&pool->stop, false);
	pool->last = &pool->first;
	for (unsigned int i = 0; i < THREADS; i++) {
		struct worker *w = malloc(sizeof(*w));

		if (w)
			*w = (struct worker){.pool = pool, .number = i};
		if (!w || pthread_create(&pool->threads[i], NULL, work_main, w) != 0) {
			free(w);
			oidc_pool_free(pool);
			return ark_fail(err, ARK_ENOMEM, "no threads for signing in");
		}
		pool->started++;
	}
	*ret = pool;
	return ARK_OK;
}

void oidc_pool_end_soon(struct oidc_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->stop, true);
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
}

void oidc_pool_free(struct oidc_pool *pool)
{
	if (!pool)
		return;
	oidc_pool_end_soon(pool);
	for (unsigned int i = 0; i < pool->started; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

bool oidc_pool_add(struct oidc_pool *pool, struct oidc_job *job)
{
	unsigned int all = 0, of_one = 0;
	bool room;

	pthread_mutex_lock(&pool->lock);
	for (const struct oidc_job *j = pool->first; j; j = j->next) {
		all++;
		of_one += j->provider == job->provider;
	}
	room = all < QUEUE && of_one < OF_ONE_WAITING && !atomic_load(&pool->stop);
	if (room) {
		job->next = NULL;
		job->stop = &pool->stop;
		*pool->last = job;
		pool->last = &job->next;
		pthread_cond_signal(&pool->more);
	}
	pthread_mutex_unlock(&pool->lock);
	return room;
}
