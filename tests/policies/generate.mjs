/* Random policies, entities and requests over the schema of policies/arkki.cedarschema.
 *
 * Values come from small pools, so that they meet; expressions are typed, and now and then are not,
 * so that policies fail too. Entities obey the schema; a policy or a request need not.
 */
const pools = {
	Org: ['valo', 'vuori', 'meri'],
	County: ['itä', 'länsi'],
	Unit: ['koivu', 'mänty', 'a"b', ''],
	Case: ['1', '2'],
	User: ['aino', 'eino', 'nobody'],
	Document: ['d1', 'd2', 'gone'],
	Role: ['inspector', 'registrar', 'supervisor', 'contact'],
	Archive: ['arkki'],
	Action: ['list', 'read', 'readContent', 'readPublic', 'file', 'dispose', 'audit'],
};
const strings = ['', 'public', 'secret', 'final', 'draft', 'county', 'ombudsman', 'ä', '\u{1f600}', 'a*b', 'publicly', 'line\nbreak', 'q"\\', '\u0000', "it's"];
const patterns = ['*', 'pub*', '*l*c*', 'a\\*b', '*\\**', '', 'd?aft', '*\u{1f600}', '**', 'fin*l'];
const days = ['2026-05-03', '2026-05-04', '2026-05-05', '1969-12-31', '2024-02-29', '0001-01-01', '9999-12-31'];
const moments = [...days, '2026-05-04T09:15:00Z', '2026-05-04T23:59:59.999Z', '2026-05-04T02:00:00+0300', '2026-05-03T23:00:00.001-1030'];
const badMoments = ['2026-02-29', '2026-5-4', '2026-05-04T24:00:00Z', '', '2026-05-04T09:15:00+2400', '2026-05-04T09:15Z', '２０２６-05-04'];
const durations = ['1d', '0ms', '-1d', '2h30m', '1d2h3m4s5ms', '-5ms', '9223372036854775807ms', '106751991167d'];
const badDurations = ['', '1h1d', '9223372036854775808ms', '1w', '--1d', '1.5h'];
const decimals = ['0.0', '1.5', '-1.5', '1.2345', '922337203685477.5807', '-922337203685477.5808'];
const badDecimals = ['1', '1.23456', '922337203685477.5808', '.5', '1.', '+1.0', ''];
const networks = ['10.0.0.0/8', '10.1.2.3', '127.0.0.1', '::1', 'ff02::1', '224.0.0.1', '2001:db8::/32', '2001:db8::7', '0.0.0.0/0', '10.1.2.3/32'];
const badNetworks = ['10.0.0.256', '10.0.0.0/33', '::1/129', '010.0.0.1', '', '1:2:3', '::ffff:1.2.3.4', '10.0.0.0/08'];
const longs = ['0', '1', '2', '3', '-1', '9223372036854775807', '-9223372036854775808'];
const names = { // attributes by the kind of their value, of User, Document and the context
	principal: {
		String: ['kind'], Org: ['org'], Date: ['validFrom', 'validUntil'],
		'Set Org': ['orgs'], 'Set County': ['counties'], 'Set Unit': ['placedUnits', 'ownUnits', 'areaUnits'],
	},
	resource: {
		String: ['publicity', 'state', 'type'], Org: ['author'], Long: ['unitCount'], Date: ['date', 'visitDate'],
		'Set Org': ['addressees'], 'Set County': ['counties'], 'Set Unit': ['units'], 'Set String': ['renditions'],
	},
	context: { Date: ['now', 'today'], String: ['purpose', 'breakGlass'], Case: ['case'], 'Set Unit': ['caseUnits'], Bool: ['strong'], Ip: ['network'] },
};
const optional = new Set(['validFrom', 'validUntil', 'visitDate', 'purpose', 'breakGlass', 'case', 'network']);
const kinds = ['Bool', 'Long', 'String', 'Date', 'Duration', 'Decimal', 'Ip', 'Org', 'Unit', 'User', 'Document', 'Role', 'Set Unit', 'Set Org', 'Set String', 'Set Long', 'Record'];

const escaped = (text) => `"${text.replace(/[\\"\n\0]/g, (c) => ({ '\\': '\\\\', '"': '\\"', '\n': '\\n', '\0': '\\0' })[c])}"`;

/* The same numbers for the same seed, everywhere (mulberry32). */
export function chances(seed) {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
	const below = (n) => Math.floor(next() * n);
	return {
		below,
		once: (n) => below(n) === 0,
		pick: (list) => list[below(list.length)],
		some: (list, most) => Array.from({ length: below(most + 1) }, () => list[below(list.length)]),
	};
}

export class Generator {
	constructor(seed) {
		this.chance = chances(seed);
	}

	/* ---- text of policies ---- */

	policies() {
		return Array.from({ length: 1 + this.chance.below(10) }, () => this.#policy()).join('\n');
	}

	#uid(type) {
		return `${type}::${escaped(this.chance.pick(pools[type]))}`;
	}

	#policy() {
		const { pick, below, some } = this.chance;
		const principal = pick(['principal', 'principal', 'principal', 'principal', 'principal is User', `principal == ${this.#uid('User')}`,
			`principal in ${this.#uid('Role')}`, `principal is User in ${this.#uid('Role')}`, ...(below(10) ? [] : ['principal is Org'])]);
		const actions = some(pools.Action, 4).map((id) => `Action::"${id}"`).join(', ');
		const action = pick(['action', 'action', 'action', 'action', `action == ${this.#uid('Action')}`, `action in [${actions}]`, `action in ${this.#uid('Action')}`]);
		const resource = pick(['resource', 'resource', 'resource', 'resource is Document', 'resource is Archive', `resource == ${this.#uid('Document')}`, `resource in ${this.#uid('Document')}`]);
		const conditions = Array.from({ length: pick([0, 1, 1, 1, 2]) }, () => `${pick(['when', 'when', 'unless'])} { ${this.#expression('Bool', pick([1, 2, 2, 2, 3, 3, 4]))} }`);
		return `${pick(['permit', 'permit', 'permit', 'forbid'])} (${principal}, ${action}, ${resource})\n  ${conditions.join('\n  ')};`;
	}

	/* Now and then of another kind than asked. */
	#expression(kind, depth) {
		if (this.chance.once(40))
			kind = this.chance.pick(kinds);
		if (depth <= 0)
			return this.#leaf(kind);
		if (this.chance.once(12))
			return `(if ${this.#expression('Bool', depth - 1)} then ${this.#expression(kind, depth - 1)} else ${this.#expression(kind, depth - 1)})`;
		if (this.chance.once(20))
			return `({"a": ${this.#expression(kind, depth - 1)}, b: ${this.#leaf('Long')}}${this.chance.pick(['.a', '["a"]', '.a', '.c'])})`;
		const grown = { Bool: '#bool', Long: '#long', Date: '#date', Duration: '#duration' }[kind];
		switch (grown) {
		case '#bool': return this.#bool(depth - 1);
		case '#long': return this.#long(depth - 1);
		case '#date': return this.#date(depth - 1);
		case '#duration': return this.#duration(depth - 1);
		}
		return this.#leaf(kind);
	}

	#bool(depth) {
		const { pick } = this.chance;
		const one = (kind) => this.#expression(kind, depth);
		const kind = pick(kinds);
		const element = pick(['Unit', 'Org', 'String', 'Long']);
		const entity = pick(['User', 'Document', 'Org', 'Role', 'Unit']);
		return pick([
			() => `(${one('Bool')} && ${one('Bool')})`,
			() => `(${one('Bool')} || ${one('Bool')})`,
			() => `(${one('Bool')} || ${one('Bool')} && !${one('Bool')} || ${one('Long')} + ${one('Long')} * -${one('Long')} - ${one('Long')} < ${one('Long')})`,
			() => `(!${one('Bool')})`,
			() => `(${one(kind)} == ${one(kind)})`,
			() => `(${one(kind)} != ${one(pick([kind, kind, kind, pick(kinds)]))})`,
			() => `(${one('Long')} ${pick(['+', '-', '*'])} ${one('Long')} ${pick(['<', '<=', '>', '>='])} ${this.#leaf('Long')})`,
			() => { const k = pick(['Long', 'Date', 'Duration']); return `(${one(k)} ${pick(['<', '<=', '>', '>='])} ${one(k)})`; },
			() => `(${one(`Set ${element}`)}.contains(${one(element)}))`,
			() => `(${one(`Set ${element}`)}.${pick(['containsAll', 'containsAny'])}(${one(`Set ${element}`)}))`,
			() => `(${one(`Set ${element}`)}.isEmpty())`,
			() => `(${one('String')} like "${pick(patterns).replace('"', '\\"')}")`,
			() => `(${this.#leaf(entity)} in ${pick([this.#leaf(pick(['Role', entity])), `[${this.#leaf('Role')}, ${this.#leaf(entity)}]`])})`,
			() => `(${this.#leaf(entity)} is ${pick(['User', 'Document', 'Org', 'Role'])}${pick(['', ` in ${this.#leaf('Role')}`])})`,
			() => this.#has(),
			() => this.#guarded(),
			() => `(${one('Decimal')}.${pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'])}(${one('Decimal')}))`,
			() => `(${one('Ip')}.${pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}())`,
			() => `(${one('Ip')}.isInRange(${one('Ip')}))`,
			() => `(${this.#leaf(entity)}.hasTag(${one('String')}))`,
			() => `(${this.#leaf(entity)}.getTag(${one('String')}) == ${one('Long')})`,
		])();
	}

	#has() {
		const { pick } = this.chance;
		const [owner, attributes] = pick(Object.entries(names));
		const name = pick([pick(Object.values(attributes).flat()), 'org.name', 'no such', 'author.x']);
		return `(${owner} has ${/[ ]/.test(name) ? escaped(name) : name})`;
	}

	/* `has`, and then what one may ask after it. */
	#guarded() {
		const { pick } = this.chance;
		return pick([
			() => `(principal has validFrom && context.today ${pick(['<', '<=', '=='])} principal.validFrom)`,
			() => `(resource has visitDate && !(resource.visitDate <= ${this.#leaf('Date')}))`,
			() => `(context has purpose && context.purpose != ${this.#leaf('String')})`,
			() => `(context has case && context["case"] == ${this.#uid('Case')})`,
			() => `(context has network && context.network.isInRange(${this.#leaf('Ip')}))`,
		])();
	}

	#long(depth) {
		const { pick } = this.chance;
		const one = (kind) => this.#expression(kind, depth);
		return pick([
			() => `(${one('Long')} ${pick(['+', '-'])} ${one('Long')})`,
			() => `(${one('Long')} * ${one('Long')})`,
			() => `(-${one('Long')})`,
			() => `(${one('Duration')}.${pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'])}())`,
			() => this.#leaf('Long'),
		])();
	}

	#date(depth) {
		const { pick } = this.chance;
		return pick([
			() => `(${this.#expression('Date', depth)}.offset(${this.#expression('Duration', depth)}))`,
			() => `(${this.#expression('Date', depth)}.toDate())`,
			() => this.#leaf('Date'),
		])();
	}

	#duration(depth) {
		const { pick } = this.chance;
		return pick([
			() => `(${this.#expression('Date', depth)}.durationSince(${this.#expression('Date', depth)}))`,
			() => `(${this.#expression('Date', depth)}.toTime())`,
			() => this.#leaf('Duration'),
		])();
	}

	#call(fn, good, bad) {
		const { once, pick } = this.chance;
		if (once(40))
			return `${fn}(${this.#leaf('String')})`;
		return `${fn}(${escaped(once(20) ? pick(bad) : pick(good))})`;
	}

	#leaf(kind) {
		const { pick, once, some } = this.chance;
		if (!once(3))
			for (const owner of [pick(['principal', 'resource', 'context']), pick(['principal', 'resource', 'context'])]) {
				const known = (names[owner][kind] ?? []).filter((name) => !optional.has(name) || once(6));
				if (known.length > 0)
					return `${owner}.${pick(known)}`;
			}
		if (kind.startsWith('Set '))
			return `[${some([0, 1, 2], 3).map(() => this.#leaf(kind.slice(4))).join(', ')}]`;
		switch (kind) {
		case 'Bool': return pick(['true', 'false']);
		case 'Long': return pick(longs).replace(/^-.*$/, '($&)');
		case 'String': return escaped(pick(strings));
		case 'Date': return this.#call('datetime', moments, badMoments);
		case 'Duration': return this.#call('duration', durations, badDurations);
		case 'Decimal': return this.#call('decimal', decimals, badDecimals);
		case 'Ip': return this.#call('ip', networks, badNetworks);
		case 'Record': return pick(['context', '{}', '{"a": 1, "": [true]}', '{a: {b: "x"}, c: principal}']);
		case 'User': return pick(['principal', 'principal', this.#uid('User')]);
		case 'Document': return pick(['resource', 'resource', this.#uid('Document')]);
		default: return this.#uid(kind);
		}
	}

	/* ---- data ---- */

	#one(type) {
		return { type, id: this.chance.pick(pools[type]) };
	}

	#many(type) {
		return this.chance.some([0, 1, 2], 3).map(() => this.#one(type));
	}

	#extension(fn, values) {
		return { __extn: { fn, arg: this.chance.pick(values) } };
	}

	/* Some of the optional members. */
	#perhaps(members) {
		return Object.fromEntries(Object.entries(members).filter(() => this.chance.once(2)));
	}

	#user(id) {
		return {
			uid: { type: 'User', id },
			parents: this.#many('Role'),
			attrs: {
				org: this.#one('Org'), orgs: this.#many('Org'), kind: this.chance.pick(strings), counties: this.#many('County'),
				placedUnits: this.#many('Unit'), ownUnits: this.#many('Unit'), areaUnits: this.#many('Unit'),
				...this.#perhaps({ validFrom: this.#extension('datetime', moments), validUntil: this.#extension('datetime', moments) }),
			},
		};
	}

	#document(id) {
		return {
			uid: { type: 'Document', id },
			parents: [],
			attrs: {
				publicity: this.chance.pick(strings), author: this.#one('Org'), state: this.chance.pick(strings), type: this.chance.pick(strings),
				units: this.#many('Unit'), unitCount: this.chance.pick([0, 1, 2, -7]), counties: this.#many('County'), addressees: this.#many('Org'),
				renditions: this.chance.some(strings, 3), date: this.#extension('datetime', moments),
				...this.#perhaps({ visitDate: this.#extension('datetime', days) }),
			},
		};
	}

	entities() {
		return [this.#user('aino'), this.#user('eino'), this.#document('d1'), this.#document('d2'),
			...['Org', 'Unit'].map((type) => ({ uid: { type, id: pools[type][0] }, parents: [], attrs: {} }))];
	}

	request() {
		const { pick, below } = this.chance;
		return {
			description: '',
			principal: this.#one('User'),
			action: this.#one('Action'),
			resource: this.#one(pick(['Document', 'Document', 'Document', 'Archive'])),
			context: {
				now: this.#extension('datetime', moments), today: this.#extension('datetime', days), strong: below(2) === 0, caseUnits: this.#many('Unit'),
				...this.#perhaps({
					purpose: pick(strings), case: this.#one('Case'), breakGlass: pick(strings), network: this.#extension('ip', networks),
				}),
			},
			validateRequest: false,
		};
	}
}
