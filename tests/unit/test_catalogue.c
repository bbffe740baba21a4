/* The catalogue by itself: one version and its metadata, requests, texts, what lies on the disk, opening,
 * and several connections at once. */
#include "tests/unit/catalogue_fixture.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arkki/archive/state.h"
#include "arkki/base/text.h"

/* ---- one version ---- */
static void test_catalogue__a_version_comes_back_as_it_was_filed(void **state)
{
	struct fixture *f = *state;
	struct catalogue_row row;
	unsigned int seed = 1;
	struct model m;

	make_version(&m, 5, 1, 9, 0, &seed);
	m.fact.size = 1ULL << 40;
	m.fact.chunks = 77;
	apply(f->c, &m.fact, 1, 9);
	assert_int_equal(catalogue_sequence(f->c), 9);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_string_equal(row.document, m.document);
	assert_int_equal(row.version, 1);
	assert_int_equal(row.metadata, 1);
	assert_int_equal(row.sequence, 9);
	assert_int_equal(row.metadata_sequence, 9);
	assert_int_equal(row.filed_us, 9000);
	assert_string_equal(row.date, m.fact.date);
	assert_string_equal(row.type, m.fact.type);
	assert_string_equal(row.language, "fi");
	assert_string_equal(row.publicity, m.fact.publicity);
	assert_string_equal(row.state, m.fact.state);
	assert_string_equal(row.media_type, "application/pdf");
	assert_int_equal(row.size, 1ULL << 40);
	assert_int_equal(row.sealed_size, 9 + 72);
	assert_int_equal(row.chunks, 77);
	assert_memory_equal(row.content.id, m.fact.content.id, STORE_OID_SIZE);
	assert_string_equal(row.sealed_metadata.data, m.seal);
	assert_string_equal(row.sealed_version.data, m.seal);
	assert_string_equal(row.text_state, "pending");
	assert_null(row.text_reason);
	catalogue_row_free(&row);
}

static void test_catalogue__what_is_not_there_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct catalogue_row row;
	struct model m;
	unsigned int seed = 1;
	uint32_t a, b;
	char document[33];

	make_version(&m, 5, 1, 1, 0, &seed);
	apply(f->c, &m.fact, 1, 1);
	assert_int_equal(catalogue_get(f->c, m.document, 2, NULL, &row, NULL), ARK_ENOTFOUND);
	name_document(document, 6);
	assert_int_equal(catalogue_get(f->c, document, 0, NULL, &row, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_get(f->c, "' OR 1 --", 0, NULL, &row, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_newest(f->c, document, &a, &b, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_newest(f->c, m.document, &a, &b, NULL), ARK_OK);
	assert_int_equal(
	    catalogue_set_text(f->c, document, 1, 0, "ready", NULL, NULL), ARK_ENOTFOUND);
}

static void test_catalogue__metadata_amends_one_version(void **state)
{
	struct fixture *f = *state;
	struct access_filter *public = filter_of(ACCESS_ORG_PROVIDER, "90");
	struct catalogue_row row;
	unsigned int seed = 1;
	struct model v[2];
	struct catalogue_fact amend;
	uint32_t newest, metadata;

	for (uint32_t i = 0; i < 2; i++) {
		make_version(&v[i], 5, i + 1, i + 1, 0, &seed);
		v[i].fact.publicity = "public";
		apply(f->c, &v[i].fact, 1, i + 1);
	}
	amend = v[1].fact;
	amend.kind = FACT_METADATA, amend.publicity = "secret", amend.metadata = 3;
	amend.sequence = 3, amend.date = "2030-01-01";
	apply(f->c, &amend, 1, 3);
	assert_int_equal(catalogue_newest(f->c, v[0].document, &newest, &metadata, NULL), ARK_OK);
	assert_int_equal(newest, 2);
	assert_int_equal(metadata, 3);
	assert_int_equal(catalogue_get(f->c, v[0].document, 0, SIGHT(public), &row, NULL), ARK_OK);
	assert_int_equal(row.version, 1);
	assert_int_equal(row.visible_versions, 1);
	assert_int_equal(row.metadata_sequence, 1);
	catalogue_row_free(&row);
	assert_int_equal(
	    catalogue_get(f->c, v[0].document, 2, SIGHT(public), &row, NULL), ARK_ENOTFOUND);
	assert_int_equal(catalogue_get(f->c, v[0].document, 0, NULL, &row, NULL), ARK_OK);
	assert_string_equal(row.date, "2030-01-01");
	assert_int_equal(row.metadata, 3);
	assert_int_equal(row.metadata_sequence, 3);
	assert_int_equal(row.sequence, 2);
	catalogue_row_free(&row);
	access_filter_free(public);
}

/* ---- the rest ---- */
static void test_catalogue__requests_are_found_by_their_hash(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct model m;
	char document[33];
	uint32_t version;

	make_version(&m, 4, 1, 1, 0, &seed);
	m.fact.request = "00112233445566778899aabbccddeeff";
	apply(f->c, &m.fact, 1, 1);
	assert_int_equal(
	    catalogue_request(f->c, "00112233445566778899aabbccddeeff", document, &version, NULL),
	    ARK_OK);
	assert_string_equal(document, m.document);
	assert_int_equal(version, 1);
	assert_int_equal(catalogue_request(f->c, "00", document, &version, NULL), ARK_ENOTFOUND);
}

static void test_catalogue__text_state_is_set_and_survives_new_metadata(void **state)
{
	struct fixture *f = *state;
	struct catalogue_row row;
	unsigned int seed = 3;
	struct model m;

	make_version(&m, 4, 1, 1, 0, &seed);
	apply(f->c, &m.fact, 1, 1);
	assert_int_equal(
	    catalogue_set_text(f->c, m.document, 1, 0, "done", NULL, NULL), ARK_EINPUT);
	assert_int_equal(
	    catalogue_set_text(f->c, m.document, 1, 0, "none", "encrypted", NULL), ARK_OK);
	m.fact.kind = FACT_METADATA, m.fact.sequence = 2;
	apply(f->c, &m.fact, 1, 2);
	assert_int_equal(catalogue_get(f->c, m.document, 1, NULL, &row, NULL), ARK_OK);
	assert_string_equal(row.text_state, "none");
	assert_string_equal(row.text_reason, "encrypted");
	catalogue_row_free(&row);
}

static void test_catalogue__disk_holds_no_chosen_name(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct model m;

	make_version(&m, 4, 1, 1, 0, &seed);
	m.unit[0] = "koivulan-lastenkoti", m.county[0] = "county-of-somewhere";
	m.fact.units_len = m.fact.counties_len = 1;
	m.fact.author = m.fact.filed_by_org = "some-organisation";
	m.fact.case_id = "case-of-someone", m.fact.filed_by = "maija-meikalainen";
	apply(f->c, &m.fact, 1, 1);
	assert_true(unit_holds(f->k.dir, m.seal, strlen(m.seal))); /* the search itself works */
	assert_false(unit_holds(f->k.dir, "lastenkoti", 10));
	assert_false(unit_holds(f->k.dir, "somewhere", 9));
	assert_false(unit_holds(f->k.dir, "some-organisation", 17));
	assert_false(unit_holds(f->k.dir, "someone", 7));
	assert_false(unit_holds(f->k.dir, "meikalainen", 11));
}

static void test_catalogue__opening_checks_presence_schema_and_purpose(void **state)
{
	struct fixture *f = *state;
	struct catalogue *c = NULL;
	char path[320];
	struct ark_error err;
	unsigned int seed = 3;
	struct model m;
	sqlite3 *db;

	make_version(&m, 4, 1, 1, 0, &seed);
	snprintf(path, sizeof(path), "%s/none.sqlite", f->k.dir);
	assert_int_equal(catalogue_open(path, f->k.keys, true, false, &c, &err), ARK_ENOTFOUND);
	assert_false(fs_exists(path));
	assert_int_equal(catalogue_open(f->path, f->k.keys, false, false, &c, &err), ARK_OK);
	assert_int_equal(catalogue_apply(c, &m.fact, 1, 1, &err), ARK_EIO); /* a reader */
	assert_int_equal(catalogue_sequence(c), 0);
	apply(f->c, &m.fact, 1, 1); /* a writer beside it */
	assert_int_equal(catalogue_sequence(c), 1);
	catalogue_close(c);
	c = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(catalogue_open(f->path, f->k.keys, true, true, &c, &err), ARK_EINPUT);
	assert_non_null(strstr(err.text, "arkki rebuild"));
	assert_null(c);
}

/* Whether another process would find the lock that every connection of a WAL database holds. */
static bool seen_as_open(const char *path)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) { /* a child has none of our locks */
		struct flock lock = {.l_type = F_WRLCK, .l_start = 0x40000002, .l_len = 510};
		int fd = open(path, O_RDWR);

		_exit(fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 ? 2 : lock.l_type != F_UNLCK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 1;
}

/* Else a process that reads beside a server removes the WAL under its writer. */
static void test_catalogue__further_connections_leave_the_locks_of_the_first(void **state)
{
	struct fixture *f = *state;
	struct catalogue *more = NULL;
	struct state *s = NULL;
	char path[300];

	assert_true(seen_as_open(f->path));
	assert_int_equal(catalogue_open(f->path, f->k.keys, false, false, &more, NULL), ARK_OK);
	assert_true(seen_as_open(f->path));
	catalogue_close(more);
	assert_int_equal(catalogue_open(f->path, f->k.keys, true, true, &more, NULL), ARK_OK);
	catalogue_close(more);
	assert_true(seen_as_open(f->path));
	snprintf(path, sizeof(path), "%s/state.sqlite", f->k.dir);
	assert_int_equal(state_open(path, f->k.keys, true, &s, NULL), ARK_OK);
	assert_true(seen_as_open(path));
	state_close(s);
	assert_false(seen_as_open(path));
}

struct nested {
	struct catalogue *c;
	unsigned int rows, inner;
};

static int list_again(void *arg, const struct catalogue_row *row)
{
	struct nested *n = arg;
	struct catalogue_list l = {.limit = 5};

	(void)row;
	n->rows++;
	return catalogue_documents(n->c, &l, NULL, count_row, &n->inner, NULL);
}

static void test_catalogue__a_question_within_the_same_question_is_its_own(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 3;
	struct world *w = make_world(f->c, &seed);
	struct catalogue_list l = {.limit = 5};
	struct nested n = {.c = f->c};

	assert_int_equal(catalogue_documents(f->c, &l, NULL, list_again, &n, NULL), ARK_OK);
	assert_int_equal(n.rows, 5);
	assert_int_equal(n.inner, 25);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(test_catalogue__a_version_comes_back_as_it_was_filed),
	    BOTH(test_catalogue__what_is_not_there_is_not_found),
	    BOTH(test_catalogue__metadata_amends_one_version),
	    BOTH(test_catalogue__requests_are_found_by_their_hash),
	    BOTH(test_catalogue__text_state_is_set_and_survives_new_metadata),
	    BOTH(test_catalogue__disk_holds_no_chosen_name),
	    BOTH(test_catalogue__opening_checks_presence_schema_and_purpose),
	    BOTH(test_catalogue__further_connections_leave_the_locks_of_the_first),
	    BOTH(test_catalogue__a_question_within_the_same_question_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
