// SPDX-License-Identifier: Apache-2.0
// A second decoder of patches, written from docs/patch-format.md and slow on purpose: everything is in memory, nothing
// is resumed. Its tables are typed in again from the manuals of both instruction sets, not taken from src/.
import { createHash } from 'node:crypto';
import zlib from 'node:zlib';

const u32 = v => v >>> 0;
const bits = (v, from, n) => (v >>> from) & (n === 32 ? -1 : (1 << n) - 1);
const inside = (v, from, size) => u32(v - from) < size;
export class Refused extends Error {}

function demand(right, text) {
    if (!right)
        throw new Refused(text);
}

/* ---- chips: [from, to, below, above, content] ---- */

const flash = (a, b) => [a, b, 0, 0x10000, 'data'];
const ram = (a, b) => [a, b, 0x8000, 0x40000, 'data'];
const code = (a, b) => [a, b, 0, 0, 'code'];
const CHIPS = {
    0: ['xtensa', flash(0x3f400000, 0x3f800000), ram(0x3ffae000, 0x40000000), code(0x40080000, 0x400a0000),
        code(0x400c2000, 0x40c00000), ram(0x50000000, 0x50002000)],
    2: ['xtensa', flash(0x3f000000, 0x3f800000), ram(0x3ffb0000, 0x40000000), code(0x40020000, 0x40070000),
        code(0x40080000, 0x40800000), ram(0x50000000, 0x50002000)],
    9: ['xtensa', flash(0x3c000000, 0x3e000000), ram(0x3fc88000, 0x3fd00000), code(0x40370000, 0x403e0000),
        code(0x42000000, 0x44000000), ram(0x50000000, 0x50002000), code(0x600fe000, 0x60100000)],
    5: ['riscv', flash(0x3c000000, 0x3c800000), ram(0x3fc80000, 0x3fce0000), code(0x4037c000, 0x403e0000),
        code(0x42000000, 0x42800000), ram(0x50000000, 0x50002000)],
    13: ['riscv', [0x40800000, 0x40880000, 0, 0x40000, 'mixed'], [0x42000000, 0x43000000, 0, 0x10000, 'mixed'],
        ram(0x50000000, 0x50004000)],
    16: ['riscv', [0x40800000, 0x40850000, 0, 0x40000, 'mixed'], [0x42000000, 0x43000000, 0, 0x10000, 'mixed'],
        ram(0x50000000, 0x50001000)],
};

/* ---- forms: bytes, what is added, width and sign, pieces [of the instruction, of the field, bits] ---- */

const here = pc => pc;
const FORMS = {
    pointer: [4, () => 0, 32, '', [[0, 0, 32]]],
    relative: [4, here, 32, '', [[0, 0, 32]]],
    cie: [4, here, 32, 'backwards', [[0, 0, 32]]],
    l32r: [3, pc => u32(pc + 3) & ~3, 18, 'ones', [[8, 2, 16]]],
    call: [3, pc => (pc & ~3) + 4, 20, 'signed', [[6, 2, 18]]],
    j: [3, pc => pc + 4, 18, 'signed', [[6, 0, 18]]],
    bri12: [3, pc => pc + 4, 12, 'signed', [[12, 0, 12]]],
    bri8: [3, pc => pc + 4, 8, 'signed', [[16, 0, 8]]],
    bn: [2, pc => pc + 4, 6, '', [[12, 0, 4], [4, 4, 2]]],
    jal: [4, here, 21, 'signed', [[31, 20, 1], [21, 1, 10], [20, 11, 1], [12, 12, 8]]],
    b: [4, here, 13, 'signed', [[31, 12, 1], [25, 5, 6], [8, 1, 4], [7, 11, 1]]],
    cj: [2, here, 12, 'signed', [[12, 11, 1], [11, 4, 1], [9, 8, 2], [8, 10, 1], [7, 6, 1], [6, 7, 1], [3, 1, 3], [2, 5, 1]]],
    cb: [2, here, 9, 'signed', [[12, 8, 1], [10, 3, 2], [5, 6, 2], [3, 1, 2], [2, 5, 1]]],
    upper: [4, null, 32, 'pair', [[12, 12, 20]]],
    lowerI: [4, null, 12, 'pair', [[20, 0, 12]]],
    lowerS: [4, null, 12, 'pair', [[25, 5, 7], [7, 0, 5]]],
};

const KINDS = ['bytes', 'word', 'short', 'long', 'pointer', 'relative', 'cie', 'call', 'literal', 'jump', 'branch',
    'upper', 'lower'];

const XTENSA = [[0x0f, 0x01, 'l32r', 'literal'], [0x0f, 0x05, 'call', 'call'], [0x3f, 0x06, 'j', 'jump'],
    [0x3f, 0x16, 'bri12', 'branch'], [0x3f, 0x26, 'bri8', 'branch'], [0xbf, 0xb6, 'bri8', 'branch'],
    [0xe0ff, 0x0076, 'bri8', 'branch'], [0xe0ff, 0x8076, 'bri8', 'branch'], [0xf0ff, 0xa076, 'bri8', 'branch'],
    [0x0f, 0x07, 'bri8', 'branch'], [0x8f, 0x8c, 'bn', 'branch']];
const RISCV = [[0x7f, 0x6f, 'jal', 'call'], [0x7f, 0x63, 'b', 'branch'], [0xe003, 0x2001, 'cj', 'call'],
    [0xe003, 0xa001, 'cj', 'jump'], [0xc003, 0xc001, 'cb', 'branch']];

const read = (bytes, n) => bytes.slice(0, n).reduce((v, byte, i) => u32(v | (byte << (8 * i))), 0);

function field(form, insn) {
    const [, , width, sign, pieces] = FORMS[form];
    let v = 0;
    for (const [from, to, n] of pieces)
        v = u32(v | (bits(insn, from, n) << to));
    if (sign === 'ones' || (sign === 'signed' && (v >>> (width - 1)) & 1))
        v = u32(v | (-1 << width));
    return v;
}

function getAddress(form, bytes, pc) {
    const [n, base, , sign] = FORMS[form];
    const v = field(form, read(bytes, n));
    return u32(sign === 'backwards' ? pc - v : base(pc) + v);
}

function setAddress(form, bytes, pc, base, target) {
    const [n, add, , sign, pieces] = FORMS[form];
    let v = u32(sign === 'pair' ? target - base : sign === 'backwards' ? pc - target : target - add(pc));
    if (form === 'upper')
        v = u32(v + 0x800);
    let insn = read(bytes, n);
    for (const [from, to, k] of pieces) {
        const mask = k === 32 ? -1 : ((1 << k) - 1) << from;
        insn = u32((insn & ~mask) | ((v >>> to) << from & mask));
    }
    if (sign !== 'pair' && field(form, insn) !== v)
        return bytes;
    return bytes.map((byte, i) => (i < n ? (insn >>> (8 * i)) & 255 : byte));
}

/* ---- coding ---- */

class Coder {
    constructor(body) {
        this.body = body;
        this.at = 0;
        this.range = 0xffffffff;
        this.code = 0;
        for (let i = 0; i < 4; i++)
            this.code = u32((this.code << 8) | this.next());
    }

    next() {
        demand(this.at < this.body.length, 'the body is too short');
        return this.body[this.at++];
    }

    decode(c) {
        const bound = (this.range >>> 16) * c;
        const bit = this.code < bound ? 1 : 0;
        if (bit) {
            this.range = bound;
        } else {
            this.code = u32(this.code - bound);
            this.range = u32(this.range - bound);
        }
        while (this.range < 0x1000000) {
            this.range = u32(this.range << 8);
            this.code = u32((this.code << 8) | this.next());
        }
        return bit;
    }

    bit(chance) {
        const bit = this.decode(chance.c());
        chance.learn(bit);
        return bit;
    }

    number(context) {
        let node = 1;
        for (let i = 0; i < 6; i++)
            node = 2 * node + this.bit(context.length[node]);
        const length = node - 64;
        if (length === 0 || length > 32)
            return 0;
        let v = 1;
        for (let i = 1; i < length; i++)
            v = 2 * v + (i === 1 ? this.bit(context.second[length]) : this.decode(32768));
        return v;
    }

    signed(context) {
        const v = this.number(context);
        return u32(v % 2 ? -((v + 1) / 2) : v / 2);
    }
}

class Chance {
    constructor(width, p, limit) {
        Object.assign(this, { width, p, limit, n: 0 });
    }

    c() {
        return this.width === 12 ? 16 * this.p + 8 : Math.min(65534, Math.max(2, this.p >>> 6));
    }

    learn(bit) {
        const target = bit ? 2 ** this.width - 1 : 0;
        this.p += Math.trunc(((target - this.p) * 2) / (2 * this.n + 3));
        this.n = Math.min(this.limit, this.n + 1);
    }
}

const coarse = () => new Chance(12, 2048, 15);
const fine = (of, limit) => new Chance(22, of * 64, limit);
const many = (n, make) => Array.from({ length: n }, make);
const numbers = () => ({ length: many(64, coarse), second: many(33, coarse) });

// Chances that are made when they are first asked for.
class Table {
    constructor(make) {
        this.make = make;
        this.map = new Map();
    }

    at(...key) {
        const name = key.join();
        if (!this.map.has(name))
            this.map.set(name, this.make());
        return this.map.get(name);
    }
}

function hash(a, b) {
    let h = u32(Math.imul(a, 0x9e3779b1) + Math.imul(b, 0x85ebca6b));
    h = u32(Math.imul(h ^ (h >>> 15), 0x2c1b3c6d));
    return u32(h ^ (h >>> 13));
}

const stretch = p => Math.round(256 * Math.log(((p >> 3) + 0.5) / (511.5 - (p >> 3))));
const clamp = (v, least, most) => Math.min(most, Math.max(least, v));
const POINTS = many(33, (_, i) => Math.min(4095, Math.round(4096 / (1 + Math.exp((16 - i) / 2)))));

function squash(x) {
    const y = x + 2048, i = y >> 7, f = y & 127;
    return clamp((POINTS[i] * (128 - f) + POINTS[i + 1] * f + 64) >> 7, 1, 4095);
}

class Bytes {
    constructor() {
        this.weight = many(4, () => [19660, 19660, 19660, 19660]);
        this.plain = many(4, () => many(256, coarse));
        this.hashed = many(4096, coarse);
    }

    take(coder, set, context) {
        let tree = 1;
        while (tree < 256)
            tree = 2 * tree + this.bit(coder, set, context, tree);
        return tree - 256;
    }

    bit(coder, set, context, tree) {
        const w = this.weight[set];
        const chances = [this.plain[set][tree],
            ...[1, 2, 3].map(k => this.hashed[hash(context[k - 1], tree + 512 * k) % 4096])];
        const opinion = chances.map(chance => stretch(chance.p));
        const sum = opinion.reduce((v, o, k) => v + o * w[k], 0);
        const s = squash(clamp(Math.floor(sum / 65536), -2047, 2047));
        const bit = coder.decode(16 * s);
        const e = 14 * ((bit ? 4096 : 0) - s);
        for (let k = 0; k < 4; k++) {
            w[k] = clamp(w[k] + Math.floor((opinion[k] * e + 8192) / 16384), -(2 ** 20), 2 ** 20);
            chances[k].learn(bit);
        }
        return bit;
    }
}

/* ---- images ---- */

class Image {
    constructor(segments, chip) {
        this.segments = segments;
        const [family, ...rows] = CHIPS[chip] ?? [null];
        this.family = family;
        this.regions = rows.map(([from, to, below, above, content]) => {
            const in_it = segments.filter(s => s.address >= from && s.address < to);
            const first = Math.min(...in_it.map(s => s.address)), behind = Math.max(...in_it.map(s => s.address + s.size));
            return in_it.length ? { from, to, content, first: first - below, behind: behind + above }
                : { from, to, content, first: 0, behind: 0 };
        });
        if (!family)
            this.regions = segments.filter(s => s.address >= 0x10000000 && u32(s.address + s.size) > s.address)
                .map(s => ({ from: s.address, to: s.address + s.size, content: 'data', first: s.address, behind: s.address + s.size }));
    }

    region(address) {
        return this.regions.findIndex(r => address >= r.from && address < r.to);
    }

    // Of this image or of another one for the same chip.
    markCode(segments) {
        segments.forEach((s, i) => {
            const content = this.regions[this.region(s.address)]?.content;
            s.code = content === 'code' || (content === 'mixed' && i > 0);
        });
    }

    pointer(v, inCode) {
        const r = this.regions[this.region(v)];
        if (!r || v < r.first || v >= r.behind)
            return false;
        if (r.content !== 'code')
            return true;
        return this.family === 'riscv' ? v % 2 === 0 : !inCode || v % 4 === 0;
    }
}

const at = (segments, offset) => segments.find(s => inside(offset, s.at, s.size));
const of = (segments, address) => segments.find(s => s.address >= 0x10000000 && inside(address, s.address, s.size));

function segmentsOf(base) {
    const segments = [];
    if (base[0] !== 0xe9 || base.length < 24)
        return segments;
    for (let i = 0, offset = 24; i < Math.min(16, base[1]) && base.length - offset >= 8; i++) {
        const s = { at: offset + 8, address: base.readUInt32LE(offset), size: base.readUInt32LE(offset + 4) };
        if (s.size > base.length - s.at)
            break;
        segments.push(s);
        offset = s.at + s.size;
    }
    return segments;
}

/* ---- units ---- */

class Reader {
    constructor(base, image, gp) {
        Object.assign(this, { base, image, gp });
    }

    begin() {
        this.announced = null;
        this.frame = 0;
        this.filling = false;
        this.notes = new Map(); // register: { upper, from }
    }

    word(offset) {
        let v = 0;
        for (let i = 0; i < 4; i++)
            v = u32(v | ((this.base[offset + i] ?? 0) << (8 * i)));
        return v;
    }

    unit(offset, end) {
        const s = at(this.image.segments, offset);
        if (!s)
            return { kind: 'bytes', bytes: 1, address: 0, code: false, from: 0 };
        const address = s.address + (offset - s.at);
        const room = Math.min(end, s.at + s.size) - offset;
        const family = s.code ? this.image.family : null;
        const find = { xtensa: 'xtensa', riscv: 'riscv' }[family] ?? 'data';
        return { from: 0, address, code: s.code, ...this[find](s, offset, u32(address), room) };
    }

    withForm(kind, form, target) {
        return { kind, form, bytes: FORMS[form][0], target: u32(target) };
    }

    otherCode(s, address) {
        const t = of(this.image.segments, u32(address));
        return t !== undefined && t.code && t !== s;
    }

    data(s, offset, address, room) {
        const announced = this.announced, v = this.word(offset);
        this.announced = null;
        if (announced && room >= 4) {
            if (announced === 'offset' && inside(u32(address + v), s.address, s.size))
                return this.withForm('relative', 'relative', address + v);
            if (announced === 'pointer' && this.image.pointer(v, false))
                return this.withForm('pointer', 'pointer', v);
        }
        if (address % 4 || room < 4)
            return { kind: 'bytes', bytes: Math.min(room, address % 4 ? 4 - (address % 4) : room) };
        if (this.image.pointer(v, s.code))
            return this.withForm('pointer', 'pointer', v);
        const odd = [1, 2, 3].find(i => room >= i + 4 && this.image.pointer(this.word(offset + i), false));
        if (odd && !(room >= 8 && this.image.pointer(this.word(offset + 4), false))) {
            this.announced = 'pointer';
            return { kind: 'bytes', bytes: odd };
        }
        if (this.otherCode(s, address + v)) {
            this.frame = 3;
            return this.withForm('relative', 'relative', address + v);
        }
        this.frame = Math.max(0, this.frame - 1);
        if (this.frame === 1 && (v & 255) === 4 && room >= 5) {
            this.announced = 'offset';
            return { kind: 'bytes', bytes: 1 };
        }
        if (room >= 8 && v !== 0 && v % 4 === 0 && inside(u32(address - v), s.address, s.size) &&
            this.otherCode(s, address + 4 + this.word(offset + 4)))
            return this.withForm('cie', 'cie', address - v);
        return { kind: 'word', bytes: 4 };
    }

    byTable(table, v, address) {
        const row = table.find(([mask, match]) => ((v & 0xffff) & mask) === match);
        if (!row)
            return null;
        const bytes = [v & 255, (v >>> 8) & 255, (v >>> 16) & 255, v >>> 24];
        return this.withForm(row[3], row[2], getAddress(row[2], bytes, address));
    }

    xtensa(s, offset, address, room) {
        const v = this.word(offset), low = v & 15, n = low >= 14 ? 4 : low >= 8 ? 2 : 3;
        if (address % 4 === 0 && room >= 4 && this.image.pointer(v, true))
            return this.withForm('pointer', 'pointer', v);
        if (this.filling && (v & 255) === 0)
            return { kind: 'bytes', bytes: 1 };
        if (room < n)
            return { kind: 'bytes', bytes: room };
        const up = 4 - (address % 4), next = this.word(offset + up);
        if (up < n && s.at + s.size - (offset + up) >= 4 && (this.image.pointer(next, true) || (next & 0xfff) === 0x136)) {
            this.filling = false;
            return { kind: 'bytes', bytes: up };
        }
        this.filling = (v & 0x3f) === 6 || [0xf00d, 0xf01d].includes(v & 0xffff) || [0x80, 0x90, 0xa0].includes(v & 0xffffff);
        const found = this.byTable(XTENSA, v, address);
        if (found && inside(found.target, s.address, s.size))
            return found;
        return { kind: n === 2 ? 'short' : 'long', bytes: n };
    }

    // { form, value } of an instruction that adds to a register
    adds(v, register) {
        const op = v & 0x7f, f = (v >>> 12) & 7;
        if ((v & 3) !== 3 || ((v >>> 15) & 31) !== register)
            return null;
        if (op === 0x23)
            return { form: 'lowerS', value: (((v >> 25) << 5) | ((v >>> 7) & 31)) };
        return op === 0x03 || op === 0x67 || (op === 0x13 && f === 0) ? { form: 'lowerI', value: v >> 20 } : null;
    }

    written(v) {
        const rd = (v >>> 7) & 31, f = (v >>> 13) & 7;
        switch (v & 3) {
        case 3: return [0x23, 0x63].includes(v & 0x7f) ? 0 : rd;
        case 0: return f === 0 || f === 2 ? 8 + ((v >>> 2) & 7) : 0;
        case 1: return [rd, 1, rd, rd, 8 + (rd & 7), 0, 0, 0][f];
        default: return f === 4 && ((v >>> 2) & 31) === 0 ? (v >>> 12) & 1 : [rd, 0, rd, 0, rd, 0, 0, 0][f];
        }
    }

    lowerOf(offset, room, register) {
        for (let i = 0; i < 12 && room >= 2; i++) {
            const v = this.word(offset), n = (v & 3) === 3 ? 4 : 2;
            if (n > room)
                return null;
            const found = this.adds(v, register);
            if (found)
                return found;
            if (this.written(v) === register)
                return null;
            offset += n;
            room -= n;
        }
        return null;
    }

    upper(offset, address, room, v) {
        const register = (v >>> 7) & 31, pc = (v & 0x7f) === 0x17;
        const note = { upper: u32((v & 0xfffff000) + (pc ? address : 0)), from: pc ? address : 0 };
        this.notes.set(register, note);
        const lower = this.lowerOf(offset + 4, room - 4, register);
        let found = { kind: 'long', bytes: 4 };
        if (lower) {
            const target = u32(note.upper + lower.value);
            if (pc || this.image.region(target) >= 0)
                found = { ...this.withForm('upper', 'upper', target), from: note.from };
            else
                this.notes.delete(register);
        }
        this.notes.delete(0);
        return found;
    }

    riscv(s, offset, address, room) {
        const v = this.word(offset), n = (v & 3) === 3 ? 4 : 2;
        if (address % 2)
            return { kind: 'bytes', bytes: 1 };
        if (room < n)
            return { kind: 'bytes', bytes: room };
        if (n === 4 && [0x37, 0x17].includes(v & 0x7f))
            return this.upper(offset, address, room, v);
        let found = this.byTable(RISCV, v, address);
        if (found) {
            const counts = inside(found.target, s.address, s.size) ||
                (found.form === 'jal' && of(this.image.segments, found.target));
            found = counts ? found : null;
        } else if (n === 4) {
            found = this.lower(v);
        }
        this.notes.delete(this.written(v));
        return found ?? { kind: n === 2 ? 'short' : 'long', bytes: n };
    }

    lower(v) {
        const register = (v >>> 15) & 31, byGp = register === 3 && this.gp !== 0;
        const note = byGp ? { upper: this.gp, from: 'gp' } : this.notes.get(register);
        const found = note && this.adds(v, register);
        return found ? { ...this.withForm('lower', found.form, note.upper + found.value), from: note.from } : null;
    }
}

/* ---- where an address goes ---- */

class Shifts {
    constructor(image, result, blocks) {
        Object.assign(this, { image, result, learned: [], replaced: 0, sorted: [] });
        for (const b of [...blocks].sort((x, y) => x.base - y.base || x.result - y.result)) {
            const last = this.sorted.at(-1);
            if (!last || b.base + b.size > last.base + last.size)
                this.sorted.push(b);
        }
    }

    byBlock(address) {
        const s = of(this.image.segments, address);
        if (!s)
            return null;
        const offset = s.at + (address - s.address);
        const b = this.sorted.findLast(x => x.base <= offset);
        const to = b && u32(offset - b.base + b.result), d = b && at(this.result, to);
        return d ? { shift: u32(d.address + (to - d.at) - address), inside: offset - b.base < b.size } : null;
    }

    ask(address) {
        const i = this.learned.findIndex(x => x.address >= address), n = i < 0 ? this.learned.length : i;
        const exact = this.learned[n]?.address === address ? this.learned[n] : undefined;
        const region = this.image.region(address);
        const near = x => (x && this.image.region(x.address) === region ? x.shift : undefined);
        return { exact: exact?.shift, block: this.byBlock(address), lower: near(this.learned[n - 1]),
            upper: near(this.learned[exact ? n + 1 : n]) };
    }

    learn(address, shift) {
        const known = this.learned.find(x => x.address === address);
        if (known) {
            known.shift = shift;
            return;
        }
        if (this.learned.length === 400)
            this.learned.splice((this.replaced++ % 65536) % 400, 1);
        this.learned.push({ address, shift });
        this.learned.sort((a, b) => a.address - b.address);
    }
}

/* ---- the body ---- */

const SORT = { call: 'calls', literal: 'literals', jump: 'jumps', branch: 'jumps' };

class Body {
    constructor(body, base, resultSize, chip) {
        this.coder = new Coder(body);
        this.base = base;
        this.out = Buffer.alloc(resultSize);
        this.made = 0;
        this.image = new Image(segmentsOf(base), base[0] === 0xe9 && base.length >= 24 ? base.readUInt16LE(12) : -1);
        this.image.markCode(this.image.segments);
        this.context = Object.fromEntries(['first', 'gap', 'size', 'place', 'news', 'copySize', 'copyPlace'].map(k => [k, numbers()]));
        this.allNew = coarse();
        this.bytes = new Bytes();
        this.lastMiss = 0;
        this.likes = many(256, () => ({ old: 0, now: 0 }));
        this.recent = { pointers: many(8, () => 0), calls: many(8, () => 0), literals: many(8, () => 0), jumps: many(8, () => 0) };
        this.last = {};
        this.same = new Table(() => fine(128, 1023));
        this.right = new Table(() => fine(2048, 255));
        this.bits = new Table(coarse);
        this.numbers = new Table(numbers);
    }

    run() {
        const { coder, context } = this;
        const number = k => coder.number(context[k]), signed = k => coder.signed(context[k]);
        const segments = number('first'), count = number('first');
        demand(segments <= 16 && count <= 512, 'too many segments or blocks');
        const gp = this.image.family === 'riscv' ? [number('first'), number('first')] : [0, 0];
        this.gp = gp[1];
        this.result = [];
        for (let i = 0, offset = 32; i < segments; i++) {
            const was = this.image.segments[i] ?? { address: 0, size: 0 };
            const s = { at: offset, address: u32(was.address + signed('first')), size: u32(was.size + signed('first')) };
            this.result.push(s);
            offset = u32(offset + s.size + 8);
        }
        this.image.markCode(this.result);
        const blocks = this.takeMap(count, number, signed);
        this.shifts = new Shifts(this.image, this.result, blocks);
        this.reader = new Reader(this.base, this.image, gp[0]);
        this.old = 0;
        for (const block of blocks) {
            this.fill(block.result - this.made);
            this.copy(block.base, block.size);
        }
        this.fill(this.out.length - this.made);
        demand(coder.at === coder.body.length, 'the body is too long');
        return this.out;
    }

    takeMap(count, number, signed) {
        const blocks = [];
        for (let i = 0, base = 0, result = 0; i < count; i++) {
            const b = { result: result + number('gap'), size: number('size'), base: u32(base + signed('place')) };
            this.inBase(b);
            demand(b.result + b.size <= this.out.length, 'a block lies outside the result');
            blocks.push(b);
            base = b.base + b.size;
            result = b.result + b.size;
        }
        return blocks;
    }

    inBase({ base, size }) {
        demand(size > 0 && base + size <= this.base.length, 'a block lies outside the base');
    }

    fill(gap) {
        const { coder, context } = this;
        while (gap > 0) {
            const all = coder.bit(this.allNew);
            const news = all ? gap : coder.number(context.news);
            demand(all || news < gap, 'more new bytes than fit');
            for (let i = 0; i < news; i++)
                this.newByte();
            gap -= news;
            if (gap === 0)
                return;
            const size = coder.number(context.copySize), base = u32(this.old + coder.signed(context.copyPlace));
            this.inBase({ base, size });
            demand(size <= gap, 'a copy that does not fit');
            this.copy(base, size);
            gap -= size;
        }
    }

    one() { return this.out[this.made - 1] ?? 0; }

    newByte() {
        const s = at(this.result, this.made), set = !s ? 0 : s.code ? 1 : 2;
        const one = this.one(), two = this.out[this.made - 2] ?? 0, o = this.base[this.old++] ?? 0;
        const third = set === 1 ? ((this.made - s.at) % 4) | (o << 8) | (one << 16) | (7 << 29) : o | (one << 8) | (6 << 29);
        this.out[this.made++] = this.bytes.take(this.coder, set, [u32(one | (set << 8)), u32(one | (two << 8) | (set << 24)), u32(third)]);
    }

    copy(base, size) {
        this.reader.begin();
        this.bad = 0;
        for (let i = 0; i < size;) {
            const u = this.reader.unit(base + i, base + size);
            u.old = [...this.base.subarray(base + i, base + i + u.bytes)];
            const now = this.take(u);
            now.forEach((byte, k) => { this.out[this.made + k] = byte; });
            this.made += u.bytes;
            i += u.bytes;
        }
        this.old = base + size;
    }

    calm() {
        return [4, 16, 64, 256, 1024, 8192].filter(x => x <= this.made - this.lastMiss).length;
    }

    take(u) {
        const s = at(this.result, this.made);
        u.now = s ? u32(s.address + (this.made - s.at)) : 0;
        const by = u32(u.now - u.address);
        const moves = u.form && s && s.code === u.code && !(u.form === 'pointer' && u.address % 4 === 0 && by % 4 !== 0);
        if (!moves)
            return this.takePlain(u);
        u.pair = u.from === 'gp' ? this.gp : u.from === 0 ? 0 : u32(u.from + by);
        return this.takeMoved(u);
    }

    miss() { this.lastMiss = this.made; }

    takePlain(u) {
        const old = read(u.old, u.bytes), like = this.likes[hash(old, u.bytes) % 256], calm = this.calm();
        if (like.old === old && like.now !== old) {
            if (!this.coder.bit(this.bits.at('changed', u.kind, calm < 2)))
                return u.old.map((_, i) => (like.now >>> (8 * i)) & 255);
            if (!this.coder.bit(this.bits.at('back', u.kind))) {
                like.now = old;
                this.miss();
                return u.old;
            }
        } else if (!this.coder.bit(this.same.at(u.kind, calm, Math.min(2, this.bad)))) {
            return u.old;
        }
        const now = this.takeBytes(u, u.old);
        Object.assign(like, { old, now: read(now, u.bytes) });
        return now;
    }

    takeBytes(u, expected) {
        const kind = KINDS.indexOf(u.kind), differs = [], one = this.one();
        this.miss();
        this.bad++;
        let before = 0;
        for (let i = 0; i < u.bytes; i++) {
            const known = i === u.bytes - 1 && before === 0;
            differs.push(known ? 1 : this.coder.bit(this.bits.at('differs', kind, i, before)));
            before = 2 * before + differs[i];
        }
        return expected.map((byte, i) => {
            const context = [u.old[i] | ((4 * kind + i) << 8) | (1 << 30), (kind << 8) | (i << 16) | (2 << 28),
                one | (i << 8) | (kind << 16) | (3 << 28)];
            return differs[i] ? this.bytes.take(this.coder, 3, context.map(u32)) : byte;
        });
    }

    candidates(u, sort, known) {
        const { block } = known, list = [];
        const add = (shift, source) => {
            if (shift !== undefined && !list.some(x => x.shift === shift))
                list.push({ shift, source });
        };
        if (sort !== 'jumps')
            add(known.exact, 0);
        if (block?.inside)
            add(block.shift, 1);
        if (block && !block.inside && sort === 'jumps')
            add(block.shift, 2);
        add(known.lower, 3);
        if (block && !block.inside)
            add(block.shift, 2);
        add(known.upper, 4);
        this.recent[sort].forEach((shift, i) => add(shift, 5 + i));
        return list;
    }

    takeMoved(u) {
        const { coder } = this, sort = SORT[u.kind] ?? 'pointers';
        const known = this.shifts.ask(u.target), list = this.candidates(u, sort, known), first = list[0];
        const make = target => setAddress(u.form, u.old, u.now, u.pair, u32(target));
        const against = [known.lower, known.upper].filter(x => x !== undefined && x !== first.shift).length;
        const right = this.right.at(u.kind, Math.min(5, first.source), against, this.calm() < 3);
        if (!coder.bit(right)) {
            this.note(u, sort, known, first.shift, true);
            return make(u.target + first.shift);
        }
        this.miss();
        if (coder.bit(this.bits.at('other', sort))) {
            const other = list.slice(1).find(x => coder.bit(this.bits.at('which', sort, x.source)));
            if (!other)
                return make(u.target + first.shift);
            this.note(u, sort, known, other.shift, true);
            return make(u.target + other.shift);
        }
        if (!coder.bit(this.bits.at('number', sort)))
            return this.takeBytes(u, make(u.target + first.shift));
        return this.takeNumber(u, sort, known, u32(u.target + first.shift), make);
    }

    takeNumber(u, sort, known, expected, make) {
        const { coder } = this, unit = this.image.family === 'xtensa' && ['calls', 'literals'].includes(sort) ? 4 : 1;
        const signed = name => coder.signed(this.numbers.at(name, sort));
        if (u.kind === 'upper')
            return make(expected + signed('distance') * 4096);
        const from = coder.bit(this.bits.at('fromLast', sort)) ? [this.last[this.lastName(sort, u.target)] ?? 0, 'step'] : [expected, 'distance'];
        const target = u32(from[0] + Math.imul(signed(from[1]), unit));
        this.note(u, sort, known, u32(target - u.target), u32(target - expected + 0x4000) < 0x8000);
        return make(target);
    }

    lastName(sort, address) {
        return sort === 'pointers' ? `region ${this.image.region(address)}` : sort;
    }

    note(u, sort, known, shift, believed) {
        const recent = this.recent[sort], place = recent.slice(0, 7).indexOf(shift);
        recent.splice(place < 0 ? 7 : place, 1);
        recent.unshift(shift);
        const now = u32(u.target + shift);
        if (u.kind !== 'upper')
            this.last[this.lastName(sort, now)] = now;
        if (sort === 'jumps' || !believed)
            return;
        const byBlock = known.block?.inside && known.block.shift === shift;
        const byNeighbours = known.lower === shift && (known.upper === undefined || known.upper === shift);
        if (known.exact !== undefined || (!byBlock && !byNeighbours))
            this.shifts.learn(u.target, shift);
    }
}

/* ---- the file ---- */

const sha256 = bytes => createHash('sha256').update(bytes).digest();
const crcOf = bytes => {
    const packed = zlib.gzipSync(bytes, { level: 0 });
    return packed.readUInt32LE(packed.length - 8);
};

// The result of a patch. Throws Refused.
export function applyPatch(patch, base) {
    demand(patch.length >= 98 && patch.toString('latin1', 0, 4) === 'OtaP', 'no patch');
    const texts = 94 + patch[92] + patch[93];
    demand(patch[92] <= 31 && patch[93] <= 31 && patch.length >= texts + 8, 'its texts');
    demand(patch.readUInt32LE(texts) === crcOf(patch.subarray(0, texts)), 'the CRC of its header');
    demand(patch[4] === 1 && patch[5] === 0, 'its version');
    demand(patch.readUInt32LE(8) === base.length && patch.subarray(12, 44).equals(sha256(base)), 'its base');
    const bodySize = patch.readUInt32LE(80), end = texts + 4 + bodySize;
    demand(patch.length === end + 4, 'its length');
    const result = new Body(patch.subarray(texts + 4, end), base, patch.readUInt32LE(44)).run();
    demand(patch.readUInt32LE(end) === crcOf(patch.subarray(0, end)), 'its CRC');
    demand(patch.subarray(48, 80).equals(sha256(result)), 'its result');
    return result;
}
