// The store as archive/README.md describes it: every commit of main in order, what its message says against what its
// tree adds, every sealed blob opened, and every history entry compared with it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Repository } from './git.mjs';
import { signersOf } from './keys.mjs';
import { ascii, ed25519Verify, number64, sha256, sha512, unseal } from './primitives.mjs';

const PIECE = 1048576;
const four = (number) => String(number).padStart(4, '0');
const hex = (bytes) => bytes.toString('hex');
export const documentFolder = (id) => `docs/${id[0]}/${id[1]}/${id[2]}/${id[3]}/${id}`;

// The folder of a rendition below its version's: the first has no number in its name.
const renditionFolder = (number) => (number === 1 ? 'renditions/public' : `renditions/public-${four(number)}`);

function expect(right, message) {
	if (!right) throw new Error(message);
}

// ---- SSH signatures of commits ----

function readStrings(bytes, at) {
	const strings = [];
	while (at < bytes.length) {
		const size = bytes.readUInt32BE(at);
		expect(at + 4 + size <= bytes.length, 'the signature is cut off');
		strings.push(bytes.subarray(at + 4, at + 4 + size));
		at += 4 + size;
	}
	return strings;
}

const sshString = (bytes) => {
	const size = Buffer.alloc(4);
	size.writeUInt32BE(bytes.length);
	return Buffer.concat([size, bytes]);
};

const HOUR = 3600;

function checkSignature(commit, signers) {
	const armour = /^-----BEGIN SSH SIGNATURE-----\n([\s\S]*)-----END SSH SIGNATURE-----\n$/.exec(commit.signature);
	expect(armour, 'carries no SSH signature');
	const blob = Buffer.from(armour[1], 'base64');
	expect(blob.toString('latin1', 0, 6) === 'SSHSIG' && blob.readUInt32BE(6) === 1, 'no SSH signature of version 1');
	const [key, namespace, reserved, algorithm, signature] = readStrings(blob, 10);
	const signer = signers.find(({ publicKey }) => readStrings(key, 0)[1].equals(publicKey));
	expect(signer, 'is signed by another key');
	const { publicKey, from, until } = signer;
	expect((!from || commit.time >= from / 1e6 - HOUR) && (!until || commit.time <= until / 1e6 + HOUR), 'is not of its key\'s time');
	expect(namespace.equals(ascii('git')) && algorithm.equals(ascii('sha512')), 'is signed for another purpose');
	const digest = sha512(Buffer.from(commit.signed));
	const message = Buffer.concat([ascii('SSHSIG'), ...[namespace, reserved, algorithm, digest].map(sshString)]);
	expect(ed25519Verify(publicKey, message, readStrings(signature, 0)[1]), 'the signature does not fit');
}

// ---- what a commit's message says ----

function parseLine(line) {
	let m = /^docs ([0-9a-f]{32})(?: v(\d{4,}))? m(\d{4,})$/.exec(line);
	if (m) return { document: m[1], version: m[2] && Number(m[2]), number: Number(m[3]), folder: documentFolder(m[1]) };
	m = /^docs ([0-9a-f]{32}) v(\d{4,}) r(\d{4,})$/.exec(line);
	if (m) return { document: m[1], version: Number(m[2]), rendition: Number(m[3]), folder: documentFolder(m[1]) };
	m = /^([a-z]+) ([0-9a-f]{32}) m(\d{4,})$/.exec(line);
	expect(m && m[1] !== 'docs', `says "${line}"`);
	return { kind: m[1], name: m[2], number: Number(m[3]), folder: `${m[1]}/${m[2]}` };
}

function parseMessage(message) {
	const lines = message.replace(/\n$/, '').split('\n');
	const title = /^arkki ([1-9]\d*)$/.exec(lines[0]);
	expect(title && lines[1] === '' && lines.length > 2, 'the message is not of the form');
	return { sequence: Number(title[1]), items: lines.slice(2).map(parseLine) };
}

// ---- the reader of sealed blobs ----

export class Store {
	constructor(dir, keys) {
		this.dir = dir;
		this.keys = keys;
		this.git = new Repository(join(dir, 'archive.git'));
		this.slots = new Set();
		this.versions = new Map(); // "docid/version" to { slot, renditions, shown }
		this.count = { commits: 0, documents: 0, versions: 0, renditions: 0, records: 0, texts: 0, badTexts: 0, bytes: 0 };
	}

	close() {
		this.git.close();
	}

	// A sealed JSON out of its envelope: its blob, the slot of its data key, that key, and the value.
	async envelope(oid, path) {
		const blob = await this.git.read(oid, 'blob');
		expect(blob.toString('latin1', 0, 8) === 'ARKMETA1', `${path}: not an envelope`);
		const slot = number64(blob, 8);
		try {
			const key = this.keys.dataKey(slot);
			const plain = unseal(blob.subarray(16), key, this.keys.context(path));
			return { blob, slot, key, value: JSON.parse(plain.toString('utf8')) };
		} catch (error) {
			throw new Error(`${path}: ${error.message}`);
		}
	}

	// The sealed message of a version's content: one blob, or its chunks joined.
	async sealedContent(folder, meta, oidOf) {
		const pieces = [];
		if (meta.chunks === 0) pieces.push(await this.git.read(await oidOf(`${folder}/content`), 'blob'));
		for (let i = 0; i < meta.chunks; i++) {
			const piece = await this.git.read(await oidOf(`${folder}/chunks/${String(i).padStart(6, '0')}`), 'blob');
			expect(piece.length === PIECE || (i === meta.chunks - 1 && piece.length > 0 && piece.length < PIECE),
				`${folder}/chunks: piece ${i} has ${piece.length} bytes`);
			pieces.push(piece);
		}
		const sealed = Buffer.concat(pieces);
		expect((meta.chunks === 0) === (sealed.length <= PIECE), `${folder}: ${meta.chunks} chunks for ${sealed.length} bytes`);
		expect(sealed.length === meta.sealedSize && hex(sha256(sealed)) === meta.sealedSha256,
			`${folder}/content: the sealed bytes are not those of its meta`);
		return sealed;
	}

	openContent(folder, meta, sealed, key) {
		let plain;
		try {
			plain = unseal(sealed, key, this.keys.context(`${folder}/content`));
		} catch (error) {
			throw new Error(`${folder}/content: ${error.message}`);
		}
		const digest = sha256(plain);
		expect(plain.length === meta.size && hex(digest) === meta.sha256, `${folder}/content: the plain bytes are not those of its meta`);
		const commitment = sha256('arkki-plain-v1\n', Buffer.from(meta.salt, 'hex'), digest);
		expect(hex(commitment) === meta.commitment, `${folder}/meta: the commitment is not that of the content`);
		return plain;
	}

	// One version as a stranger with the root key finds it: by its path in the tree of main.
	async version(document, number) {
		const { tree } = await this.git.commit(this.git.head());
		const folder = `${documentFolder(document)}/v${four(number)}`;
		const oidOf = async (path) => {
			const oid = await this.git.find(tree, path);
			expect(oid, `there is no ${path}`);
			return oid;
		};
		const { slot, key, value: meta } = await this.envelope(await oidOf(`${folder}/meta`), `${folder}/meta`);
		const sealed = await this.sealedContent(folder, meta, oidOf);
		return { slot, key, meta, sealed, context: this.keys.context(`${folder}/content`), plain: this.openContent(folder, meta, sealed, key) };
	}

	// The newest public rendition of a version, found the same way: the highest number there is.
	async rendition(document, number) {
		const { tree } = await this.git.commit(this.git.head());
		const version = `${documentFolder(document)}/v${four(number)}`;
		let newest = 0;
		while (await this.git.find(tree, `${version}/${renditionFolder(newest + 1)}/meta`)) newest++;
		expect(newest, `there is no ${version}/${renditionFolder(1)}/meta`);
		const folder = `${version}/${renditionFolder(newest)}`;
		const oidOf = async (path) => {
			const oid = await this.git.find(tree, path);
			expect(oid, `there is no ${path}`);
			return oid;
		};
		const { key, value: meta } = await this.envelope(await oidOf(`${folder}/meta`), `${folder}/meta`);
		expect(!meta.withdrawn, `the public rendition of ${version} was withdrawn`);
		return { meta, plain: this.openContent(folder, meta, await this.sealedContent(folder, meta, oidOf), key) };
	}

	// ---- verification ----

	async commits() {
		const chain = [];
		for (let oid = this.git.head(); oid; oid = chain.at(-1).parents[0]) chain.push(await this.git.commit(oid));
		return chain.reverse();
	}

	async checkVersion(item, oidOf, objects, expected) {
		const folder = `${item.folder}/v${four(item.version)}`;
		const { blob, slot, key, value: meta } = await this.envelope(await oidOf(`${folder}/meta`), `${folder}/meta`);
		expect(meta.arkki === 'version/1' && meta.document === item.document && meta.version === item.version,
			`${folder}/meta: speaks of another version`);
		const sealed = await this.checkUpload(folder, meta, key, oidOf, expected);
		expected.add(`${folder}/meta`);
		objects[`v${four(item.version)}/meta`] = hex(sha256(blob));
		objects[`v${four(item.version)}/content`] = hex(sha256(sealed));
		this.checkText(item, folder, key);
		this.versions.set(`${item.document}/${item.version}`, { slot, renditions: 0, shown: false });
		this.count.versions++;
		this.count.documents += item.version === 1;
		return { slot, meta };
	}

	// The content that a meta describes, opened; gives back its sealed bytes.
	async checkUpload(folder, meta, key, oidOf, expected) {
		const sealed = await this.sealedContent(folder, meta, oidOf);
		const plain = this.openContent(folder, meta, sealed, key);
		if (meta.chunks === 0) expected.add(`${folder}/content`);
		for (let i = 0; i < meta.chunks; i++) expected.add(`${folder}/chunks/${String(i).padStart(6, '0')}`);
		this.count.bytes += plain.length;
		return sealed;
	}

	// A rendition is sealed under its version's key, and numbered without gaps; a withdrawal has no content, and withdraws something.
	async checkRendition(item, oidOf, expected) {
		const version = this.versions.get(`${item.document}/${item.version}`);
		expect(version, `speaks of a version v${four(item.version)} that was not filed before`);
		const below = `v${four(item.version)}/${renditionFolder(item.rendition)}`;
		const folder = `${item.folder}/${below}`;
		const { blob, slot, key, value: meta } = await this.envelope(await oidOf(`${folder}/meta`), `${folder}/meta`);
		expect(meta.arkki === 'rendition/1' && meta.name === 'public' && meta.document === item.document &&
			meta.version === item.version && meta.number === item.rendition, `${folder}/meta: speaks of another rendition`);
		expect(slot === version.slot, `${folder}/meta: has not its version's key`);
		expect(item.rendition === version.renditions + 1, `${folder}/meta: is number ${item.rendition} after ${version.renditions}`);
		const objects = { [`${below}/meta`]: hex(sha256(blob)) };
		expected.add(`${folder}/meta`);
		if (meta.withdrawn) {
			expect(version.shown, `${folder}/meta: withdraws what is not there`);
		} else {
			objects[`${below}/content`] = hex(sha256(await this.checkUpload(folder, meta, key, oidOf, expected)));
			this.checkText(item, folder, key);
			this.count.renditions++;
		}
		this.versions.set(`${item.document}/${item.version}`, { slot, renditions: item.rendition, shown: !meta.withdrawn });
		return { objects, commitment: meta.commitment, version: item.version, withdrawn: meta.withdrawn === true };
	}

	// The extracted text is a cache: an absent or torn one is made again, which is no fault of the record.
	checkText(item, folder, key) {
		const tail = item.rendition ? `-r${four(item.rendition)}` : '';
		const name = `derived/${item.document.slice(0, 2)}/${item.document}-v${four(item.version)}${tail}`;
		if (!existsSync(join(this.dir, name))) return;
		try {
			unseal(readFileSync(join(this.dir, name)), key, this.keys.context(`${folder}/text`));
			this.count.texts++;
		} catch {
			this.count.badTexts++;
		}
	}

	// Opens all that one line of a message names, and returns what the history log must say about it.
	async checkItem(item, oidOf, expected) {
		if (item.rendition) return this.checkRendition(item, oidOf, expected);
		const objects = {};
		const version = item.version ? await this.checkVersion(item, oidOf, objects, expected) : null;
		const path = `${item.folder}/m${four(item.number)}`;
		const { blob, slot, value } = await this.envelope(await oidOf(path), path);
		expect(value.number === item.number, `${path}: says number ${value.number}`);
		if (item.document) {
			expect(value.arkki === 'metadata/1' && value.document === item.document, `${path}: speaks of another document`);
			expect(!version || (slot === version.slot && value.version === item.version), `${path}: is not its version's`);
		} else {
			expect(value.arkki === 'record/1' && value.kind === item.kind, `${path}: is a record of another kind`);
			expect(this.keys.keyedName(item.kind, value.record.id) === item.name, `${path}: is the record of another id`);
			this.count.records++;
			if (item.kind === 'tombstones') this.tombstones.add(value.record.id);
		}
		expect(!this.slots.has(slot), `${path}: shares slot ${slot} with another item`);
		this.slots.add(slot);
		expected.add(path);
		objects[`m${four(item.number)}`] = hex(sha256(blob));
		return { objects, commitment: version?.meta.commitment, version: value.version, record: value.record };
	}

	checkHistory(commit, sequence, item, index, of, says, history) {
		const entry = history.get(`${sequence}/${index}`);
		expect(entry, `the history log has no entry for item ${index}`);
		const { a } = entry;
		const d = a.detail;
		const right = [
			['commit', d.commit, commit.oid],
			['number of items', d.of, of],
			['objects', JSON.stringify(sorted(d.objects)), JSON.stringify(sorted(says.objects))],
			['commitment', d.commitment, says.commitment],
			['document', a.document, item.document ?? (steps[item.kind] && says.record.id)],
			['version', a.version, item.document ? says.version : undefined],
			['record', d.record, item.document ? undefined : item.folder],
			['kind', a.kind, kindOf(item, says)],
		];
		for (const [what, got, want] of right)
			expect(got === want, `entry ${entry.index} of the history log has another ${what}: ${got}, not ${want}`);
		const before = index > 0 ? history.get(`${sequence}/${index - 1}`) : null;
		expect(!before || before.index + 1 === entry.index, `entry ${entry.index} of the history log is not beside item ${index - 1}`);
		entry.seen = true;
	}

	async checkCommit(commit, parent, number, history, fault) {
		const { sequence, items } = parseMessage(commit.message);
		expect(sequence === number && commit.parents.length <= 1, `has sequence ${sequence} where ${number} is due`);
		checkSignature(commit, this.signers);
		const added = new Map();
		await this.git.differences(parent?.tree ?? null, commit.tree, (path, before, after) => {
			if (before) fault(`commit ${number}`, new Error(`${path} of an earlier commit was changed or removed`));
			else added.set(path, after);
		});
		const oidOf = (path) => {
			expect(added.has(path), `adds no ${path}`);
			return added.get(path);
		};
		const expected = new Set();
		for (const [index, item] of items.entries()) {
			try {
				const says = await this.checkItem(item, oidOf, expected);
				this.checkHistory(commit, sequence, item, index, items.length, says, history);
			} catch (error) {
				const gone = item.document && (this.destroyed.has(item.document) || /was destroyed/.test(error.message));
				if (gone && !this.destroyed.has(item.document)) this.destroyed.set(item.document, [`commit ${number}`, error]);
				if (!gone) fault(`commit ${number}`, error);
				const entry = history.get(`${sequence}/${index}`);
				if (entry) entry.seen = true;
				for (const path of added.keys()) if (path.startsWith(`${item.folder}/`)) expected.add(path);
			}
		}
		for (const path of added.keys())
			if (!expected.has(path)) fault(`commit ${number}`, new Error(`adds ${path}, which its message does not name`));
	}

	// `entries` are the records of the history log, or null when it could not be read.
	async verify(entries, fault) {
		this.destroyed = new Map();
		this.tombstones = new Set();
		this.signers = signersOf(this.keys, 'git');
		const about = (entries ?? []).filter(({ a }) => a.detail?.commit !== undefined);
		const history = new Map(about.map((entry) => [`${entry.a.detail.sequence}/${entry.a.detail.item}`, entry]));
		if (history.size !== about.length) fault('history', new Error('two entries speak of the same item'));
		const chain = await this.commits();
		for (const [i, commit] of chain.entries()) {
			try {
				await this.checkCommit(commit, chain[i - 1], i + 1, history, fault);
			} catch (error) {
				fault(`commit ${i + 1}`, error);
			}
		}
		for (const [document, met] of this.destroyed) if (!this.tombstones.has(document)) fault(...met);
		this.count.commits = chain.length;
		const extra = about.find((entry) => !entry.seen);
		if (extra && entries) fault('history', new Error(`entry ${extra.index} speaks of an item that main does not have`));
	}
}

const sorted = (object) => Object.entries(object ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

// Records that are steps towards a document's end: what the history log calls them, by their state.
const steps = {
	holds: { held: 'hold', released: 'hold-released' },
	disposals: { proposed: 'disposal-proposed', approved: 'disposal-approved', packaged: 'disposal-packaged', received: 'disposal-received', withdrawn: 'disposal-withdrawn' },
	tombstones: { begun: 'destruction', destroyed: 'destroyed' },
};

function kindOf(item, says) {
	if (!item.document) return steps[item.kind]?.[says.record.state] ?? 'record';
	if (item.rendition) return says.withdrawn ? 'rendition-withdrawn' : 'rendition';
	if (!item.version) return 'metadata';
	return item.version === 1 ? 'filing' : 'version';
}
