#include "arkki/archive/load.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive/accounts_private.h"
#include "arkki/archive/registers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char *const kinds[] = {
    "orgs", "users", "units", "cases", "placements", "matters", "vacancies"};
enum { USERS = 1, PLACEMENTS = 4, KINDS = 7 };

struct loader {
	struct archive *a;
	const json_t *seed;
	const struct filing_actor *actor;
	struct load_result *result;
	struct ark_error *err;
	const char *kind;
	size_t at;
};

static int bad(struct loader *l, const char *why)
{
	return ark_fail(l->err, ARK_EINPUT, "%s/%zu: %s", l->kind, l->at, why);
}

/* In the archive, or in the seed itself. */
static bool known(const struct loader *l, const char *kind, const char *id)
{
	const json_t *list = json_object_get(l->seed, kind);
	json_t *record;
	size_t i;

	if (!id)
		return false;
	if (registry_has(archive_registry(l->a), kind, id))
		return true;
	json_array_foreach(list, i, record)
	{
		const char *other = json_text(record, "id");

		if (other && strcmp(other, id) == 0)
			return true;
	}
	return false;
}

static bool texts_ok(const json_t *array, bool (*ok)(const struct loader *l, const char *text),
    const struct loader *l)
{
	json_t *v;
	size_t i;

	if (!array)
		return true;
	if (!json_is_array(array))
		return false;
	json_array_foreach(
	    array, i, v) if (!json_is_string(v) || !ok(l, json_string_value(v))) return false;
	return true;
}

static bool code_ok(const struct loader *l, const char *text)
{
	size_t n = strlen(text);

	(void)l;
	return n >= 1 && n <= 16;
}

static bool role_ok(const struct loader *l, const char *text)
{
	unsigned int bit;

	(void)l;
	return access_role_parse(text, &bit);
}

static bool org_ok(const struct loader *l, const char *text)
{
	(void)l; /* a predecessor may be older than the archive */
	return id_valid(text);
}

static bool dates_ok(const json_t *record)
{
	static const char *const names[] = {"from", "to", "opened", "closed"};

	for (size_t i = 0; i < 4; i++) {
		const json_t *v = json_object_get(record, names[i]);

		if (v && !json_is_null(v) &&
		    (!json_is_string(v) || !date_valid(json_string_value(v))))
			return false;
	}
	return true;
}

static bool name_ok(const json_t *record)
{
	const json_t *name = json_object_get(record, "name");
	const char *language;
	json_t *v;

	if (json_is_string(name))
		return json_string_length(name) > 0;
	if (!json_is_object(name) || json_object_size(name) == 0)
		return false;
	json_object_foreach(
	    (json_t *)(uintptr_t)name, language, v) if (!json_is_string(v)) return false;
	return true;
}

static bool given(const json_t *r, const char *name)
{
	const json_t *v = json_object_get(r, name);

	return v && !json_is_null(v);
}

/* What organisations and accounts have since there are contact persons. */
static int check_org_more(struct loader *l, const json_t *r)
{
	const json_t *every = json_object_get(r, "confirmEvery");
	const char *id = json_text(r, "businessId");

	if (given(r, "businessId") && (!id || !business_id_valid(id)))
		return bad(l, "businessId must be such as 1234567-1 with the right check digit");
	if (given(r, "confirmEvery") &&
	    (!json_is_integer(every) || json_integer_value(every) <= ACCOUNTS_WARN_DAYS ||
		json_integer_value(every) > 3650))
		return bad(l, "confirmEvery must be a number of days from 15 to 3650");
	return ARK_OK;
}

static int check_user_more(struct loader *l, const json_t *r)
{
	const char *state = json_text(r, "state");
	enum account_state parsed;
	json_t *stands;
	bool reopens;

	if (given(r, "state") && (!state || !account_state_parse(state, &parsed)))
		return bad(l, "state must be invited, active, suspended or closed");
	if (given(r, "email") && !json_text(r, "email"))
		return bad(l, "email must be a text");
	stands = registry_get(archive_registry(l->a), "users", json_text(r, "id"));
	reopens = stands && account_state(stands) == ACCOUNT_CLOSED && !json_equal(stands, r);
	json_decref(stands);
	return reopens ? bad(l, "the account is closed for good, and its id is not given again")
		       : ARK_OK;
}

static int check_org(struct loader *l, const json_t *r)
{
	enum access_org_kind kind;

	if (!json_text(r, "kind") || !access_org_kind_parse(json_text(r, "kind"), &kind))
		return bad(
		    l, "kind must be state-agency, county, municipality, ombudsman or provider");
	if (!name_ok(r))
		return bad(l, "name must be a text or an object of texts by language");
	if (!texts_ok(json_object_get(r, "counties"), code_ok, l))
		return bad(l, "counties must be a list of county codes");
	if (!texts_ok(json_object_get(r, "municipalities"), code_ok, l))
		return bad(l, "municipalities must be a list of municipality codes");
	if (!texts_ok(json_object_get(r, "predecessors"), org_ok, l))
		return bad(l, "predecessors must be a list of organisation ids");
	return check_org_more(l, r);
}

static int check_user(struct loader *l, const json_t *r)
{
	if (!known(l, "orgs", json_text(r, "org")))
		return bad(l, "org is not a known organisation");
	if (!json_is_array(json_object_get(r, "roles")) ||
	    !texts_ok(json_object_get(r, "roles"), role_ok, l))
		return bad(l, "roles must be a list of: inspector registrar supervisor auditor "
			      "placer contact admin system");
	if (json_object_get(r, "name") && !name_ok(r))
		return bad(l, "name must be a text");
	return check_user_more(l, r);
}

static bool known_to(void *arg, const char *kind, const char *id)
{
	return known(arg, kind, id);
}

/* As the checker of the registers says it. */
static int within(struct loader *l, int rc)
{
	return rc ? ark_fail_within(l->err, rc, "%s/%zu", l->kind, l->at) : ARK_OK;
}

static int check_unit(struct loader *l, const json_t *r)
{
	return within(l, unit_check(r, known_to, l, NULL, l->err));
}

static int check_case(struct loader *l, const json_t *r)
{
	return within(l, case_check(r, known_to, l, NULL, l->err));
}

static int check_vacancies(struct loader *l, const json_t *r)
{
	return within(l, vacancies_check(r, known_to, l, NULL, l->err));
}

static int check_placement(struct loader *l, const json_t *r)
{
	if (!known(l, "units", json_text(r, "unit")))
		return bad(l, "unit is not a known unit");
	if (!known(l, "orgs", json_text(r, "org")))
		return bad(l, "org is not a known organisation");
	return ARK_OK;
}

/* What orders are about, by which the same requirement is known again. */
static int check_matter(struct loader *l, const json_t *r)
{
	static const char *const languages[] = {"fi", "sv", "en"};
	const json_t *name = json_object_get(r, "name");

	for (size_t i = 0; i < 3; i++)
		if (!json_text(name, languages[i]) || !*json_text(name, languages[i]))
			return bad(l, "name must be an object of texts in fi, sv and en");
	return ARK_OK;
}

static int check_one(struct loader *l, size_t kind, const json_t *r)
{
	static int (*const checks[KINDS])(struct loader * l, const json_t *r) = {check_org,
	    check_user, check_unit, check_case, check_placement, check_matter, check_vacancies};

	if (!json_is_object(r))
		return bad(l, "must be an object");
	if (kind != PLACEMENTS && (!json_text(r, "id") || !id_valid(json_text(r, "id"))))
		return bad(l, "id must be [a-z0-9-]{1,64}");
	if (!dates_ok(r))
		return bad(l, "a date must be YYYY-MM-DD");
	return checks[kind](l, r);
}

static int check_all(struct loader *l)
{
	const char *key;
	json_t *list, *record;
	int rc = ARK_OK;

	if (!json_is_object(l->seed))
		return ark_fail(l->err, ARK_EINPUT, "the seed must be a JSON object");
	json_object_foreach((json_t *)(uintptr_t)l->seed, key, list)
	{
		size_t k = 0;

		while (k < KINDS && strcmp(kinds[k], key) != 0)
			k++;
		if (k == KINDS)
			return ark_fail(
			    l->err, ARK_EINPUT, "the seed has an unknown part %.64s", key);
		if (!json_is_array(list))
			return ark_fail(l->err, ARK_EINPUT, "%s must be a list", key);
	}
	for (size_t k = 0; k < KINDS; k++) {
		l->kind = kinds[k];
		list = json_object_get(l->seed, kinds[k]);
		json_array_foreach(list, l->at, record)
		{
			rc = check_one(l, k, record);
			if (rc)
				return rc;
		}
	}
	return rc;
}

/* ---- filing ---- */

struct batch {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	size_t waiting;
	int status;
	struct ark_error error;
};

static void batch_done(void *arg, struct filing *f)
{
	struct batch *b = arg;

	pthread_mutex_lock(&b->lock);
	if (f->status && !b->status) {
		b->status = f->status;
		b->error = f->error;
	}
	b->waiting--;
	pthread_cond_signal(&b->cond);
	pthread_mutex_unlock(&b->lock);
	filing_free(f);
}

static json_t *with_id(size_t kind, const json_t *record)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)record);
	struct buf id = BUF_INIT;

	if (kind == PLACEMENTS &&
	    copy) { /* a placement is named by its unit, organisation and beginning */
		const char *from = json_text(record, "from");

		buf_addf(&id, "%s:%s:%s", json_text(record, "unit"), json_text(record, "org"),
		    from ? from : "");
		json_object_set_new(copy, "id", json_string(id.data));
		buf_free(&id);
	}
	return copy;
}

/* A seed that says nothing of an account's life leaves it where it is: loading resumes nobody. */
static int keep_life(struct loader *l, json_t *record)
{
	static const char *const fields[] = {
	    "state", "stateReason", "confirmed", "warned", "emergency"};
	json_t *stands;
	int rc = 0;

	if (json_object_get(record, "state"))
		return ARK_OK;
	stands = registry_get(archive_registry(l->a), "users", json_text(record, "id"));
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		json_t *value = json_object_get(stands, fields[i]);

		if (value && !json_object_get(record, fields[i]))
			rc |= json_object_set(record, fields[i], value);
	}
	json_decref(stands);
	return rc ? ark_fail(l->err, ARK_ENOMEM, "no memory for a record") : ARK_OK;
}

/* Who was loaded as suspended or closed has no way in any more. */
static int take_ways_in(struct loader *l)
{
	json_t *user;
	size_t i;
	int rc = ARK_OK;

	json_array_foreach(json_object_get(l->seed, "users"), i, user)
	{
		enum account_state state = account_state(user);

		if (!rc && (state == ACCOUNT_SUSPENDED || state == ACCOUNT_CLOSED))
			rc = credentials_remove(archive_state(l->a), json_text(user, "id"),
			    state == ACCOUNT_CLOSED ? CREDENTIALS_ALL
						    : CREDENTIALS_SESSIONS | CREDENTIALS_LINKS,
			    l->err);
	}
	return rc;
}

static int submit_one(struct loader *l, struct batch *b, const char *kind, json_t *record)
{
	json_t *stands = registry_get(archive_registry(l->a), kind, json_text(record, "id"));
	struct filing *f;
	int rc;

	if (stands && json_equal(stands, record)) {
		l->result->unchanged++;
		json_decref(stands);
		json_decref(record);
		return ARK_OK;
	}
	if (stands)
		l->result->changed++;
	else
		l->result->added++;
	json_decref(stands);
	f = filing_new(FILING_RECORD);
	if (!f || filing_set_actor(f, l->actor, l->err)) {
		filing_free(f);
		json_decref(record);
		return ark_fail(l->err, ARK_ENOMEM, "no memory for a record");
	}
	f->record_kind = kind;
	f->record = record;
	f->done = batch_done;
	f->arg = b;
	pthread_mutex_lock(&b->lock);
	b->waiting++;
	pthread_mutex_unlock(&b->lock);
	rc = filing_submit(l->a, f, l->err);
	if (rc) {
		pthread_mutex_lock(&b->lock);
		b->waiting--;
		pthread_mutex_unlock(&b->lock);
		filing_free(f);
	}
	return rc;
}

static int submit_all(struct loader *l, struct batch *b)
{
	int rc = ARK_OK;

	for (size_t k = 0; !rc && k < KINDS; k++) {
		const json_t *list = json_object_get(l->seed, kinds[k]);
		json_t *record;
		size_t i;

		json_array_foreach(list, i, record)
		{
			json_t *copy = with_id(k, record);

			rc = copy ? ARK_OK : ark_fail(l->err, ARK_ENOMEM, "no memory for a record");
			if (!rc && k == USERS)
				rc = keep_life(l, copy);
			if (rc)
				json_decref(copy);
			else
				rc = submit_one(l, b, kinds[k], copy);
			if (rc)
				break;
		}
	}
	return rc;
}

int load_seed(struct archive *a, const json_t *seed, const struct filing_actor *actor,
    struct load_result *ret, struct ark_error *err)
{
	struct loader l = {.a = a, .seed = seed, .actor = actor, .result = ret, .err = err};
	struct batch b = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
	int rc;

	*ret = (struct load_result){0};
	rc = accounts_lock(a, err);
	if (rc)
		return rc;
	rc = check_all(&l);
	if (!rc)
		rc = submit_all(&l, &b);
	pthread_mutex_lock(&b.lock);
	while (b.waiting)
		pthread_cond_wait(&b.cond, &b.lock);
	pthread_mutex_unlock(&b.lock);
	if (!rc && b.status) {
		if (err)
			*err = b.error;
		rc = b.status;
	}
	if (!rc)
		rc = take_ways_in(&l);
	accounts_unlock(a);
	return rc;
}
