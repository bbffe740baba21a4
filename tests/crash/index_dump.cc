// Everything that a search index holds, in an order that does not depend on how it came there:
// `index-dump DIR/index/xapian`. Two indices of the same documents have the same dump.
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include <xapian.h>

namespace
{

// FNV-1a: equal positions, equal number
uint64_t add(uint64_t hash, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		hash = (hash ^ (value >> (8 * i) & 255)) * UINT64_C(1099511628211);
	return hash;
}

std::string entry(Xapian::Database &db, Xapian::docid id, std::string &name)
{
	const Xapian::Document d = db.get_document(id);
	std::string out = "  data " + d.get_data() + "\n";

	for (auto t = db.termlist_begin(id); t != db.termlist_end(id); ++t) {
		uint64_t hash = UINT64_C(14695981039346656037);
		size_t n = 0;

		if ((*t)[0] == 'Q')
			name = *t;
		for (auto p = t.positionlist_begin(); p != t.positionlist_end(); ++p, ++n)
			hash = add(hash, *p);
		out += "  " + *t + " " + std::to_string(t.get_wdf());
		out += n ? " " + std::to_string(n) + ":" + std::to_string(hash) + "\n" : "\n";
	}
	for (auto v = d.values_begin(); v != d.values_end(); ++v) {
		char hex[3];

		out += "  value " + std::to_string(v.get_valueno()) + " ";
		for (unsigned char c : *v) {
			snprintf(hex, sizeof(hex), "%02x", c);
			out += hex;
		}
		out += "\n";
	}
	return out;
}

} // namespace

int main(int argc, char **argv)
{
	try {
		Xapian::Database db(argc > 1 ? argv[1] : "");
		std::map<std::string, std::string> entries;

		for (auto p = db.postlist_begin(""); p != db.postlist_end(""); ++p) {
			std::string name, text = entry(db, *p, name);

			if (!entries.emplace(name, text).second)
				printf("twice %s\n", name.c_str());
		}
		for (auto k = db.metadata_keys_begin(); k != db.metadata_keys_end(); ++k)
			printf("metadata %s %s\n", (*k).c_str(), db.get_metadata(*k).c_str());
		for (const auto &e : entries)
			printf("%s\n%s", e.first.c_str(), e.second.c_str());
		return 0;
	} catch (const Xapian::Error &e) {
		fprintf(stderr, "index-dump: %s\n", e.get_msg().c_str());
		return 1;
	}
}
