/* Reads the text of a schema in Cedar's own syntax into declarations
 * (cedar_schema_private.h). Names are looked up later, by cedar_schema.c.
 *
 * One token ahead is all the grammar needs. A declaration with a fault is
 * passed over up to its `;`, so that several are told at once.
 */
#include <string.h>

#include "policies/cedar_schema_private.h"

#define NOTES_MAX 100u /* annotations of one thing */
#define PATH_BYTES_MAX 4096u

struct reader {
	struct cedar_lexer lexer;
	struct cedar_token token;
	struct cedar_arena *arena;
	struct cedar_faults *faults;
	struct raw_schema *raw;
	struct raw_decl **last;
	struct raw_space **last_space;
	struct cedar_text space;
	unsigned int nodes;
	int status; /* ARK_ENOMEM: stop */
};

static bool out_of_memory(struct reader *r)
{
	r->status = ARK_ENOMEM;
	return false;
}

static void *take(struct reader *r, size_t size)
{
	void *p = cedar_alloc(r->arena, size);

	if (!p)
		r->status = ARK_ENOMEM;
	return p;
}

static void next(struct reader *r)
{
	r->token = cedar_lex(&r->lexer);
}

static bool at(const struct reader *r, const char *text)
{
	return r->token.kind != TOKEN_STRING && cedar_token_is(&r->lexer, &r->token, text);
}

static bool pass(struct reader *r, const char *text)
{
	if (!at(r, text))
		return false;
	next(r);
	return true;
}

/* Tells that something else was expected here; false. */
static bool expected(struct reader *r, const char *what, const char *mend)
{
	struct cedar_text found = {r->lexer.text + r->token.offset, r->token.len};
	char shown[CEDAR_SHOWN];

	if (r->token.kind == TOKEN_END)
		cedar_fault_at(r->faults, "", r->token.offset, mend,
		    "expected %s, but the schema ends here", what);
	else
		cedar_fault_at(r->faults, "", r->token.offset, mend, "expected %s, found `%s`",
		    what, cedar_shown(found, shown));
	return false;
}

static bool need(struct reader *r, const char *sign, const char *mend)
{
	char what[8] = "`?`";

	if (pass(r, sign))
		return true;
	what[1] = sign[0];
	return expected(r, what, mend);
}

static bool reserved(const struct reader *r)
{
	static const char *const words[] = {
	    "true", "false", "if", "then", "else", "in", "is", "like", "has"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (at(r, words[i]))
			return true;
	}
	return false;
}

/* An identifier that is no reserved word. */
static bool read_ident(struct reader *r, const char *what, struct cedar_text *ret)
{
	if (r->token.kind != TOKEN_NAME)
		return expected(r, what, "");
	if (reserved(r))
		return expected(
		    r, what, "this is a reserved word of Cedar; choose another name or quote it");
	*ret = (struct cedar_text){r->lexer.text + r->token.offset, r->token.len};
	next(r);
	return true;
}

static bool read_string(struct reader *r, struct cedar_text *ret)
{
	struct ark_error err = {0};
	int status = cedar_unescape(&r->lexer, &r->token, r->arena, ret, NULL, &err);

	if (status == ARK_ENOMEM)
		return out_of_memory(r);
	if (status) {
		cedar_fault_at(r->faults, "", r->token.offset, "", "%s", err.text);
		return false;
	}
	if (!ret->bytes)
		ret->bytes = "";
	next(r);
	return true;
}

/* An identifier or a string. */
static bool read_word(struct reader *r, const char *what, struct cedar_text *ret)
{
	return r->token.kind == TOKEN_STRING ? read_string(r, ret) : read_ident(r, what, ret);
}

/* Appends "::part" to *path: in place when the text has nothing between the parts. */
static bool lengthen(struct reader *r, struct cedar_text *path, struct cedar_text part)
{
	char *joined;

	if (path->bytes + path->len + 2 == part.bytes) {
		path->len += 2 + part.len;
		return true;
	}
	if (!(joined = take(r, path->len + 2 + part.len)))
		return false;
	memcpy(joined, path->bytes, path->len);
	memcpy(joined + path->len, "::", 2);
	memcpy(joined + path->len + 2, part.bytes, part.len);
	*path = (struct cedar_text){joined, path->len + 2 + part.len};
	return true;
}

/* A::B::C; where `id` is given a string may end it: then *id is set, and path is empty when nothing
 * stood before. */
static bool read_path(
    struct reader *r, const char *what, struct cedar_text *path, struct cedar_text *id)
{
	struct cedar_text part;
	unsigned int parts = 1;

	*path = (struct cedar_text){0};
	if (id && r->token.kind == TOKEN_STRING)
		return read_string(r, id);
	if (!read_ident(r, what, path))
		return false;
	while (pass(r, "::")) {
		if (id && r->token.kind == TOKEN_STRING)
			return read_string(r, id);
		if (++parts > CEDAR_DEPTH_MAX || path->len > PATH_BYTES_MAX)
			return expected(r, "a shorter name", "");
		if (!read_ident(r, "a name after `::`", &part) || !lengthen(r, path, part))
			return false;
	}
	return true;
}

static struct raw_name *new_name(struct reader *r)
{
	struct raw_name *n = take(r, sizeof(*n));

	if (n)
		n->offset = r->token.offset;
	return n;
}

/* Which names a list has. */
enum list_of { LIST_IDENTS, LIST_WORDS, LIST_PATHS, LIST_STRINGS, LIST_ACTIONS };

static bool read_item(struct reader *r, enum list_of of, struct raw_name *n)
{
	struct cedar_text id = {0};

	switch (of) {
	case LIST_IDENTS:
		return read_ident(r, "a name", &n->text);
	case LIST_WORDS:
		return read_word(r, "the name of an action", &n->text);
	case LIST_PATHS:
		return read_path(r, "an entity type", &n->text, NULL);
	case LIST_STRINGS:
		return r->token.kind == TOKEN_STRING
			   ? read_string(r, &n->text)
			   : expected(r, "an id in quotes", "write the id as \"id\"");
	case LIST_ACTIONS:
		if (!read_path(r, "an action", &n->space, &id))
			return false;
		if (id.bytes) {
			n->text = id;
		} else if (memchr(n->space.bytes, ':', n->space.len)) {
			return expected(r, "`::` and the id of an action in quotes",
			    "write the action as Namespace::Action::\"id\"");
		} else {
			n->text = n->space;
			n->space = (struct cedar_text){0};
		}
		return true;
	}
	return false;
}

/* One or more, with commas between them. */
static bool read_list(struct reader *r, enum list_of of, struct raw_name **ret)
{
	struct raw_name **end = ret;

	*ret = NULL;
	do {
		if (!(*end = new_name(r)) || !read_item(r, of, *end))
			return false;
		end = &(*end)->next;
	} while (pass(r, ","));
	return true;
}

/* One, or a list in brackets. */
static bool read_bracketed(
    struct reader *r, enum list_of of, bool may_be_empty, struct raw_name **ret)
{
	*ret = NULL;
	if (!pass(r, "["))
		return (*ret = new_name(r)) && read_item(r, of, *ret);
	if (may_be_empty && pass(r, "]"))
		return true;
	return read_list(r, of, ret) && need(r, "]", "");
}

/* @key or @key("value"), any number; they mean nothing to us but must be well-formed. */
static bool read_notes(struct reader *r)
{
	struct cedar_text keys[NOTES_MAX], value;
	size_t n = 0;

	while (pass(r, "@")) {
		if (n == NOTES_MAX)
			return expected(r, "at most 100 annotations", "");
		if (r->token.kind != TOKEN_NAME)
			return expected(r, "the name of an annotation", "");
		keys[n] = (struct cedar_text){r->lexer.text + r->token.offset, r->token.len};
		for (size_t i = 0; i < n; i++) {
			if (cedar_text_equal(keys[i], keys[n]))
				return expected(r, "another annotation",
				    "the same annotation stands here twice");
		}
		n++;
		next(r);
		if (pass(r, "(")) {
			if (r->token.kind != TOKEN_STRING)
				return expected(r, "the annotation's value in quotes", "");
			if (!read_string(r, &value) || !need(r, ")", ""))
				return false;
		}
	}
	return true;
}

static bool read_type(struct reader *r, unsigned int depth, struct raw_type *ret);

static bool read_attribute(struct reader *r, unsigned int depth, struct raw_attribute *a)
{
	if (!read_notes(r))
		return false;
	a->offset = r->token.offset;
	if (!read_word(r, "the name of an attribute or `}`", &a->name))
		return false;
	a->optional = pass(r, "?");
	return need(r, ":", "write an attribute as `name: Type`") && read_type(r, depth, &a->type);
}

/* What stands between { and }, which is passed too. */
static bool read_record(struct reader *r, unsigned int depth, struct raw_type *ret)
{
	struct raw_attribute **end = &ret->attributes;

	ret->kind = RAW_RECORD;
	while (!pass(r, "}")) {
		if (!(*end = take(r, sizeof(**end))) || !read_attribute(r, depth, *end))
			return false;
		end = &(*end)->next;
		ret->attributes_len++;
		if (!pass(r, ",") && !at(r, "}"))
			return expected(r, "`,` or `}` after the attribute", "");
	}
	return true;
}

/* `depth` levels may stand below. Calls itself at most CEDAR_DEPTH_MAX deep. */
static bool read_type(struct reader *r, unsigned int depth, struct raw_type *ret)
{
	struct raw_type *element;

	ret->offset = r->token.offset;
	if (!depth || ++r->nodes > CEDAR_NODES_MAX)
		return expected(r, "a type that is less deep and less large", "");
	if (pass(r, "{"))
		return read_record(r, depth - 1, ret);
	ret->kind = RAW_NAME;
	if (!read_path(r, "a type", &ret->name, NULL))
		return false;
	if (!at(r, "<") || ret->name.len != 3 || memcmp(ret->name.bytes, "Set", 3) != 0)
		return true;
	next(r);
	if (!(element = take(r, sizeof(*element))) || !read_type(r, depth - 1, element))
		return false;
	ret->kind = RAW_SET;
	ret->element = element;
	return need(r, ">", "");
}

static struct raw_type *new_type(struct reader *r)
{
	struct raw_type *t = take(r, sizeof(*t));

	if (t)
		*t = (struct raw_type){.kind = RAW_RECORD, .offset = r->token.offset};
	return t;
}

/* entity A, B in [C] = {…} tags T;  entity A enum ["x"]; */
static bool read_entity(struct reader *r, struct raw_decl *d)
{
	struct raw_type *shape, *tags;

	if (!read_list(r, LIST_IDENTS, &d->names))
		return false;
	if (!(shape = new_type(r)))
		return false;
	d->shape = shape;
	if (pass(r, "enum")) {
		if (!need(r, "[", "") || !read_list(r, LIST_STRINGS, &d->choices))
			return false;
		return need(r, "]", "");
	}
	if (pass(r, "in") && !read_bracketed(r, LIST_PATHS, true, &d->parents))
		return false;
	shape->offset = r->token.offset;
	if (pass(r, "=") && !at(r, "{"))
		return expected(r, "`{` and the attributes", "");
	if (pass(r, "{") && !read_record(r, CEDAR_DEPTH_MAX - 1, shape))
		return false;
	if (!pass(r, "tags"))
		return true;
	if (!(tags = new_type(r)))
		return false;
	d->tags = tags;
	return read_type(r, CEDAR_DEPTH_MAX, tags);
}

static bool read_context(struct reader *r, struct raw_decl *d)
{
	struct raw_type *t = new_type(r);

	if (!t)
		return false;
	d->context = t;
	if (pass(r, "{"))
		return read_record(r, CEDAR_DEPTH_MAX - 1, t);
	t->kind = RAW_NAME;
	return read_path(r, "`{` or the name of a type", &t->name, NULL);
}

/* principal: A, resource: [B], context: {…} */
static bool read_application(struct reader *r, struct raw_decl *d)
{
	uint32_t start = r->token.offset;
	struct cedar_token word;

	while (!at(r, "}")) {
		bool principal = at(r, "principal"), context = at(r, "context");
		struct raw_name **types = principal ? &d->principals : &d->resources;

		word = r->token;
		if (!principal && !context && !at(r, "resource"))
			return expected(r, "`principal`, `resource` or `context`", "");
		if (context ? d->context != NULL : *types != NULL)
			return expected(r, "each of them once", "this one stands here twice");
		next(r);
		if (!need(r, ":", ""))
			return false;
		if (context ? !read_context(r, d) : !read_bracketed(r, LIST_PATHS, true, types))
			return false;
		if (!context && !*types) {
			r->token = word;
			return expected(r, "at least one entity type",
			    "leave appliesTo out when the action applies to nothing");
		}
		if (!pass(r, ",") && !at(r, "}"))
			return expected(r, "`,` or `}`", "");
	}
	if (!d->principals || !d->resources) {
		cedar_fault_at(r->faults, "", start,
		    "write appliesTo { principal: …, resource: … }", "appliesTo names no %s",
		    d->principals ? "resource" : "principal");
		return false;
	}
	next(r);
	return true;
}

/* action a, "b" in [c] appliesTo {…}; */
static bool read_action(struct reader *r, struct raw_decl *d)
{
	if (!read_list(r, LIST_WORDS, &d->names))
		return false;
	if (pass(r, "in") && !read_bracketed(r, LIST_ACTIONS, false, &d->parents))
		return false;
	if (pass(r, "appliesTo")) {
		d->applies = true;
		if (!need(r, "{", "") || !read_application(r, d))
			return false;
	}
	if (pass(r, "attributes"))
		return need(r, "{", "") &&
		       need(r, "}", "actions have no attributes of their own in Cedar");
	return true;
}

/* type A = T; */
static bool read_common(struct reader *r, struct raw_decl *d)
{
	struct raw_type *t;

	if (!(d->names = new_name(r)) || !read_ident(r, "a name for the type", &d->names->text))
		return false;
	if (!need(r, "=", "write `type Name = Type;`") || !(t = new_type(r)))
		return false;
	d->shape = t;
	return read_type(r, CEDAR_DEPTH_MAX, t);
}

static bool read_decl(struct reader *r)
{
	struct raw_decl *d = take(r, sizeof(*d));
	bool ok;

	if (!d)
		return false;
	d->space = r->space;
	if (pass(r, "entity")) {
		d->kind = RAW_ENTITY;
		ok = read_entity(r, d);
	} else if (pass(r, "action")) {
		d->kind = RAW_ACTION;
		ok = read_action(r, d);
	} else if (pass(r, "type")) {
		d->kind = RAW_COMMON;
		ok = read_common(r, d);
	} else {
		return expected(r,
		    r->space.len ? "`entity`, `action`, `type` or `}`"
				 : "`namespace`, `entity`, `action` or `type`",
		    "");
	}
	if (!ok || !need(r, ";", "put a semicolon after the declaration"))
		return false;
	*r->last = d;
	r->last = &d->next;
	for (const struct raw_name *n = d->names; n; n = n->next)
		r->raw->names[d->kind]++;
	return true;
}

/* Passes to behind the next `;` that is in no braces of this declaration. */
static void recover(struct reader *r)
{
	unsigned int depth = 0;

	for (; r->token.kind != TOKEN_END; next(r)) {
		if (at(r, "{"))
			depth++;
		else if (at(r, "}") && depth)
			depth--;
		else if (at(r, ";"))
			break;
	}
	pass(r, ";");
}

/* namespace A::B { … } — the word is passed already. */
static bool read_space(struct reader *r)
{
	struct raw_space *space = take(r, sizeof(*space));

	if (!space)
		return false;
	space->offset = r->token.offset;
	if (!read_path(r, "a name for the namespace", &space->name, NULL) || !need(r, "{", ""))
		return false;
	*r->last_space = space;
	r->last_space = &space->next;
	r->space = space->name;
	while (!at(r, "}")) {
		if (r->token.kind == TOKEN_END)
			return expected(r, "`}` at the end of the namespace", "");
		if (!read_notes(r) || !read_decl(r)) {
			if (r->status)
				return false;
			recover(r);
		}
	}
	next(r);
	return true;
}

int cedar_schema_read(struct cedar_schema *s, struct cedar_faults *faults, struct raw_schema *ret)
{
	struct reader r = {.lexer = {.text = s->text, .len = s->text_len},
	    .arena = s->arena,
	    .faults = faults,
	    .raw = ret};

	*ret = (struct raw_schema){0};
	r.last = &ret->decls;
	r.last_space = &ret->spaces;
	next(&r);
	while (r.token.kind != TOKEN_END && !r.status) {
		bool ok = read_notes(&r);

		r.space = (struct cedar_text){0};
		if (ok)
			ok = pass(&r, "namespace") ? read_space(&r) : read_decl(&r);
		if (!ok && !r.status)
			recover(&r);
	}
	return r.status;
}
