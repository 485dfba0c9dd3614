// SPDX-License-Identifier: Apache-2.0
// The browser's own reading of a firmware file, before a byte of it is sent. It gives the codes and the
// details of the error table, as the device does, which judges again and has the last word.
//
//   judge(bytes, name, {chip, chip_revision, efuse_block_revision, slot_size, size, signed, accepts, running})
//       -> {code, detail, detail_ru, info, cure}
//
// bytes: of the file, from its start; size: of the file where bytes holds less of it.
// chip, its revisions, slot_size, accepts: the device's, of /api/ota/status; left out, they are not compared. running:
// what a patch is compared with.
// code: null for an app image that fits. info: what the image says of itself, as far as it was read.
// cure: {at, size, info} of the application inside a merged or filled-up image, when it would be accepted.
'use strict';

// code: [caption, template of the detail, the same in Russian], and words of findings: Russian; ui-pack puts
// them in
const ERRORS = Object(/*ERRORS*/);
const RUSSIAN = Object(/*WORDS*/);

const CHIPS = {
    0: 'ESP32', 2: 'ESP32-S2', 5: 'ESP32-C3', 9: 'ESP32-S3', 10: 'ESP32-H2 (beta)', 12: 'ESP32-C2', 13: 'ESP32-C6',
    16: 'ESP32-H2', 18: 'ESP32-P4', 20: 'ESP32-C61', 23: 'ESP32-C5', 25: 'ESP32-H21', 28: 'ESP32-H4',
    31: 'ESP32-E22', 32: 'ESP32-S31'
};

const HEAD = 288;
const SECTOR = 0x1000;
const TABLE = 0x8000;
const APP = 0x10000;
const LAST = 0x20000; // no partition table is looked for behind it
const SYSTEM = 'file_filesystem';
const ARCHIVE = 'file_archive';
const OTA_DATA = 'file_ota_data';
const SEALED = 'file_sealed';

// What the first 512 bytes tell; the order matters.
const KINDS = [
    [/^\x7FELF/, 'file_elf'],
    [/^UF2\n/, 'file_uf2'],
    [/^.{8}littlefs/s, SYSTEM, 'LittleFS'],
    [/^\x1F\x8B\x08/, 'file_gzip'],
    [/^PK[\x03\x05]/, ARCHIVE, 'zip'],
    [/^\xFD7zXZ\0/, ARCHIVE, 'xz'],
    [/^\x28\xB5\x2F\xFD/, ARCHIVE, 'zstd'],
    [/^7z\xBC\xAF/, ARCHIVE, '7z'],
    [/^Rar!/, ARCHIVE, 'rar'],
    [/^BZh/, ARCHIVE, 'bzip2'],
    [/^.{257}ustar/s, ARCHIVE, 'tar'],
    [/^%PDF-/, 'file_other', 'PDF'],
    [/^(\x89PNG|\xFF\xD8\xFF|GIF8)/, 'file_other', 'PNG, JPEG, GIF'],
    [/^\xCF\xB6\x88\x07/, SEALED, 'an encrypted image of esp_encrypted_img'],
    [/^\x10\xDE\xCD\xFC/, SEALED, 'a delta patch of esp_delta_ota'],
    [/^\xAAP/, 'file_partition_table'],
    [/^[\xFC\xFE]\xFF{3}.{4}[\xFE\xFF]\xFF{19}/s, SYSTEM, 'NVS'],
    [/^(\xEB.\x90|\xE9..).{8}\0[\x02\x04\x08\x10].{497}U\xAA/s, SYSTEM, 'FAT'],
    [/^(\xE9.{4}|\xEA).{5}([\xFE\xFF]\x3F|[\x10\x20-\x2F]\x40)/s, 'image_esp8266'],
    [/^[:S][0-9a-f]{9}/i, 'file_hex'],
    [/^=\xB8\xF3\x96/, 'file_mcuboot', 'MCUboot\'s header'],
    [/^.{4}\xFF{20}.{4}(?!\xFF{4}).{4}\xFF{480}$/s, OTA_DATA],
    [/^([\t\n\r -~]|[\xC2-\xF4][\x80-\xBF]{1,3})+[\xC2-\xF4]?$/, 'file_text'],
    [/^(<[^\0-\x08\v\x0E-\x1F]*$|\xFF\xFE[ -~]\0)/, 'file_text'],
    [/^x[\x01\x5E\x9C\xDA]/, 'file_gzip'],
    [/^(\xFF{252}(?!\xFF\xFF).{4}\xFF{256}$|([^\xE9][\x80-\xFE]).{254}\2\0\0)/s, SYSTEM, 'SPIFFS']
];

const u16 = (b, at) => b[at] | b[at + 1] << 8;
const u32 = (b, at) => (u16(b, at) | u16(b, at + 2) << 16) >>> 0;
const hex = n => '0x' + n.toString(16);
const chipName = (b, at = 12) => CHIPS[u16(b, at)] || 'an unknown chip';
const isApp = (b, at) => b[at] === 0xE9 && u32(b, at + 32) === 0xABCD5432;
const only = (b, value) => b.every(byte => byte === value);
const isErased = (b, at) => b.subarray(at).every(byte => byte === 0xFF);
const hexes = bytes => Array.from(bytes, n => hex(n + 256).slice(3)).join('');
const isTable = (b, at) => b[at] === 0xAA && b[at + 1] === 0x50 && b[at + 4] === 0;

function refuse(code, finding, info) {
    const shown = key => /^(at$|x)/.test(key) ? hex(finding[key]) : finding[key];
    const fill = (template = '', words = {}) =>
        template.replace(/{(\w+)}/g, (all, key) => words[shown(key)] || shown(key));
    const [, english, russian] = ERRORS[code] || [];

    return {code, detail: fill(english), detail_ru: fill(russian, RUSSIAN), info};
}

function kindAt(b, at) {
    const head = String.fromCharCode(...b.slice(at, at + 512));
    const [, code, text] = KINDS.find(([mark]) => mark.test(head)) || [];
    return code && refuse(code, {text, xgot: b[0]});
}

// ---- a merged image, and the application inside ----

function merged(b) {
    for (let at = SECTOR; at <= LAST; at += SECTOR) {
        const chip = chipName(b);
        if (isTable(b, at))
            return {text: 'partition table', at, chip};
        if (at === APP && isApp(b, at))
            return {text: 'app image', at, chip};
        if (b[0] === 0xFF && at <= 2 * SECTOR && b[at] === 0xE9)
            return {text: 'bootloader', at, chip: chipName(b.subarray(at))};
    }
    return null;
}

// Where applications may lie: the table's app entries in their order, or where one lies by default.
function appOffsets(b) {
    const offsets = [];
    let at = SECTOR;

    while (at < LAST && !isTable(b, at))
        at += SECTOR;
    for (; isTable(b, at); at += 32) {
        if (b[at + 2] === 0)
            offsets.push(u32(b, at + 4));
    }
    return [...offsets, APP];
}

function cutOut(b, limits) {
    for (const at of appOffsets(b)) {
        const {size} = walk(b.subarray(at), b.length).info;
        const {code, info} = judge(b.subarray(at, at + size), 'firmware.bin', {...limits, size: undefined});
        if (!code)
            return {at, size, info};
    }
    return undefined;
}

// ---- an app image ----

function text(b, at, size) {
    const words = new TextDecoder().decode(b.slice(at, at + size - 1));
    return words.split('\0')[0].replace(/[\0-\x1F\x7F-\x9F\uFFFD]/g, '?');
}

const description = b => !isApp(b, 0) ? {} : {
    version: text(b, 0x30, 32), project: text(b, 0x50, 32), time: text(b, 0x70, 16), date: text(b, 0x80, 16),
    idf: text(b, 0x90, 32), build: hexes(b.slice(0xB0, 0xB4))
};

// Follows the segments to the image's end. info.size: of the whole image, as far as that is known.
function walk(b, size) {
    const info = {chip: chipName(b), ...description(b), segments: []};
    let at = 24;

    for (let left = b[1]; ; left--) {
        const end = at + 8 * left;
        info.end = end + 16 - end % 16;
        info.size = info.end + 32;
        if (left === 0 || size < at + 8)
            break;
        const xgot = u32(b, at + 4);
        if (xgot % 4)
            return refuse('image_segment', {at, text: 'a length that is no multiple of 4', xgot}, info);
        if (xgot >= 1 << 24)
            return refuse('image_segment', {at, text: 'a length of 16 MB or more', xgot}, info);
        info.segments.push([at + 8, xgot]);
        at += 8 + xgot;
    }
    if (size < info.size)
        return refuse('image_truncated', {at: size, got: info.size - size}, info);
    if (info.build && only(b.subarray(0xB0, 0xD0), 0)) // as Rust's tools leave it
        info.build = hexes(b.slice(info.end, info.end + 4));
    return {code: null, detail: '', info};
}

function checksum(b, info) {
    let sum = 0xEF;
    for (const [at, size] of info.segments) {
        for (let i = at; i < at + size; i++)
            sum ^= b[i];
    }
    return sum;
}

// Behind the image nothing but fill and a sector of signatures, which the device looks into.
function isSigned(b, size, end) {
    const at = size - SECTOR;
    return at % SECTOR === 0 && at >= end && at < end + SECTOR && b[at] === 0xE7 &&
        only(b.subarray(end, at), 0xFF);
}

// Is the chip's revision one that the image is for? null: yes.
function revision(code, ours, least, most, info) {
    const shown = n => `v${Math.floor(n / 100)}.${n % 100}`;
    const refused = rev => refuse(code, {rev: shown(rev), ourrev: shown(ours)}, info);

    if (ours === undefined || ours === null)
        return null;
    if (ours < least)
        return refused(least);
    return ours > most && most % 0xFFFF ? refused(most) : null;
}

const revisions = (b, info, limits) =>
    revision('image_chip_revision', limits.chip_revision, u16(b, 15), u16(b, 17), info) ||
    revision('image_efuse_revision', limits.efuse_block_revision, u16(b, 0xD0) % 0xFFFF, u16(b, 0xD2), info);

function image(b, size, limits) {
    const {chip, slot_size, signed} = limits;
    const verdict = walk(b, size);
    const {info} = verdict;
    const got = Math.max(info.size, size);
    const at = info.end - 1;

    if (b[1] < 1 || b[1] > 16)
        return refuse('image_segment', {at: 1, text: 'a count that is not 1 to 16', xgot: b[1]}, info);
    if (b[23] !== 1)
        return refuse('image_no_hash', {}, info);
    if (chip && info.chip !== chip)
        return refuse('image_wrong_chip', {chip: info.chip, ours: chip}, info);
    const wrong = revisions(b, info, limits);
    if (wrong)
        return wrong;
    const filled = size === b.length && only(b.subarray(info.size), 0xFF);
    if (slot_size && (filled ? info.size : got) > slot_size)
        return refuse('image_too_large', {got, want: slot_size}, info);
    if (verdict.code)
        return verdict;
    if (size > info.size && !isSigned(b, size, info.size)) {
        const cure = filled && !image(b.subarray(0, info.size), info.size, limits).code;
        return {...refuse('image_trailing', {at: info.size}, info), cure: cure ? {at: 0, size: info.size, info} : undefined};
    }
    const xwant = checksum(b, info);
    if (b[at] !== xwant)
        return refuse('image_checksum', {at, xgot: b[at], xwant}, info);
    return signed && size === info.size ? refuse('signature_missing', {at: size, text: 'the image ends at'}, info) : verdict;
}

// docs/patch-format.md. What it makes only the device can judge.
function patch(b, {chip, slot_size, running}) {
    const base = hexes(b.slice(84, 88));
    const length = b[92];
    const info = {chip: chipName(b, 6), base, project: '', version: text(b, 94 + length, b[93] + 1),
        build: hexes(b.slice(88, 92)), size: u32(b, 44), sha256: hexes(b.slice(48, 80))};

    if (chip && info.chip !== chip)
        return refuse('image_wrong_chip', {chip: info.chip, ours: chip}, info);
    if (slot_size && info.size > slot_size)
        return refuse('image_too_large', {got: info.size, want: slot_size}, info);
    return running && running.build !== base ? refuse('patch_wrong_base',
        {text: `${text(b, 94, length + 1)} (${base}); ${running.version} (${running.build})`}, info)
        : {code: null, detail: '', info};
}

// Begins with 0xE9 and has no app description. An app's first segment is mapped, and so its data lies as
// in the file, 32 bytes behind the beginning of a page; a bootloader's goes to RAM.
function withoutDescription(b, size, chip) {
    const info = {chip: chipName(b)};
    const mapped = u16(b, 24) === 32;

    if (size < HEAD)
        return refuse('image_truncated', {at: size, got: HEAD - size});
    if (CHIPS[u16(b, 12)] && !mapped && (isErased(b, TABLE) || b[32] === 0x50))
        return refuse('image_bootloader', info, info);
    if (chip && info.chip !== chip && u32(b, 19) >>> 25 === 0)
        return refuse('image_wrong_chip', {...info, ours: chip}, info);
    return refuse('image_no_description', {at: 32}, info);
}

// Begins with erased flash: what is behind its first sector, which flash tools may leave empty?
function behindErased(b, size) {
    const kind = kindAt(b, SECTOR);
    if ([OTA_DATA, SYSTEM].includes(kind?.code))
        return kind;
    const blank = size === 2 * SECTOR ? OTA_DATA : 'file_blank';
    return isErased(b, 0) && refuse(blank, {xgot: 0xFF});
}

function judge(bytes, name, limits = {}) {
    const size = limits.size ?? bytes.length;
    const verdict = content(bytes, size, limits);
    return verdict.code || /.\.(bin|gz|patch)$/i.test(name) ? verdict : refuse('file_name');
}

// What the bytes are comes before what they are called.
function content(bytes, size, limits) {
    const [first] = bytes;

    if (size === 0)
        return refuse('file_empty');
    if (isApp(bytes, 0) && size >= HEAD)
        return image(bytes, size, limits);
    if (u32(bytes, 0) === 0x5061744F && limits.accepts?.includes('patch'))
        return patch(bytes, limits);
    const kind = kindAt(bytes, 0) || first === 0xFF && behindErased(bytes, size);
    if (kind)
        return kind;
    const found = [0xE9, 0xFF].includes(first) && merged(bytes);
    if (found && limits.chip && found.chip !== limits.chip && (first === 0xE9 || found.text === 'bootloader'))
        return refuse('image_merged_chip', {...found, ours: limits.chip});
    if (found)
        return {...refuse('image_merged', found), cure: cutOut(bytes, limits)};
    if (first === 0 && only(bytes, 0))
        return refuse('file_blank', {xgot: 0});
    if (only(bytes.subarray(0, 512), 0))
        return refuse('file_mcuboot', {text: 'zeros where MCUboot\'s header goes'});
    if (first === 0xE9)
        return withoutDescription(bytes, size, limits.chip);
    return refuse('file_unknown', {xgot: first, xwant: 0xE9});
}

// An upload that broke off.
const connectionLost = got => refuse('connection_lost', {got});

// The appended SHA-256.
async function judgeHash(bytes, info) {
    const digest = await sha256(bytes.subarray(0, info.end));
    const appended = hexes(bytes.subarray(info.end, info.end + 32));
    return digest === appended ? null : refuse('image_hash', {at: info.end}, info);
}
