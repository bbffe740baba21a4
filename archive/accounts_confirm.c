/* Are the accounts still right? The list of an organisation, its confirmation, and what happens without one.
 *
 * Days are compared, never hours: 14 days after a warning is the day, whatever the time of the sweep.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive/accounts_private.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

#define DAY_US (INT64_C(86400) * 1000000)

/* ---- when ---- */

/* The day so many days after another; of an impossible day, the day itself. */
static void day_after(char out[11], const char *day, int64_t days)
{
	int64_t us = 0;

	if (clock_parse(day, &us)) /* midnight UTC: the same day in Finland */
		clock_day(out, us + days * DAY_US);
	else
		memcpy(out, day, 11);
}

struct due {
	bool subject;
	char by[11];        /* suspended from this day on, unless confirmed */
	bool warn, suspend; /* today */
};

/* A day that lies in the future was written under a wrong clock: it counts for nothing. */
static const char *past_day(const json_t *user, const char *field, const char *today)
{
	const char *day = json_text(user, field);

	return day && date_valid(day) && strcmp(day, today) <= 0 ? day : NULL;
}

static struct due due_of(const json_t *org, const json_t *user, const char *today)
{
	json_int_t every = json_integer_value(json_object_get(org, "confirmEvery"));
	const char *confirmed = past_day(user, "confirmed", today);
	const char *warned = past_day(user, "warned", today);
	struct due d = {0};
	char least[11], warn_from[11];

	if (every <= 0 || every > 36500 || account_state(user) != ACCOUNT_ACTIVE)
		return d;
	d.subject = true;
	if (confirmed)
		day_after(d.by, confirmed, every);
	else
		memcpy(d.by, today, 11);
	day_after(warn_from, d.by, -ACCOUNTS_WARN_DAYS);
	/* never without having been warned so long before */
	day_after(least, warned ? warned : today, ACCOUNTS_WARN_DAYS);
	if (strcmp(d.by, least) < 0)
		memcpy(d.by, least, 11);
	d.warn = !warned && strcmp(warn_from, today) <= 0;
	d.suspend = warned && strcmp(d.by, today) <= 0;
	return d;
}

/* ---- the list ---- */

struct gathering {
	const char *org;
	json_t *list;
	bool lost;
};

static void gather(void *arg, const json_t *user)
{
	struct gathering *g = arg;
	const char *org = json_text(user, "org");

	if (org && strcmp(org, g->org) == 0)
		g->lost |= json_array_append(g->list, (json_t *)(uintptr_t)user) != 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(json_text(*(json_t *const *)a, "id"), json_text(*(json_t *const *)b, "id"));
}

static int sort_by_id(json_t *list, struct ark_error *err)
{
	size_t n = json_array_size(list);
	json_t **all = calloc(n ? n : 1, sizeof(*all));

	if (!all)
		return ark_fail(err, ARK_ENOMEM, "no memory for the accounts");
	for (size_t i = 0; i < n; i++)
		all[i] = json_incref(json_array_get(list, i));
	qsort(all, n, sizeof(*all), by_id);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(list, i, all[i]);
	free(all);
	return ARK_OK;
}

/* The records themselves, in order of id. */
static int records_of(struct archive *a, const char *org, json_t **ret, struct ark_error *err)
{
	struct gathering g = {.org = org, .list = json_array()};
	int rc;

	if (!g.list)
		return ark_fail(err, ARK_ENOMEM, "no memory for the accounts");
	registry_each(archive_registry(a), "users", gather, &g);
	rc = g.lost ? ark_fail(err, ARK_ENOMEM, "no memory for the accounts")
		    : sort_by_id(g.list, err);
	if (rc)
		json_decref(g.list);
	else
		*ret = g.list;
	return rc;
}

/* Of the records: what is reckoned from today does not change it. */
static int tag_of(
    struct archive *a, const char *org, const json_t *list, char tag[33], struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc;

	buf_addf(&text, "%s ", org);
	rc = json_write(&text, list, err);
	if (!rc && buf_failed(&text))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the accounts");
	if (!rc)
		archive_tag(a, "accounts", text.data, text.len, tag);
	buf_free(&text);
	return rc;
}

static json_t *get_org(struct archive *a, const char *org, struct ark_error *err)
{
	json_t *record = registry_get(archive_registry(a), "orgs", org);

	if (!record)
		ark_fail(err, ARK_ENOTFOUND, "there is no organisation %s", org);
	return record;
}

/* With what the record does not say itself; NULL: no memory. */
static json_t *shown(const json_t *org, const json_t *user, const char *today)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)user);
	struct due d = due_of(org, user, today);
	int rc = 0;

	if (!copy)
		return NULL;
	if (!json_object_get(copy, "state"))
		rc = json_object_set_new(
		    copy, "state", json_string(account_state_name(account_state(user))));
	if (d.subject)
		rc |= json_object_set_new(copy, "confirmBy", json_string(d.by));
	if (!rc)
		return copy;
	json_decref(copy);
	return NULL;
}

static int show_all(const json_t *org, json_t *list, struct ark_error *err)
{
	char today[11];

	clock_day(today, clock_now_us());
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_array_set_new(list, i, shown(org, json_array_get(list, i), today)))
			return ark_fail(err, ARK_ENOMEM, "no memory for the accounts");
	return ARK_OK;
}

int accounts_list(
    struct archive *a, const char *org, json_t **ret, char tag[33], struct ark_error *err)
{
	json_t *record = get_org(a, org, err), *list = NULL;
	int rc = record ? records_of(a, org, &list, err) : ARK_ENOTFOUND;

	if (!rc)
		rc = tag_of(a, org, list, tag, err);
	if (!rc)
		rc = show_all(record, list, err);
	json_decref(record);
	if (rc)
		json_decref(list);
	else
		*ret = list;
	return rc;
}

/* ---- what is due ---- */

struct duty {
	const json_t *org;
	const char *id, *today;
	char by[11];
	unsigned int lapsed;
};

static void add_due(void *arg, const json_t *user)
{
	struct duty *d = arg;
	const char *org = json_text(user, "org");
	struct due due;

	if (!org || strcmp(org, d->id) != 0)
		return;
	due = due_of(d->org, user, d->today);
	if (due.subject && (!d->by[0] || strcmp(due.by, d->by) < 0))
		memcpy(d->by, due.by, sizeof(d->by));
	d->lapsed += account_lapsed(user);
}

int accounts_due(struct archive *a, const char *org, char ret_by[11], unsigned int *ret_lapsed,
    struct ark_error *err)
{
	json_t *record = get_org(a, org, err);
	char today[11];
	struct duty d = {.org = record, .id = org, .today = today};

	if (!record)
		return ARK_ENOTFOUND;
	clock_day(today, clock_now_us());
	registry_each(archive_registry(a), "users", add_due, &d);
	json_decref(record);
	memcpy(ret_by, d.by, sizeof(d.by));
	*ret_lapsed = d.lapsed;
	return ARK_OK;
}

/* ---- filing many at once ---- */

struct batch {
	struct archive *a;
	const struct filing_actor *actor;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	size_t waiting;
	unsigned int filed;
	int status;
	struct ark_error error;
};

static void batch_begin(struct batch *b, struct archive *a, const struct filing_actor *actor)
{
	*b = (struct batch){.a = a, .actor = actor};
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->cond, NULL);
}

static void batch_done(void *arg, struct filing *f)
{
	struct batch *b = arg;

	pthread_mutex_lock(&b->lock);
	if (!f->status) {
		b->filed++;
	} else if (!b->status) {
		b->status = f->status;
		b->error = f->error;
	}
	b->waiting--;
	pthread_cond_signal(&b->cond);
	pthread_mutex_unlock(&b->lock);
	filing_free(f);
}

/* Files on top of what stands; takes the record. */
static int batch_add(struct batch *b, json_t *record, const char *reason, struct ark_error *err)
{
	struct filing *f = filing_new(FILING_RECORD);
	int rc = f && record ? filing_set_actor(f, b->actor, err)
			     : ark_fail(err, ARK_ENOMEM, "no memory for a record");

	if (!rc && reason && !(f->reason = strdup(reason)))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a record");
	if (!rc)
		rc =
		    accounts_number(b->a, "users", json_text(record, "id"), &f->base_metadata, err);
	if (rc) {
		filing_free(f);
		json_decref(record);
		return rc;
	}
	f->record_kind = "users";
	f->record = record;
	f->record_on_base = true;
	f->done = batch_done;
	f->arg = b;
	pthread_mutex_lock(&b->lock);
	b->waiting++;
	pthread_mutex_unlock(&b->lock);
	rc = filing_submit(b->a, f, err);
	if (rc) {
		pthread_mutex_lock(&b->lock);
		b->waiting--;
		pthread_mutex_unlock(&b->lock);
		filing_free(f);
	}
	return rc;
}

/* Waits for all; what failed first goes before rc. */
static int batch_end(struct batch *b, int rc, struct ark_error *err)
{
	pthread_mutex_lock(&b->lock);
	while (b->waiting)
		pthread_cond_wait(&b->cond, &b->lock);
	pthread_mutex_unlock(&b->lock);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->cond);
	if (rc || !b->status)
		return rc;
	if (err)
		*err = b->error;
	return b->status;
}

/* ---- confirming ---- */

bool account_lapsed(const json_t *user)
{
	const char *reason = json_text(user, "stateReason");

	return account_state(user) == ACCOUNT_SUSPENDED && reason &&
	       strcmp(reason, ACCOUNTS_UNCONFIRMED) == 0;
}

/* NULL: no memory. */
static json_t *as_confirmed(const json_t *user, const char *today)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)user);
	int rc = 0;

	if (!copy)
		return NULL;
	if (account_lapsed(user)) {
		rc = json_object_set_new(copy, "state", json_string("active"));
		json_object_del(copy, "stateReason");
	}
	json_object_del(copy, "warned");
	json_object_del(copy, "emergency");
	rc |= json_object_set_new(copy, "confirmed", json_string(today));
	if (rc) {
		json_decref(copy);
		return NULL;
	}
	return copy;
}

static int confirm_all(
    struct batch *b, const json_t *list, unsigned int *ret_n, struct ark_error *err)
{
	const json_t *user;
	char today[11];
	size_t i;
	int rc = ARK_OK;

	clock_day(today, clock_now_us());
	json_array_foreach(list, i, user)
	{
		json_t *copy;

		if (account_state(user) != ACCOUNT_ACTIVE && !account_lapsed(user))
			continue;
		copy = as_confirmed(user, today);
		if (!copy)
			rc = ark_fail(err, ARK_ENOMEM, "no memory for the accounts");
		else if (json_equal(copy, user))
			json_decref(copy);
		else
			rc = batch_add(b, copy, "confirmed", err);
		if (rc)
			break;
		(*ret_n)++;
	}
	return rc;
}

int accounts_confirm(struct archive *a, const struct filing_actor *actor, const struct principal *p,
    const char *org, const char *tag, unsigned int *ret_n, struct ark_error *err)
{
	json_t *record = get_org(a, org, err), *list = NULL;
	unsigned int n = 0;
	struct batch b;
	char stands[33];
	int rc = record ? ARK_OK : ARK_ENOTFOUND;

	json_decref(record);
	if (!rc && !accounts_may(p, org))
		rc = ark_fail(err, ARK_EREFUSED,
		    "accounts are confirmed by the organisation's contact person, or an "
		    "administrator");
	if (!rc)
		rc = accounts_lock(a, err);
	if (rc)
		return rc;
	rc = records_of(a, org, &list, err);
	if (!rc)
		rc = tag_of(a, org, list, stands, err);
	if (!rc && strcmp(stands, tag) != 0)
		rc = ark_fail(err, ARK_ECONFLICT,
		    "the accounts have changed since the list was read; look at it again");
	if (!rc) {
		batch_begin(&b, a, actor);
		rc = confirm_all(&b, list, &n, err);
		rc = batch_end(&b, rc, err);
	}
	accounts_unlock(a);
	json_decref(list);
	if (!rc)
		*ret_n = n;
	return rc;
}

/* ---- the sweep ---- */

struct sweep {
	struct archive *a;
	struct batch b;
	char today[11];
	json_t *suspended; /* ids */
	unsigned int warned, suspending;
};

static int sweep_one(struct sweep *s, const json_t *org, const json_t *user, struct ark_error *err)
{
	struct due d = due_of(org, user, s->today);
	json_t *copy;
	int rc;

	if (!d.warn && !d.suspend)
		return ARK_OK;
	copy = json_copy((json_t *)(uintptr_t)user);
	if (!copy)
		return ark_fail(err, ARK_ENOMEM, "no memory for an account");
	if (d.suspend) {
		rc = json_object_set_new(copy, "state", json_string("suspended"));
		rc |= json_object_set_new(copy, "stateReason", json_string(ACCOUNTS_UNCONFIRMED));
		rc |= json_array_append(s->suspended, json_object_get(copy, "id"));
	} else {
		rc = json_object_set_new(copy, "warned", json_string(s->today));
	}
	if (rc) {
		json_decref(copy);
		return ark_fail(err, ARK_ENOMEM, "no memory for an account");
	}
	rc = batch_add(&s->b, copy, d.suspend ? ACCOUNTS_UNCONFIRMED : "to be confirmed", err);
	if (!rc && d.suspend)
		s->suspending++;
	else if (!rc)
		s->warned++;
	return rc;
}

static int sweep_users(struct sweep *s, const json_t *users, struct ark_error *err)
{
	const json_t *user;
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(users, i, user)
	{
		json_t *org = registry_get(archive_registry(s->a), "orgs", json_text(user, "org"));

		rc = org ? sweep_one(s, org, user, err) : ARK_OK;
		json_decref(org);
		if (rc)
			break;
	}
	return rc;
}

/* Sessions of those who were suspended now; and what a crash, or a load, left of those that were closed. */
static int sweep_credentials(struct sweep *s, const json_t *users, struct ark_error *err)
{
	struct credentials_summary left;
	const json_t *user, *id;
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(s->suspended, i, id)
	{
		if (!rc)
			rc = credentials_remove(archive_state(s->a), json_string_value(id),
			    CREDENTIALS_SESSIONS | CREDENTIALS_LINKS, err);
	}
	json_array_foreach(users, i, user)
	{
		const char *name = json_text(user, "id");

		if (rc || account_state(user) != ACCOUNT_CLOSED)
			continue;
		rc = credentials_summary(archive_state(s->a), name, clock_now_us(), &left, err);
		if (!rc && (left.password || left.totp || left.recovery_left || left.sessions ||
			       left.tokens || left.identities || left.certificates))
			rc = credentials_remove(archive_state(s->a), name, CREDENTIALS_ALL, err);
	}
	return rc;
}

int accounts_sweep(struct archive *a, int64_t now_us, unsigned int *ret_warned,
    unsigned int *ret_suspended, struct ark_error *err)
{
	const struct filing_actor system = {.user = "system", .authentication = "system"};
	struct sweep s = {.a = a, .suspended = json_array()};
	json_t *users = NULL;
	int rc = s.suspended ? accounts_lock(a, err)
			     : ark_fail(err, ARK_ENOMEM, "no memory for the accounts");

	if (rc)
		goto out;
	clock_day(s.today, now_us);
	users = registry_all(archive_registry(a), "users");
	if (!users)
		rc = ark_fail(err, ARK_ENOMEM, "no memory for the accounts");
	if (!rc) {
		batch_begin(&s.b, a, &system);
		rc = sweep_users(&s, users, err);
		rc = batch_end(&s.b, rc, err);
	}
	if (!rc)
		rc = sweep_credentials(&s, users, err);
	accounts_unlock(a);
	if (!rc) {
		*ret_warned = s.warned;
		*ret_suspended = s.suspending;
	}
out:
	json_decref(users);
	json_decref(s.suspended);
	return rc;
}
