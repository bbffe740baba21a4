/* Other people's vectors for transparency logs: trees, notes, tiles, proofs. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "archive/checkpoint.h"
#include "archive/ledger_tiles.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static json_t *load(const char *below, const char *test)
{
	char path[512];
	json_t *v;

	unit_corpus(path, below, test);
	v = json_load_file(path, 0, NULL);
	assert_non_null(v);
	return v;
}

static struct merkle_hash hex_hash(const char *hex)
{
	struct merkle_hash h;

	assert_true(hex_decode(&h, sizeof(h), hex, strlen(hex)));
	return h;
}

/* Some vectors carry "don't care 1" for a hash: filled up with zeroes. */
static bool base64_hash(const json_t *text, struct merkle_hash *ret)
{
	const char *s = json_string_value(text);
	struct buf b = BUF_INIT;
	bool ok =
	    s && base64_decode(&b, s, strlen(s)) &&
	    (b.len == sizeof(*ret) || (b.len == 12 && strncmp(b.data, "don't care", 10) == 0));

	*ret = (struct merkle_hash){0};
	if (ok && b.len)
		memcpy(ret, b.data, b.len);
	buf_free(&b);
	return ok;
}

/* A hash that is not 32 bytes cannot even be asked about: that is a refusal too. */
static bool vector_accepted(struct sha256 *sha, const json_t *v, bool inclusion)
{
	struct merkle_hash proof[MERKLE_PROOF_MAX], a, b;
	json_t *list = json_object_get(v, "proof");
	size_t n = json_array_size(list);

	if (n > MERKLE_PROOF_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!base64_hash(json_array_get(list, i), &proof[i]))
			return false;
	if (inclusion)
		return base64_hash(json_object_get(v, "leafHash"), &a) &&
		       base64_hash(json_object_get(v, "root"), &b) &&
		       merkle_inclusion_valid(sha,
			   (uint64_t)json_integer_value(json_object_get(v, "leafIdx")),
			   (uint64_t)json_integer_value(json_object_get(v, "treeSize")), &a, proof,
			   n, &b);
	return base64_hash(json_object_get(v, "root1"), &a) &&
	       base64_hash(json_object_get(v, "root2"), &b) &&
	       merkle_consistency_valid(sha,
		   (uint64_t)json_integer_value(json_object_get(v, "size1")),
		   (uint64_t)json_integer_value(json_object_get(v, "size2")), &a, &b, proof, n);
}

static void test_tlog_vectors__merkle_proofs_are_accepted_and_refused_as_published(void **state)
{
	struct sha256 *sha = sha256_new();
	size_t cap = 0, inclusion = 0, consistency = 0;
	char path[512], *line = NULL;
	FILE *f;

	(void)state;
	unit_corpus(path, "tlog/merkle/all.jsonl", __func__);
	f = fopen(path, "r");
	assert_non_null(f);
	while (getline(&line, &cap, f) > 0) {
		/* 2^64 - 1 is beyond jansson's integers: -1 is the same after the cast */
		char *big = strstr(line, "18446744073709551615");
		bool want, is_inclusion;
		const char *name;
		json_t *v;

		if (big)
			memcpy(big, "-1                  ", 20);
		v = json_loads(line, 0, NULL);
		name = json_text(v, "path");
		if (!name) /* a subtree vector with a number beyond 2^63 */
			continue;
		want = !json_is_true(json_object_get(v, "wantErr"));
		is_inclusion = strncmp(name, "testdata/inclusion/", 19) == 0;

		if (is_inclusion || strncmp(name, "testdata/consistency/", 21) == 0) {
			if (vector_accepted(sha, v, is_inclusion) != want)
				fail_msg("%s: should be %s", name, want ? "valid" : "invalid");
			*(is_inclusion ? &inclusion : &consistency) += 1;
		}
		json_decref(v);
	}
	printf("tlog vectors: %zu inclusion, %zu consistency proofs\n", inclusion, consistency);
	assert_int_equal(inclusion, 98);
	assert_int_equal(consistency, 98);
	free(line);
	fclose(f);
	sha256_free(sha);
}

static void test_tlog_vectors__rfc6962_hashes(void **state)
{
	json_t *v = load("tlog/merkle/rfc6962-hash-vectors.json", __func__);
	json_t *leaves = json_object_get(v, "leaf_inputs_hex");
	json_t *roots = json_object_get(v, "root_hashes_hex_by_size");
	struct merkle_tree *t = calloc(1, sizeof(*t));
	struct merkle_hash h, want;

	(void)state;
	t->sha = sha256_new();
	for (size_t i = 0;; i++) {
		const char *hex = json_string_value(json_array_get(leaves, i));
		unsigned char leaf[64];

		merkle_tree_root(t, &h);
		want = hex_hash(json_string_value(json_array_get(roots, i)));
		assert_memory_equal(&h, &want, sizeof(h));
		if (!hex)
			break;
		assert_true(hex_decode(leaf, strlen(hex) / 2, hex, strlen(hex)));
		merkle_leaf(t->sha, leaf, strlen(hex) / 2, &h);
		assert_int_equal(merkle_tree_add(t, &h), 0);
	}
	printf("tlog vectors: %zu roots of RFC 6962's example tree\n", json_array_size(roots));
	sha256_free(t->sha);
	free(t);
	json_decref(v);
}

/* A tree whose tiles lie in memory, for proofs. */
struct forest {
	struct merkle_hash *levels[3];
	uint64_t size;
};

static int forest_tile(void *arg, unsigned int level, uint64_t n, unsigned int width,
    struct merkle_hash *ret, struct ark_error *err)
{
	struct forest *f = arg;

	(void)err;
	assert_true(width <= merkle_tile_width(f->size, level, n));
	memcpy(ret, f->levels[level] + n * 256, width * sizeof(*ret));
	return ARK_OK;
}

static int forest_full(void *arg, unsigned int level, uint64_t n, const struct merkle_hash *hashes)
{
	struct forest *f = arg;
	struct sha256 *sha = sha256_new();

	memcpy(f->levels[level] + n * 256, hashes, 256 * sizeof(*hashes));
	merkle_tile_root(sha, hashes, &f->levels[level + 1][n]);
	sha256_free(sha);
	return 0;
}

static void check_proofs(struct forest *f, const struct merkle_tree *t, uint64_t old_size,
    const struct merkle_hash *old_root)
{
	struct merkle_source src = {t->size, t->sha, forest_tile, f};
	struct merkle_hash proof[MERKLE_PROOF_MAX], root;
	uint64_t at[] = {0, 1, t->size / 3, t->size / 2, t->size - 1};
	size_t n;

	f->size = t->size;
	memcpy(
	    f->levels[0] + (t->size & ~UINT64_C(255)), t->edge[0], (t->size & 255) * sizeof(root));
	merkle_tree_root(t, &root);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(merkle_inclusion(&src, at[i] % t->size, proof, &n, NULL), 0);
		assert_true(merkle_inclusion_valid(t->sha, at[i] % t->size, t->size,
		    &f->levels[0][at[i] % t->size], proof, n, &root));
		if (n) {
			proof[n / 2].bytes[3] ^= 1;
			assert_false(merkle_inclusion_valid(t->sha, at[i] % t->size, t->size,
			    &f->levels[0][at[i] % t->size], proof, n, &root));
		}
	}
	assert_int_equal(merkle_consistency(&src, old_size, proof, &n, NULL), 0);
	if (old_size)
		assert_true(
		    merkle_consistency_valid(t->sha, old_size, t->size, old_root, &root, proof, n));
	assert_int_equal(merkle_inclusion(&src, t->size, proof, &n, NULL), ARK_EINPUT);
}

static void test_tlog_vectors__roots_and_proofs_across_tile_boundaries(void **state)
{
	json_t *v = load("tlog/generated/rfc6962-roots.json", __func__);
	json_t *roots = json_object_get(v, "roots_hex");
	struct merkle_tree *t = calloc(1, sizeof(*t));
	struct merkle_hash h, old, want;
	struct forest f = {0};
	uint64_t old_size = 0;
	size_t checked = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		f.levels[i] = calloc(i ? 512 : 70144, sizeof(h));
	*t = (struct merkle_tree){.sha = sha256_new(), .full = forest_full, .arg = &f};
	merkle_empty(&old);
	for (uint64_t i = 0; i <= 70000; i++) {
		char key[24], leaf[32];
		const char *hex;

		snprintf(key, sizeof(key), "%llu", (unsigned long long)i);
		hex = json_text(roots, key);
		if (hex) {
			want = hex_hash(hex);
			merkle_tree_root(t, &h);
			assert_memory_equal(&h, &want, sizeof(h));
			if (i)
				check_proofs(&f, t, old_size, &old);
			old = h, old_size = i;
			checked++;
		}
		snprintf(leaf, sizeof(leaf), "leaf %llu", (unsigned long long)i);
		merkle_leaf(t->sha, leaf, strlen(leaf), &h);
		assert_int_equal(merkle_tree_add(t, &h), 0);
	}
	printf("tlog vectors: %zu roots of sizes to 70000, with proofs\n", checked);
	assert_int_equal(checked, json_object_size(roots));
	for (int i = 0; i < 3; i++)
		free(f.levels[i]);
	sha256_free(t->sha);
	free(t);
	json_decref(v);
}

static void test_tlog_vectors__tile_paths_format_and_parse(void **state)
{
	json_t *v = load("tlog/tessera/tile-paths.json", __func__), *one;
	char path[TILE_PATH_MAX], text[128];
	size_t i, n = 0;

	(void)state;
	json_array_foreach(json_object_get(v, "entries_path_for_log_index"), i, one)
	{
		uint64_t index = (uint64_t)json_integer_value(json_object_get(one, "index"));
		uint64_t size = (uint64_t)json_integer_value(json_object_get(one, "log_size"));
		struct tile_id id = {
		    TILE_ENTRIES, index / 256, merkle_tile_width(size, 0, index / 256)};

		tile_path_format(path, &id);
		assert_string_equal(path, json_text(one, "path"));
		n++;
	}
	json_array_foreach(json_object_get(v, "tile_path"), i, one)
	{
		int partial = (int)json_integer_value(json_object_get(one, "partial"));
		struct tile_id back,
		    id = {(int)json_integer_value(json_object_get(one, "level")),
			(uint64_t)json_integer_value(json_object_get(one, "index")),
			partial ? (unsigned int)partial : MERKLE_WIDTH};

		tile_path_format(path, &id);
		assert_string_equal(path, json_text(one, "path"));
		assert_true(tile_path_parse(path, &back));
		assert_true(back.level == id.level && back.n == id.n && back.width == id.width);
		n++;
	}
	json_array_foreach(json_object_get(v, "parse"), i, one)
	{
		struct tile_id id;
		bool want = !json_is_true(json_object_get(one, "error")), ok;

		snprintf(text, sizeof(text), "tile/%s/%s", json_text(one, "level"),
		    json_text(one, "index"));
		ok = tile_path_parse(text, &id);
		if (ok != want)
			fail_msg("%s should be %s", text, want ? "a tile path" : "refused");
		if (ok) {
			int partial = (int)json_integer_value(json_object_get(one, "want_partial"));

			assert_int_equal(
			    id.n, json_integer_value(json_object_get(one, "want_index")));
			assert_int_equal(
			    id.level, json_integer_value(json_object_get(one, "want_level")));
			assert_int_equal(id.width, partial ? partial : 256);
		}
		n++;
	}
	printf("tlog vectors: %zu tile paths\n", n);
	json_decref(v);
}

static void test_tlog_vectors__tile_widths_of_the_specification(void **state)
{
	(void)state;
	assert_int_equal(merkle_tile_width(70000, 0, 272), 256);
	assert_int_equal(merkle_tile_width(70000, 0, 273), 112);
	assert_int_equal(merkle_tile_width(70000, 0, 274), 0);
	assert_int_equal(merkle_tile_width(70000, 1, 1), 17);
	assert_int_equal(merkle_tile_width(70000, 2, 0), 1);
	assert_int_equal(merkle_tile_width(256, 1, 0), 1);
	assert_int_equal(merkle_tile_width(256, 0, 1), 0);
}

static void test_tlog_vectors__published_notes_verify_and_changed_ones_do_not(void **state)
{
	json_t *v = load("tlog/c2sp/spec-examples.json", __func__);
	json_t *pair = json_object_get(v, "note_with_vkey");
	char *text = strdup(json_text(pair, "note"));
	struct checkpoint c;
	struct note note;
	struct note_key key;
	struct buf again = BUF_INIT;
	const char *syntax = json_text(v, "checkpoint_with_cosignature_syntax_only");

	(void)state;
	assert_int_equal(note_key_parse(json_text(pair, "vkey"), &key, NULL), 0);
	note_key_format(&key, &again);
	assert_string_equal(again.data, json_text(pair, "vkey"));
	assert_int_equal(note_parse(text, strlen(text), &note, NULL), 0);
	assert_int_equal(note_verify(&note, &key, NULL), 0);
	text[3] ^= 2;
	assert_int_equal(note_verify(&note, &key, NULL), ARK_ECORRUPT);
	key.id ^= 1;
	assert_int_equal(note_verify(&note, &key, NULL), ARK_ENOTFOUND);
	assert_int_equal(note_parse(syntax, strlen(syntax), &note, NULL), 0);
	assert_int_equal(note.signatures_len, 2);
	assert_int_equal(
	    checkpoint_parse(note.text, note.text_len, "example.com/behind-the-sofa", &c, NULL), 0);
	assert_int_equal(c.size, 20852163);
	buf_free(&again);
	free(text);
	json_decref(v);
}

static void test_tlog_vectors__sigsum_and_sumdb_checkpoints_verify(void **state)
{
	json_t *v = load("tlog/sigsum/sigsum-vectors.json", __func__);
	json_t *own = json_object_get(v, "checkpoint_signed"),
	       *db = json_object_get(v, "sumdb_checkpoint");
	json_t *id = json_object_get(v, "key_id");
	const char *note_text = json_text(own, "note");
	unsigned char seed[32];
	struct checkpoint c;
	struct note_key key;
	struct note note;
	struct buf b = BUF_INIT;

	(void)state;
	assert_true(hex_decode(seed, 32, json_text(own, "seed_hex_TEST_ONLY"), 64));
	assert_int_equal(note_parse(note_text, strlen(note_text), &note, NULL), 0);
	b.limit = 0;
	buf_add(&b, note.signatures[0].name, note.signatures[0].name_len);
	assert_int_equal(note_key_from_seed(b.data, seed, &key, NULL), 0);
	assert_int_equal(note_verify(&note, &key, NULL), 0);
	buf_clear(&b);
	assert_int_equal(note_sign(&b, note.text, note.text_len, &key, seed, NULL), 0);
	assert_string_equal(b.data, note_text);

	note_text = json_text(db, "note");
	assert_int_equal(note_key_parse(json_text(db, "vkey"), &key, NULL), 0);
	assert_int_equal(note_parse(note_text, strlen(note_text), &note, NULL), 0);
	assert_int_equal(note_verify(&note, &key, NULL), 0);
	assert_int_equal(
	    checkpoint_parse(note.text, note.text_len, "go.sum database tree", &c, NULL), 0);
	assert_int_equal(c.size, 30055305);

	buf_clear(&b);
	buf_addf(&b, "%s+%s+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", json_text(id, "name"),
	    json_text(id, "key_id_hex"));
	assert_int_equal(note_key_parse(b.data, &key, NULL), 0);
	b.data[strlen(json_text(id, "name")) + 2] ^= 1;
	assert_int_equal(note_key_parse(b.data, &key, NULL), ARK_EINPUT);
	buf_free(&b);
	json_decref(v);
}

/* Upstream's valid bodies have roots that are not 32 bytes: those get one that is. */
static void test_tlog_vectors__checkpoint_bodies(void **state)
{
	json_t *v = load("tlog/transparency-dev/checkpoint-bodies.json", __func__), *one;
	static const char root[] = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
	struct checkpoint c;
	size_t i, n = 0;

	(void)state;
	json_array_foreach(json_object_get(v, "cases"), i, one)
	{
		const char *body = json_text(one, "body"), *at = NULL, *end = NULL;
		/* tlog-checkpoint allows no empty lines, upstream does */
		bool want = !json_is_true(json_object_get(one, "error")) && !strstr(body, "\n\n");
		struct buf b = BUF_INIT;

		at = strchr(body, '\n');
		at = at ? strchr(at + 1, '\n') : NULL;
		end = at ? strchr(at + 1, '\n') : NULL;
		if (end && !json_is_true(json_object_get(one, "error"))) {
			assert_int_equal(
			    checkpoint_parse(body, strlen(body), NULL, &c, NULL), ARK_EINPUT);
			buf_add(&b, body, (size_t)(at + 1 - body));
			buf_adds(&b, root);
			buf_adds(&b, end);
		} else {
			buf_adds(&b, body);
		}
		if ((checkpoint_parse(b.data, b.len, NULL, &c, NULL) == 0) != want)
			fail_msg("%s", json_text(one, "desc"));
		buf_free(&b);
		n++;
	}
	printf("tlog vectors: %zu checkpoint bodies\n", n);
	json_decref(v);
}

static void test_tlog_vectors__go_mod_trees(void **state)
{
	json_t *v = load("tlog/golang-mod/tlog-vectors.json", __func__), *one;
	json_t *tree = json_object_get(v, "format_tree");
	struct sha256 *sha = sha256_new();
	struct checkpoint c = {.size = 123456789012};
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	merkle_leaf(sha, "hello world", 11, &c.root);
	checkpoint_format(json_text(tree, "origin"), &c, &b);
	assert_string_equal(b.data, json_text(tree, "want"));
	assert_int_equal(checkpoint_parse(b.data, b.len, json_text(tree, "origin"), &c, NULL), 0);
	json_array_foreach(json_object_get(v, "bad_trees"), i, one)
	    assert_int_equal(checkpoint_parse(json_string_value(one), json_string_length(one),
				 json_text(tree, "origin"), &c, NULL),
		ARK_EINPUT);
	buf_free(&b);
	sha256_free(sha);
	json_decref(v);
}

static void test_tlog_vectors__offline_proofs(void **state)
{
	json_t *v = load("tlog/transparency-dev/tlog-proof.json", __func__), *one;
	size_t i, n = 0;

	(void)state;
	json_array_foreach(json_object_get(v, "marshal"), i, one)
	{
		const char *want = json_text(one, "want"), *extra = json_text(one, "extra");
		struct tlog_proof p;
		struct buf b = BUF_INIT;

		assert_int_equal(tlog_proof_parse(want, strlen(want), &p, NULL), 0);
		assert_int_equal(p.index, json_integer_value(json_object_get(one, "index")));
		assert_int_equal(p.hashes_len, json_array_size(json_object_get(one, "hashes")));
		assert_string_equal(p.checkpoint, json_text(one, "checkpoint"));
		if (extra)
			assert_string_equal(p.extra.data, extra);
		tlog_proof_format(&p, &b);
		assert_string_equal(b.data, want);
		buf_free(&p.extra);
		buf_free(&b);
		n++;
	}
	json_array_foreach(json_object_get(v, "errors"), i, one)
	{
		struct tlog_proof p;

		assert_int_equal(tlog_proof_parse(json_text(one, "proof"),
				     strlen(json_text(one, "proof")), &p, NULL),
		    ARK_EINPUT);
		n++;
	}
	printf("tlog vectors: %zu offline proofs\n", n);
	json_decref(v);
}

/* Tessera's log of 15 entries: every size's checkpoint, tile and bundle. */
static void test_tlog_vectors__tessera_log_reads_and_verifies(void **state)
{
	char dir[512], path[600];
	struct buf vkey = BUF_INIT, b = BUF_INIT, tile = BUF_INIT;
	struct merkle_tree *t = calloc(1, sizeof(*t));
	struct note_key key;

	(void)state;
	unit_corpus(dir, "tlog/tessera/vkey.txt", __func__);
	assert_int_equal(fs_read_file(dir, 1000, &vkey, NULL), 0);
	vkey.data[strcspn(vkey.data, "\n")] = '\0';
	assert_int_equal(note_key_parse(vkey.data, &key, NULL), 0);
	unit_corpus(dir, "tlog/tessera/testdata/log", __func__);
	t->sha = sha256_new();
	for (unsigned int size = 0; size <= 15; size++) {
		struct tile_id id = {0, 0, size};
		struct merkle_hash root;
		struct checkpoint c;
		struct note note;

		snprintf(path, sizeof(path), "%s/checkpoint.%u", dir, size);
		buf_clear(&b);
		assert_int_equal(fs_read_file(path, 1000, &b, NULL), 0);
		assert_int_equal(note_parse(b.data, b.len, &note, NULL), 0);
		assert_int_equal(note_verify(&note, &key, NULL), 0);
		assert_int_equal(checkpoint_parse(note.text, note.text_len, key.name, &c, NULL), 0);
		assert_int_equal(c.size, size);
		if (size) {
			buf_clear(&tile);
			assert_int_equal(tile_read(dir, &id, &tile, NULL), 0);
			assert_int_equal(tile.len, 32 * size);
			memcpy(&root, tile.data + 32 * (size - 1), 32);
			assert_int_equal(merkle_tree_add(t, &root), 0);
		}
		merkle_tree_root(t, &root);
		assert_memory_equal(&root, &c.root, 32);
	}
	printf("tlog vectors: 16 checkpoints and 15 tiles of Tessera's log\n");
	sha256_free(t->sha);
	free(t);
	buf_free(&vkey), buf_free(&b), buf_free(&tile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_tlog_vectors__merkle_proofs_are_accepted_and_refused_as_published),
	    cmocka_unit_test(test_tlog_vectors__rfc6962_hashes),
	    cmocka_unit_test(test_tlog_vectors__roots_and_proofs_across_tile_boundaries),
	    cmocka_unit_test(test_tlog_vectors__tile_paths_format_and_parse),
	    cmocka_unit_test(test_tlog_vectors__tile_widths_of_the_specification),
	    cmocka_unit_test(test_tlog_vectors__published_notes_verify_and_changed_ones_do_not),
	    cmocka_unit_test(test_tlog_vectors__sigsum_and_sumdb_checkpoints_verify),
	    cmocka_unit_test(test_tlog_vectors__checkpoint_bodies),
	    cmocka_unit_test(test_tlog_vectors__go_mod_trees),
	    cmocka_unit_test(test_tlog_vectors__offline_proofs),
	    cmocka_unit_test(test_tlog_vectors__tessera_log_reads_and_verifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
