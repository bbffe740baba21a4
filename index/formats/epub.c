/* EPUB 2 and 3: META-INF/container.xml names the package document, whose spine says in which order the
 * XHTML files are read. Each goes through the HTML decoder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/text.h"
#include "index/formats/office_xml.h"

enum { ITEMS_MAX = FORMAT_MEMBERS_MAX };

struct item {
	char *id;
	char *name; /* of the part */
	bool
	    read; /* a spine names each of its items once (EPUB 3.3, 5.7.2); others would be read for ever */
};

struct epub {
	struct office *o;
	char package[OFFICE_NAME_SIZE];
	struct item *items;
	size_t items_len;
	unsigned int refs; /* of the spine, so far */
	struct office_property property;
};

static void container_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct epub *e = arg;

	if (strcmp(name, "rootfile") == 0 && !e->package[0])
		office_att(atts, "full-path", e->package, sizeof(e->package));
}

/* A manifest's item: its href is a URL, relative to the package document. */
static void add_item(struct epub *e, const struct office_atts *atts)
{
	struct buf path = {.limit = OFFICE_NAME_SIZE};
	char href[OFFICE_NAME_SIZE], name[OFFICE_NAME_SIZE], id[128];
	struct item *item = &e->items[e->items_len];

	office_att(atts, "href", href, sizeof(href));
	office_att(atts, "id", id, sizeof(id));
	if (!percent_decode(&path, href, strcspn(href, "#")) || buf_failed(&path) || !path.data ||
	    !office_resolve(e->package, path.data, name, sizeof(name)))
		goto out;
	item->id = strdup(id);
	item->name = strdup(name);
	if (item->id && item->name) {
		e->items_len++;
	} else {
		free(item->id);
		free(item->name);
	}
out:
	buf_free(&path);
}

static void add_chapter(struct epub *e, const char *name)
{
	const struct zip_entry *entry = office_zip_find(&e->o->zip, name);
	struct buf bytes = BUF_INIT;

	if (entry && office_zip_load(&e->o->zip, entry, OFFICE_LOADED_MAX, &bytes))
		office_html(e->o, bytes.data, bytes.len);
	buf_free(&bytes);
}

static void add_spine_item(struct epub *e, const char *id)
{
	for (size_t i = 0; i < e->items_len; i++) {
		if (strcmp(e->items[i].id, id) != 0)
			continue;
		if (!e->items[i].read)
			add_chapter(e, e->items[i].name);
		e->items[i].read = true;
		return;
	}
}

static void package_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct epub *e = arg;
	char id[128];

	office_property_events.start(&e->property, name, atts);
	if (strcmp(name, "item") == 0 && e->items_len < ITEMS_MAX) {
		add_item(e, atts);
	} else if (strcmp(name, "itemref") == 0 && !e->o->out->full && e->refs < ITEMS_MAX) {
		e->refs++;
		office_att(atts, "idref", id, sizeof(id));
		add_spine_item(e, id);
	}
}

static void package_end(void *arg, const char *name)
{
	struct epub *e = arg;

	office_property_events.end(&e->property, name);
}

static void package_text(void *arg, const char *text, size_t len)
{
	struct epub *e = arg;

	office_property_events.text(&e->property, text, len);
}

enum format_outcome epub_read(struct office *o)
{
	static const struct office_events container = {.start = container_start};
	static const struct office_events package = {
	    .start = package_start, .end = package_end, .text = package_text};
	struct epub e = {.o = o, .property = {.o = o, .text = {.limit = 65536}}};
	enum format_outcome outcome;

	e.items = calloc(ITEMS_MAX, sizeof(*e.items));
	if (!e.items) {
		outcome =
		    format_none(o->out, "the document needs more memory than a decoder may use");
		goto out;
	}
	office_part_named(o, "META-INF/container.xml", &container, &e);
	office_part_named(o, e.package, &package, &e);
	outcome = office_outcome(o);
	/* fonts may be encrypted (obfuscated) in a book that anybody can read */
	if (!o->out->visible && office_zip_find(&o->zip, "META-INF/encryption.xml"))
		outcome = format_none(o->out, "the document is protected by a password");
out:
	for (size_t i = 0; i < e.items_len; i++) {
		free(e.items[i].id);
		free(e.items[i].name);
	}
	free(e.items);
	buf_free(&e.property.text);
	return outcome;
}
