#include "index/formats/pdf_files.h"

#include <string.h>

static gboolean take(const gchar *bytes, gsize len, gpointer arg, GError **error)
{
	struct buf *data = arg;

	(void)error;
	buf_add(data, bytes, len);
	return !buf_failed(data);
}

static bool add_file(PopplerAttachment *file, struct textsink *out)
{
	const char *name = poppler_attachment_get_name(file);
	struct buf data = {.limit = FORMAT_MEMBER_MAX};
	GError *error = NULL;
	bool more;

	if (!poppler_attachment_save_to_callback(file, take, &data, &error)) {
		g_clear_error(&error);
		buf_free(&data); /* what is cut off is not read: its name only */
	}
	more = format_member(out, name && *name ? name : "attachment", NULL, data.data, data.len);
	buf_free(&data);
	return more;
}

bool pdf_add_files(PopplerDocument *doc, struct textsink *out)
{
	uint64_t before = out->visible;
	GList *files =
	    poppler_document_has_attachments(doc) ? poppler_document_get_attachments(doc) : NULL;
	bool more = true;

	for (GList *l = files; l; l = l->next) {
		if (more && l->data)
			more = add_file(l->data, out);
		if (l->data)
			g_object_unref(l->data);
	}
	g_list_free(files);
	return out->visible > before;
}

void pdf_add_note_file(PopplerAnnot *note, struct textsink *out)
{
	PopplerAttachment *file;

	if (!POPPLER_IS_ANNOT_FILE_ATTACHMENT(note))
		return;
	file = poppler_annot_file_attachment_get_attachment(POPPLER_ANNOT_FILE_ATTACHMENT(note));
	if (!file)
		return;
	add_file(file, out);
	g_object_unref(file);
}
