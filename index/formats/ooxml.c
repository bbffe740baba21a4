#include "index/formats/ooxml.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RELATIONS_MAX = 100000 };

/* ---- kinds of parts ---- */
static enum ooxml_kind part_kind(const char *content_type)
{
	static const struct {
		const char *tail;
		enum ooxml_kind kind;
	} kinds[] = {{"wordprocessingml.document.main+xml", PART_WORD},
	    {"wordprocessingml.template.main+xml", PART_WORD},
	    {"ms-word.document.macroenabled.main+xml", PART_WORD},
	    {"ms-word.template.macroenabledtemplate.main+xml", PART_WORD},
	    {"spreadsheetml.sheet.main+xml", PART_BOOK},
	    {"spreadsheetml.template.main+xml", PART_BOOK},
	    {"ms-excel.sheet.macroenabled.main+xml", PART_BOOK},
	    {"ms-excel.template.macroenabled.main+xml", PART_BOOK},
	    {"ms-excel.addin.macroenabled.main+xml", PART_BOOK},
	    {"presentationml.presentation.main+xml", PART_SHOW},
	    {"presentationml.template.main+xml", PART_SHOW},
	    {"presentationml.slideshow.main+xml", PART_SHOW},
	    {"ms-powerpoint.presentation.macroenabled.main+xml", PART_SHOW},
	    {"ms-powerpoint.template.macroenabled.main+xml", PART_SHOW},
	    {"ms-powerpoint.slideshow.macroenabled.main+xml", PART_SHOW},
	    {"wordprocessingml.header+xml", PART_HEADER},
	    {"wordprocessingml.footer+xml", PART_FOOTER},
	    {"wordprocessingml.footnotes+xml", PART_NOTES},
	    {"wordprocessingml.endnotes+xml", PART_NOTES}, {"ml.comments+xml", PART_COMMENTS},
	    {"ms-excel.threadedcomments+xml", PART_COMMENTS},
	    {"wordprocessingml.document.glossary+xml", PART_GLOSSARY},
	    {"officedocument.drawing+xml", PART_DRAWING},
	    {"drawingml.diagramdata+xml", PART_DIAGRAM}, {"drawingml.chart+xml", PART_CHART},
	    {"spreadsheetml.worksheet+xml", PART_SHEET},
	    {"spreadsheetml.chartsheet+xml", PART_SHEET},
	    {"spreadsheetml.sharedstrings+xml", PART_STRINGS},
	    {"presentationml.slide+xml", PART_SLIDE},
	    {"presentationml.notesslide+xml", PART_SLIDE_NOTES},
	    {"presentationml.slidemaster+xml", PART_MASTER}, {"text/html", PART_CHUNK},
	    {"application/xhtml+xml", PART_CHUNK}, {"message/rfc822", PART_CHUNK}};
	size_t len = strlen(content_type);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strlen(kinds[i].tail);

		if (len >= n && strcasecmp(content_type + len - n, kinds[i].tail) == 0)
			return kinds[i].kind;
	}
	return PART_OTHER;
}

struct types {
	struct ooxml *x;
	enum ooxml_kind *kinds; /* of each entry of the ZIP */
	bool *settled;          /* by an override, which is stronger than an extension's default */
};

static bool entry_has_extension(const struct zip_entry *e, const char *extension)
{
	size_t n = strlen(extension);

	return e->name_len > n && e->name[e->name_len - n - 1] == '.' &&
	       strncasecmp(e->name + e->name_len - n, extension, n) == 0;
}

static void types_start(void *arg, const char *name, const struct office_atts *atts)
{
	char type[160], value[OFFICE_NAME_SIZE];
	struct types *t = arg;
	const struct office_zip *zip = &t->x->o->zip;
	const struct zip_entry *e;
	enum ooxml_kind kind = part_kind(office_att(atts, "ContentType", type, sizeof(type)));

	if (strcmp(name, "Override") == 0) {
		office_att(atts, "PartName", value, sizeof(value));
		e = office_zip_find(zip, value[0] == '/' ? value + 1 : value);
		if (e) {
			t->kinds[e - zip->entries] = kind;
			t->settled[e - zip->entries] = true;
		}
	} else if (strcmp(name, "Default") == 0 && kind != PART_OTHER) {
		office_att(atts, "Extension", value, sizeof(value));
		for (size_t i = 0; *value && i < zip->entries_len; i++) {
			if (!t->settled[i] && entry_has_extension(&zip->entries[i], value))
				t->kinds[i] = kind;
		}
	}
}

/* [Content_Types].xml into x->parts. */
static bool find_parts(struct ooxml *x)
{
	static const struct office_events events = {.start = types_start};
	const struct office_zip *zip = &x->o->zip;
	struct types t = {.x = x};
	bool done = false;

	t.kinds = calloc(zip->entries_len, sizeof(*t.kinds));
	t.settled = calloc(zip->entries_len, sizeof(*t.settled));
	x->parts = calloc(zip->entries_len, sizeof(*x->parts));
	if (!t.kinds || !t.settled || !x->parts)
		goto out;
	office_part_named(x->o, "[Content_Types].xml", &events, &t);
	for (size_t i = 0; i < zip->entries_len; i++) {
		struct ooxml_part *part = &x->parts[x->parts_len];
		const struct zip_entry *e = &zip->entries[i];

		if (t.kinds[i] == PART_OTHER && e->name_len > 0 &&
		    memmem(e->name, e->name_len, "/embeddings/", 12))
			t.kinds[i] = PART_EMBEDDED;
		if (t.kinds[i] == PART_OTHER || e->name_len >= sizeof(part->name))
			continue;
		part->entry = e;
		part->kind = t.kinds[i];
		memcpy(part->name, e->name, e->name_len);
		x->parts_len++;
	}
	done = true;
out:
	free(t.kinds);
	free(t.settled);
	return done;
}

const struct ooxml_part *ooxml_part_of(const struct ooxml *x, const char *name)
{
	for (size_t i = 0; i < x->parts_len; i++) {
		if (strcasecmp(x->parts[i].name, name) == 0)
			return &x->parts[i];
	}
	return NULL;
}

static const struct ooxml_part *first_of(const struct ooxml *x, enum ooxml_kind kind)
{
	for (size_t i = 0; i < x->parts_len; i++) {
		if (x->parts[i].kind == kind)
			return &x->parts[i];
	}
	return NULL;
}

/* ---- relations ---- */
static void relations_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct ooxml_relations *r = arg;
	char target[OFFICE_NAME_SIZE], mode[16];
	struct ooxml_relation *one;

	if (strcmp(name, "Relationship") != 0 || r->len == RELATIONS_MAX)
		return;
	if (r->len == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 16;
		struct ooxml_relation *list = reallocarray(r->list, cap, sizeof(*list));

		if (!list)
			return;
		r->list = list, r->cap = cap;
	}
	one = &r->list[r->len];
	office_att(atts, "Id", one->id, sizeof(one->id));
	office_att(atts, "Target", target, sizeof(target));
	one->external =
	    strcasecmp(office_att(atts, "TargetMode", mode, sizeof(mode)), "External") == 0;
	if (one->external)
		memcpy(one->target, target, sizeof(target));
	else if (!office_resolve(r->base, target, one->target, sizeof(one->target)))
		return;
	r->len++;
}

bool ooxml_relations(struct ooxml *x, const char *part, struct ooxml_relations *ret)
{
	static const struct office_events events = {.start = relations_start};
	const char *slash = strrchr(part, '/');
	int dir = slash ? (int)(slash - part) + 1 : 0;
	struct buf name = BUF_INIT;
	bool done;

	*ret = (struct ooxml_relations){.base = part};
	buf_addf(&name, "%.*s_rels/%s.rels", dir, part, part + dir);
	done = !buf_failed(&name);
	if (done)
		office_part_named(x->o, name.data, &events, ret);
	buf_free(&name);
	return done;
}

void ooxml_relations_free(struct ooxml_relations *r)
{
	free(r->list);
	memset(r, 0, sizeof(*r));
}

const char *ooxml_relation(const struct ooxml_relations *r, const char *id)
{
	for (size_t i = 0; i < r->len; i++) {
		if (!r->list[i].external && strcmp(r->list[i].id, id) == 0)
			return r->list[i].target;
	}
	return NULL;
}

/* ---- text ---- */
/* What stands in the file and is not the document's text: what was deleted, codes of fields, and the
 * second form of what has two (mc:Fallback). */
static bool is_skipped(const char *name)
{
	static const char *const names[] = {"del", "moveFrom", "delText", "instrText",
	    "delInstrText", "fldData", "binData", "Fallback", "styles", "numCache", NULL};

	return office_among(name, names);
}

/* w:t and a:t; c:v of charts; p:text of comments. */
static bool is_run(const char *name)
{
	return strcmp(name, "t") == 0 || strcmp(name, "v") == 0 || strcmp(name, "text") == 0;
}

static void text_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct ooxml_text *t = arg;
	struct textsink *out = t->o->out;
	char value[32];

	if (t->skip || is_skipped(name)) {
		t->code = !t->skip && strcmp(name, "instrText") == 0;
		t->skip++;
		return;
	}
	if (is_run(name)) {
		t->run++;
	} else if (strcmp(name, "p") == 0) {
		textsink_gap(out, !t->cells               ? GAP_PARAGRAPH
				  : t->cell_has_paragraph ? GAP_LINE
							  : GAP_NONE);
		t->cell_has_paragraph = true;
	} else if (strcmp(name, "tc") == 0) {
		textsink_gap(out, GAP_SPACE);
		t->cells++;
		t->cell_has_paragraph = false;
	} else if (strcmp(name, "tab") == 0 || strcmp(name, "ptab") == 0) {
		textsink_gap(out, GAP_SPACE);
	} else if (strcmp(name, "tr") == 0 || strcmp(name, "br") == 0 || strcmp(name, "cr") == 0) {
		textsink_gap(out, GAP_LINE);
	} else if (strcmp(name, "noBreakHyphen") == 0) {
		textsink_add(out, "-", 1, false);
	} else if (strcmp(name, "fld") == 0 &&
		   strcmp(office_att(atts, "type", value, sizeof(value)), "slidenum") == 0) {
		t->skip = 1;
	} else if (strcmp(name, "ph") == 0 && t->master) {
		/* until the end of its shape, which counts from here */
		t->placeholder = strcmp(office_att(atts, "type", value, sizeof(value)), "ftr") != 0;
	}
}

static void text_end(void *arg, const char *name)
{
	struct ooxml_text *t = arg;
	struct textsink *out = t->o->out;

	if (t->skip) {
		t->skip--;
		t->code &= t->skip > 0;
		return;
	}
	if (is_run(name) && t->run) {
		t->run--;
	} else if (strcmp(name, "p") == 0 && !t->cells) {
		textsink_gap(out, GAP_PARAGRAPH);
	} else if (strcmp(name, "tc") == 0 && t->cells) {
		t->cells--;
		/* a table within a cell: the outer cell goes on in a line of its own */
		t->cell_has_paragraph = true;
	} else if (strcmp(name, "tbl") == 0) {
		textsink_gap(out, t->cells ? GAP_LINE : GAP_PARAGRAPH);
	} else if (strcmp(name, "pt") == 0 || strcmp(name, "comment") == 0 ||
		   strcmp(name, "cm") == 0) {
		textsink_gap(out, GAP_LINE);
	} else if (strcmp(name, "sp") == 0) {
		t->placeholder = false;
	}
}

/* Of a field's code only where it points to. */
static void keep_links(struct ooxml_text *t, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = 0;

		while (at + n < len && !strchr(" \t\r\n\"", text[at + n]))
			n++;
		if (memmem(text + at, n, "://", 3)) {
			buf_add(&t->links, text + at, n);
			buf_addc(&t->links, '\n');
		}
		at += n + 1;
	}
}

static void text_text(void *arg, const char *text, size_t len)
{
	struct ooxml_text *t = arg;

	if (t->code)
		keep_links(t, text, len);
	if (t->run && !t->skip && !t->placeholder)
		textsink_add(t->o->out, text, len, false);
}

const struct office_events ooxml_text_events = {
    .start = text_start, .end = text_end, .text = text_text};

void ooxml_text(struct ooxml *x, const struct ooxml_part *part)
{
	struct ooxml_text t = {
	    .o = x->o, .master = part->kind == PART_MASTER, .links = {.limit = 1 << 20}};

	textsink_gap(x->o->out, GAP_PARAGRAPH);
	office_part(x->o, part->entry, &ooxml_text_events, &t);
	textsink_gap(x->o->out, GAP_PARAGRAPH);
	if (t.links.len)
		textsink_add(x->o->out, t.links.data, t.links.len, true);
	buf_free(&t.links);
}

void ooxml_text_of(struct ooxml *x, enum ooxml_kind kind)
{
	for (size_t i = 0; i < x->parts_len; i++) {
		if (x->parts[i].kind == kind)
			ooxml_text(x, &x->parts[i]);
	}
}

/* Documents in the document: those that Word merges into the text when it opens the file (in HTML or as
 * a mail), and those that lie in it as files. Objects of unknown kinds are pictures of something: no names
 * of them. */
static void add_document(struct ooxml *x, const struct ooxml_part *part, const char *name)
{
	struct buf bytes = BUF_INIT;
	char type[KIND_SIZE];

	if (!office_zip_load(&x->o->zip, part->entry, OFFICE_LOADED_MAX, &bytes) || !bytes.len)
		goto out;
	kind_of(NULL, part->name, bytes.data, bytes.len, type);
	if (!name && strcmp(type, "text/html") == 0)
		office_html(x->o, bytes.data, bytes.len);
	else if (!format_general.reads(type) && format_find(type))
		format_member(x->o->out, name, type, bytes.data, bytes.len);
out:
	buf_free(&bytes);
}

static void add_documents(struct ooxml *x, enum ooxml_kind kind)
{
	for (size_t i = 0; i < x->parts_len; i++) {
		const struct ooxml_part *part = &x->parts[i];
		const char *slash = strrchr(part->name, '/');

		if (part->kind == kind)
			add_document(x, part,
			    kind == PART_CHUNK ? NULL
			    : slash            ? slash + 1
					       : part->name);
	}
}

/* Where the package points to outside: whoever looks for a document that calls home finds it. */
static void add_external(struct ooxml *x)
{
	for (size_t i = 0; i < x->parts_len; i++) {
		struct ooxml_relations r;

		if (!ooxml_relations(x, x->parts[i].name, &r))
			return;
		for (size_t k = 0; k < r.len; k++) {
			if (!r.list[k].external)
				continue;
			textsink_gap(x->o->out, GAP_LINE);
			textsink_add(x->o->out, r.list[k].target, strlen(r.list[k].target), false);
		}
		ooxml_relations_free(&r);
	}
}

static void read_word(struct ooxml *x, const struct ooxml_part *main)
{
	ooxml_text_of(x, PART_HEADER);
	ooxml_text(x, main);
	add_documents(x, PART_CHUNK);
	ooxml_text_of(x, PART_NOTES);
	ooxml_text_of(x, PART_DIAGRAM);
	ooxml_text_of(x, PART_CHART);
	ooxml_text_of(x, PART_FOOTER);
	ooxml_text_of(x, PART_COMMENTS);
	ooxml_text_of(x, PART_GLOSSARY);
}

enum format_outcome ooxml_read(struct office *o)
{
	enum format_outcome outcome;
	struct ooxml x = {.o = o};
	const struct ooxml_part *main;

	if (!find_parts(&x)) {
		outcome =
		    format_none(o->out, "the document needs more memory than a decoder may use");
		goto out;
	}
	/* first, as a title from within (HTML) gives way */
	if ((main = first_of(&x, PART_WORD)))
		read_word(&x, main);
	else if ((main = first_of(&x, PART_BOOK)))
		ooxml_sheets(&x, main);
	else if ((main = first_of(&x, PART_SHOW)))
		ooxml_slides(&x, main);
	office_properties(o, "docProps/core.xml");
	if (main) {
		add_external(&x);
		add_documents(&x, PART_EMBEDDED);
	}
	outcome = office_outcome(o);
	if (!main && outcome == FORMAT_NONE && !o->malformed && o->zip.worst == ZIP_OK)
		outcome =
		    format_none(o->out, "an Office package without a document that arkki reads");
out:
	free(x.parts);
	return outcome;
}

/* Word 2003 XML and flat OPC: all parts in one file, so what is not text is told by its element. */
enum format_outcome wordml_read_flat(struct office *o, const char *bytes, size_t len)
{
	struct ooxml_text t = {.o = o, .links = {.limit = 1 << 20}};

	office_xml(o, bytes, len, &ooxml_text_events, &t);
	buf_free(&t.links);
	return office_outcome(o);
}
