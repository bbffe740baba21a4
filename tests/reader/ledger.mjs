// One of the two logs, read as archive/README.md section "Ledger" describes it: frames out of the segments, entries
// out of their parts, the root out of the entries, and tiles and checkpoint against that.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ascii, ed25519Verify, gcmOpen, number64, sha256 } from './primitives.mjs';

const SEGMENT_HEADER = 4096;
const SEGMENT_MIB = [1, 4, 16, 32];
const FIRST = 1;
const LAST = 2;
const ZEROS = Buffer.alloc(1 << 20);

function isZero(bytes) {
	for (let at = 0; at < bytes.length; at += ZEROS.length) {
		const piece = bytes.subarray(at, at + ZEROS.length);
		if (piece.compare(ZEROS, 0, piece.length) !== 0) return false;
	}
	return true;
}


// ---- entries ----

function splitParts(plain) {
	const parts = [];
	let at = 0;
	for (let i = 0; i < 3; i++) {
		const size = plain.readUInt32BE(at);
		if (at + 36 + size > plain.length) throw new Error('a part is longer than its frame');
		parts.push({ salt: plain.subarray(at + 4, at + 36), json: plain.subarray(at + 36, at + 36 + size) });
		at += 36 + size;
	}
	if (at !== plain.length) throw new Error('something follows part C');
	return parts;
}

function entryOf(parts) {
	const commitments = parts.map(({ salt, json }, i) => sha256('arkki-part-v1\n', 'ABC'[i], salt, json));
	return Buffer.concat([Buffer.from([1]), sha256('arkki-entry-v1\n', ...commitments)]);
}

// ---- frames ----

// The frame at a place, opened; null when no frame can stand there. Throws when one stands there and is not right.
function readFrame(segment, at) {
	const { bytes, key, origin } = segment;
	const size = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0;
	if (size < 78 || size > 262140 || at + 4 + size > bytes.length) return null;
	const frame = bytes.subarray(at, at + 4 + size);
	const aad = Buffer.concat([ascii('arkki-frame-v1\n'), origin, frame.subarray(4, 54)]);
	const parts = splitParts(gcmOpen(key, frame.subarray(54, 66), frame.subarray(66), aad));
	const entry = frame.subarray(21, 54);
	if (!entryOf(parts).equals(entry)) throw new Error('the entry is not that of its parts');
	return { size: frame.length, index: number64(frame, 4), group: number64(frame, 12), flags: frame[20], entry, parts };
}

function tryFrame(segment, at) {
	try {
		return readFrame(segment, at);
	} catch {
		return null;
	}
}

// Whether a place behind `at` holds a frame that was written after a sync of the one that did not read.
function laterGroupFollows(segment, at, index) {
	for (let place = at + 1; place + 82 <= segment.bytes.length; place++) {
		if (segment.bytes[place + 21] !== 1) continue;
		const frame = tryFrame(segment, place);
		if (frame && frame.group > index) return true;
	}
	return false;
}

// The appends of a segment, whole ones only. `segment.last` says that no begun segment follows.
function readFrames(segment) {
	const entries = [];
	const { bytes } = segment;
	let at = SEGMENT_HEADER;
	let whole = { entries: 0, at };
	let why = null;
	while (at + 4 <= bytes.length && bytes.readUInt32BE(at) !== 0) {
		const index = segment.first + entries.length;
		try {
			const frame = readFrame(segment, at);
			if (!frame) throw new Error('no frame has this length');
			if (frame.index !== index) throw new Error(`its index is ${frame.index}`);
			if (frame.flags > 3 || Boolean(frame.flags & FIRST) !== (whole.at === at)) throw new Error('its flags do not fit');
			entries.push({ ...frame, index });
			at += frame.size;
			if (frame.flags & LAST) whole = { entries: entries.length, at };
		} catch (error) {
			why = new Error(`entry ${index} at byte ${at}: ${error.message}`);
			break;
		}
	}
	const torn = why || !isZero(bytes.subarray(whole.at));
	if (torn && !segment.last) throw why ?? new Error('does not end with a whole append');
	if (torn && laterGroupFollows(segment, at, segment.first + entries.length))
		throw why ?? new Error(`entry ${segment.first + entries.length} was lost`);
	return { entries: entries.slice(0, whole.entries), why };
}

// ---- segments ----

function openSegment(dir, number, origin, first, keys) {
	const bytes = readFileSync(join(dir, 'segments', `${String(number).padStart(8, '0')}.seg`));
	const mib = SEGMENT_MIB[Math.min(number, SEGMENT_MIB.length - 1)];
	if (bytes.length !== mib << 20) throw new Error(`has ${bytes.length} bytes instead of ${mib} MiB`);
	const header = bytes.subarray(0, 128);
	if (isZero(header)) return null;
	if (!sha256(header.subarray(0, 96)).equals(header.subarray(96))) throw new Error('its header is damaged');
	if (header.toString('latin1', 0, 8) !== 'ARKKISEG' || header.readUInt32BE(8) !== 1) throw new Error('not of format 1');
	if (header.readUInt32BE(12) !== number || !sha256(origin).equals(header.subarray(16, 48)) || number64(header, 48) !== first)
		throw new Error('its header names another place');
	if (!isZero(header.subarray(72, 96)) || !isZero(bytes.subarray(128, SEGMENT_HEADER)))
		throw new Error('its header has something where zeros belong');
	return { bytes, first, origin: sha256(origin), key: keys.dataKey(number64(header, 56)) };
}

function segmentCount(dir) {
	const names = readdirSync(join(dir, 'segments')).filter((name) => !name.endsWith('.tmp')).sort();
	names.forEach((name, i) => {
		if (name !== `${String(i).padStart(8, '0')}.seg`) throw new Error(`segments/${name}: not the next number`);
	});
	return names.length;
}

function headerIsZero(dir, number) {
	const name = `${String(number).padStart(8, '0')}.seg`;
	return isZero(readFileSync(join(dir, 'segments', name)).subarray(0, 128));
}

function readSegments(dir, origin, keys) {
	const count = segmentCount(dir);
	const begun = count && headerIsZero(dir, count - 1) ? count - 1 : count;
	let entries = [];
	let why = null;
	for (let number = 0; number < begun; number++) {
		try {
			const segment = openSegment(dir, number, origin, entries.length, keys);
			if (!segment) throw new Error('has not begun, but a later one has');
			const read = readFrames({ ...segment, last: number === begun - 1 });
			entries = entries.concat(read.entries);
			why = read.why;
		} catch (error) {
			throw new Error(`segments/${String(number).padStart(8, '0')}.seg: ${error.message}`);
		}
	}
	return { entries, why };
}

// ---- Merkle tree (RFC 6962) and tiles (c2sp.org/tlog-tiles) ----

const node = (left, right) => sha256(Buffer.from([1]), left, right);

// levels[l][n] is the hash of the complete subtree of 2^l leaves that begins at n·2^l.
export function hashLevels(leaves) {
	const levels = [leaves];
	while (levels.at(-1).length > 1) {
		const below = levels.at(-1);
		const above = [];
		for (let i = 0; i + 1 < below.length; i += 2) above.push(node(below[i], below[i + 1]));
		levels.push(above);
	}
	return levels;
}

// The root of the first `size` leaves: its complete subtrees, joined from the right.
export function rootOf(levels, size) {
	let root = null;
	for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / 2)) {
		if (rest % 2 === 0) continue;
		const subtree = levels[level][rest - 1];
		root = root ? node(subtree, root) : subtree;
	}
	return root ?? sha256('');
}

export function tilePath(number) {
	const digits = String(number).padStart(Math.ceil(String(number).length / 3) * 3, '0');
	return digits.replace(/\d{3}(?=\d)/g, 'x$&/');
}

// Every tile that a tree of `size` needs: its path, and the bytes that must stand there.
export function* tilesOf(entries, levels, size) {
	const kinds = [['entries', (i) => Buffer.concat([Buffer.from([0, 33]), entries[i].entry]), 0]];
	for (let level = 0; size >> (8 * level) > 0; level++) kinds.push([String(level), (i) => levels[8 * level][i], level]);
	for (const [folder, item, level] of kinds) {
		const width = Math.floor(size / 256 ** level);
		for (let tile = 0; tile * 256 < width; tile++) {
			const here = Math.min(256, width - tile * 256);
			const bytes = Buffer.concat(Array.from({ length: here }, (_, i) => item(tile * 256 + i)));
			yield { path: `${folder}/${tilePath(tile)}`, width: here, bytes, one: bytes.length / here };
		}
	}
}

function partialWidths(file) {
	if (!existsSync(`${file}.p`)) return [];
	return readdirSync(`${file}.p`).filter((name) => !name.endsWith('.tmp'));
}

// Tiles of the whole log; of them, those that `published` entries need must be on disk.
function checkTiles(dir, entries, levels, published, fault) {
	const needed = new Set();
	for (const { path, width } of tilesOf(entries, levels, published)) needed.add(width === 256 ? path : `${path}.p/${width}`);
	let seen = 0;
	for (const { path, width, bytes, one } of tilesOf(entries, levels, entries.length)) {
		const names = partialWidths(join(dir, 'tile', path)).map((name) => [`${path}.p/${name}`, Number(name)]);
		if (existsSync(join(dir, 'tile', path))) names.push([path, 256]);
		for (const [name, claimed] of names) {
			needed.delete(name);
			seen++;
			const right = claimed <= width ? bytes.subarray(0, claimed * one) : null;
			if (!right || !readFileSync(join(dir, 'tile', name)).equals(right))
				fault(`tile/${name}`, new Error('is not made of the entries in the segments'));
		}
	}
	for (const path of needed) if (!fullTileCovers(dir, path)) fault(`tile/${path}`, new Error('is missing'));
	return seen;
}

// A partial tile of the checkpoint is removed once the full tile exists.
export const fullTileCovers = (dir, path) => path.includes('.p/') && existsSync(join(dir, 'tile', path.replace(/\.p\/\d+$/, '')));

// ---- checkpoint (c2sp.org/signed-note, c2sp.org/tlog-checkpoint) ----

export function vkeyOf(origin, publicKey) {
	const key = Buffer.concat([Buffer.from([1]), publicKey]);
	const id = sha256(origin, '\n', key).subarray(0, 4);
	return { id, publicKey: key.subarray(1), text: `${origin}+${id.toString('hex')}+${key.toString('base64')}` };
}

// By the newest key, or by an earlier one alone (nothing was logged since it was renewed); and no line of ours may be false.
function readCheckpoint(dir, origin, signers) {
	const note = readFileSync(join(dir, 'checkpoint'), 'utf8');
	const split = note.lastIndexOf('\n\n');
	const body = note.slice(0, split + 1);
	const lines = body.split('\n');
	if (split < 0 || lines.length !== 4 || lines[0] !== origin || !/^(0|[1-9]\d*)$/.test(lines[1]))
		throw new Error('not a checkpoint of this log');
	const ours = note.slice(split + 2).split('\n').filter((line) => line.startsWith(`\u2014 ${origin} `));
	const signed = ours.map((line) => Buffer.from(line.slice(origin.length + 3), 'base64'));
	let held = 0;
	for (const { id, publicKey } of signers.map((one) => vkeyOf(origin, one.publicKey))) {
		const mine = signed.filter((bytes) => bytes.length === 68 && bytes.subarray(0, 4).equals(id));
		if (mine.length > 1 || !mine.every((bytes) => ed25519Verify(publicKey, Buffer.from(body), bytes.subarray(4))))
			throw new Error('the signature is not that of the log');
		held += mine.length;
	}
	if (!held) throw new Error('the signature is not that of the log');
	return { size: Number(lines[1]), root: lines[2] };
}

// ---- what the records say ----

function parseRecords(entries, fault) {
	const next = new Map();
	for (const entry of entries) {
		const [a, b, c] = entry.parts.map(({ json }) => JSON.parse(json.toString('utf8')));
		Object.assign(entry, { a, b, c });
		const counted = [['document', a.document, a.documentSequence], ['principal', b.principal, b.principalSequence]];
		for (const [what, name, sequence] of counted) {
			const series = `${what} ${b.series ?? ''} ${name}`;
			const expected = name === undefined ? undefined : (next.get(series) ?? 0) + 1;
			if (sequence !== expected) fault(`entry ${entry.index}`, new Error(`${what} sequence ${sequence}, not ${expected}`));
			if (expected) next.set(series, expected);
		}
	}
}

// Reads and checks one log. Returns its records, or null when they cannot be read.
export function readLedger(dir, origin, signers, keys, fault) {
	let read;
	let checkpoint;
	try {
		read = readSegments(dir, origin, keys);
	} catch (error) {
		fault('segments', error);
		return null;
	}
	const { entries, why } = read;
	try {
		checkpoint = readCheckpoint(dir, origin, signers);
		if (entries.length < checkpoint.size) throw why ?? new Error(`covers ${checkpoint.size} entries of ${entries.length}`);
	} catch (error) {
		fault('checkpoint', error);
		checkpoint = null;
	}
	const levels = hashLevels(entries.map(({ entry }) => sha256(Buffer.from([0]), entry)));
	if (checkpoint && rootOf(levels, checkpoint.size).toString('base64') !== checkpoint.root)
		fault('checkpoint', new Error('the root is not that of the entries'));
	const tiles = checkTiles(dir, entries, levels, checkpoint?.size ?? 0, fault);
	parseRecords(entries, fault);
	return { entries, tiles, size: checkpoint?.size ?? 0, root: checkpoint?.root ?? '' };
}
