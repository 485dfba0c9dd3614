// SPDX-License-Identifier: Apache-2.0
// The upload page. What it shows of the robot is drawn from the last status, each time anew; what became of the
// user's own file stays until the user does something. It claims nothing that it has not seen.
'use strict';

const WAIT_MS = 60000;
const SILENCE_MS = 3000;
const FILE_MAX = 1 << 25;
const TRIES = 5; // of an upload, one behind the other, of which nothing gets to the robot
const BAD_ENDS = /refused|rejected|crash|power_lost|gave_up|not_loaded/;
// Refusals that a person may overrule.
const FORCEABLE = ['build_rejected_before', 'other_project'];
// What the page does for the user's file. free: another may be chosen; ends: it can be cancelled; past: what ran before
// is no more. WORDS has what is said meanwhile.
const PHASES = {
    idle: {free: true}, judged: {free: true}, sending: {ends: true}, verifying: {}, rebooting: {past: true},
    waiting: {past: true}, done: {free: true, past: true}, failed: {free: true}
};

let st = null;      // the last status
let heard = performance.now();
let file = null;    // {name, bytes, image, size, source, verdict, sha256, force}; on its way {total, sent, written}, too
let latest = null;  // the File chosen last
let error = null;   // what #error shows
let told = null;    // [tone, text()] of #result
let mine = null;    // {id, query, before, began, request, …} of this page's upload, while it runs
let dropped = [];   // ids of uploads that were cancelled: the robot may hear of that late, or begin one after that
let events = null;  // the EventSource while it delivers
let following = false;
let asked = null;   // what #ask will do
let quarter = 0;
let seen = -1;      // the journal's newest entry that is drawn
let ended = null;   // its newest one of an update
const looks = {};   // what an element was drawn from

// ---- words for firmware ----

const label = image => image ? `${titled(image)} (${image.build})` : '—';
const running = () => st && st.slots.find(slot => slot.running);
const runningImage = () => running()?.image;
const waitingFor = () => t('pending_verify') + (st.waiting_for ? ': ' + st.waiting_for : '');

// -1, 0, 1 as compareVersions(); null where there is no firmware, or a version is the library's and not its own.
const age = (a, b) => !a || !b || isStub(a) || isStub(b) ? null : compareVersions(a, b);

const imageIn = name => st.slots.find(slot => slot.label === name)?.image;

// Where a rollback would go to: {slot, image, needs_force, why}.
const wayBack = () => st.way_back && {...st.way_back, image: imageIn(st.way_back.slot)};

// ---- drawing ----

// Has what the element is drawn from changed? Else a reader's place and the focus stay.
function changed(id, from) {
    const before = looks[id];
    looks[id] = JSON.stringify([from, language]);
    return looks[id] !== before;
}

const put = (id, from, nodes) => changed(id, from) && $(id).replaceChildren(...nodes());

const is = what => PHASES[$('phase').dataset.phase][what];
// This tab's upload broke off, the page was loaded anew, and the robot still waits for the rest.
const isHalf = () => !mine && !following && st.state === 'receiving' && st.update === half?.id;
// What somebody else holds the robot for.
const holds = () => isOthers() && (st.busy?.for || 'upload');
const isOthers = () => st.state !== 'idle' && !mine && !following && !isHalf();
const restarts = () => st.state === 'rebooting';

// What stands in the way of an update, whatever file is chosen: words, or an error body.
function conditions() {
    const found = [];
    if (st.error)
        found.push(st.error);
    if (st.pending)
        found.push({hint: t('confirm_first')});
    if (holds() && holds() !== 'upload')
        found.push({hint: t('busy', t('busy_' + holds()))});
    return found;
}

const isOut = () => error?.code === 'login_required';
const isBlocked = () => !st || isOthers() || conditions().length > 0 || !$('offline').hidden || isOut();
const isAgreed = () => !isOtherProject(file.verdict.info) || file.force;

function drawButtons() {
    const fits = file && !file.verdict.code;
    $('choose').disabled = $('cure').disabled = $('later').disabled = !is('free');
    $('upload').disabled = !is('free') || !fits || isBlocked() || !isAgreed();
    $('warnings').hidden = is('past'); // the comparison was with what ran before
    $('later-label').hidden = !fits;
    $('cancel').hidden = mine ? !is('ends') : !st || !isHalf();
    drawPhase();
    keepFocus();
}

function phase(name, word = name) {
    Object.assign($('phase').dataset, {phase: name, word});
    drawButtons();
}

function drawPhase() {
    const {word} = $('phase').dataset;
    const text = word !== 'judged' || !st ? word : isBlocked() ? 'blocked' : !isAgreed() ? 'tick'
        : file.verdict.info.base ? 'patch' : word;
    $('phase').textContent = WORDS[text] ? t(text, ...mine ? safe(mine.safe, file.total) : []) : '';
}

// What had the focus and went away, was disabled or says nothing more: the focus goes to what is said instead.
let focused = null;
document.addEventListener('focusin', e => focused = e.target);
function keepFocus() {
    const said = $($('phase').textContent ? 'phase' : 'result');
    const lost = focused && (focused.disabled || !focused.offsetParent || focused === $('phase'));
    if (lost && [null, document.body, focused].includes(document.activeElement))
        said.focus({preventScroll: true});
}

function result(tone, text) {
    told = [tone, text];
    $('result').className = tone;
    $('result').textContent = text();
}

// How it ended; of what waits that is not known yet. True: it is.
function conclude(tone, text) {
    result(tone, text);
    phase({good: 'done', bad: 'failed', wait: 'waiting'}[tone], '');
    return tone !== 'wait';
}

function clear() {
    result('', () => '');
    fail(null);
}

// code: {en, ru}, of the device
const TABLE_OF_ERRORS = {};

const errorBody = e => [el('strong', '', e.error || ERRORS[e.code]?.[0]),
    el('p', '', e.say?.() || TABLE_OF_ERRORS[e.code]?.[language] || e.hint),
    ...e.emptied && TABLE_OF_ERRORS[e.code] ? [el('p', '', t('emptied'))] : [],
    el('small', '', russian() && e.detail_ru || e.detail)];

// e: an error body of the API, a verdict of the judge, or the page's own {error, say()}; null: none.
function fail(e) {
    const box = $('error');

    error = e;
    box.hidden = !e;
    box.replaceChildren();
    box.dataset.code = e?.code || '';
    if (!e)
        return;
    box.append(...errorBody(e), overrule(e), loginLink(e));
    box.scrollIntoView({block: 'nearest'});
}

const failure = (...words) => ({error: 'Upload failed', say: () => t(...words)});

// A tick without which this file is not sent.
function tick(id, className, words) {
    const box = el('input', '');
    Object.assign(box, {type: 'checkbox', id, checked: file.force, onchange: () => {
        file.force = box.checked;
        drawButtons();
    }});
    return el('label', className, box, ' ' + words);
}

const overrule = e => file && FORCEABLE.includes(e.code) ? tick('force', '', t('force')) : '';

function loginLink(e) {
    if (!/^login_/.test(e.code))
        return '';
    const link = el('a', '', t('log_in'));
    Object.assign(link, {href: root + '/api/ota/account', target: '_blank'});
    return link;
}

async function loadErrors() {
    const answer = await request('/api/ota/errors');
    for (const row of answer?.errors || [])
        TABLE_OF_ERRORS[row.code] = row;
    fail(error);
}

// A page of its own asks for the password; a chosen file would be lost with this one. The robot answers, though.
function stays(answer) {
    if (!file)
        return false;
    heard = performance.now();
    if (!isOut())
        fail(answer);
    drawButtons();
    return true;
}

function isLoggedIn() {
    if (isOut()) {
        fail(null);
        phase($('phase').dataset.phase === 'failed' ? 'judged' : $('phase').dataset.phase);
    }
}

// ---- the robot ----

function drawSlot(slot) {
    const {image, label: name, state} = slot;
    const place = slot.running ? el('span', 'badge', t('runs'))
        : name === st.boot_slot && el('span', 'badge wait', t('next'));
    const card = el('div', 'slot',
        el('div', '', el('b', '', name), ' ' + kilobytes(slot.size)),
        el('div', '', ...(image ? named(image) : [t(state === 'staged' ? state : 'empty')])),
        el('div', 'soft', image && image.date + ' ' + image.time),
        el('div', '', (image || slot.running) && el('span', 'badge ' + tone(state), t(slot.state)), ' ', place));
    Object.assign(card.dataset, {label: name, state, running: slot.running, build: image?.build || ''});
    return card;
}

function drawRunning() {
    const slot = running();
    const image = slot?.image;

    $('running').dataset.build = image?.build || '';
    put('running', [slot, st.signature], () => [
        el('p', 'big', ...(image ? named(image) : ['—'])),
        el('p', 'soft', slot && [t('slot', slot.label), t(slot.state), image && 'ESP-IDF ' + image.idf]
            .filter(Boolean).join(' · ')),
        st.signature.enforced ? el('p', 'soft', t('enforced', st.signature.keys.join(' ') || '–')) : '']);
    $('name').textContent = st.name ? '· ' + st.name : '';
    document.title = (st.name ? st.name + ': ' : '') + t('title');
}

function drawPending() {
    $('pending').hidden = $('confirm').hidden = !st.pending;
    if (!st.pending)
        return;
    const seconds = ms => Math.ceil(ms / 1000);
    $('pending').textContent = st.soak_left_ms > 0 && !st.waiting_for ? t('soak_left', seconds(st.soak_left_ms))
        : t('confirm_left', waitingFor(), seconds(st.confirm_left_ms));
}

const isOfUpdate = e => e && !/^(account|source)$/.test(e.event);

// How the last update ended is said also to somebody who opens the page afterwards.
function drawLast() {
    const e = isOfUpdate(st.last) ? st.last : ended;
    put('last', e, () => e ? [t('last', t(eventOf(e))), ...(e.build ? [' ', ...named(e)] : []),
        e.text || e.code ? ': ' + (e.text || e.code) : ''] : []);
}

function drawConditions() {
    const found = conditions();
    const half = isHalf() && safe(st.received, st.total);
    put('conditions', [found, st.safe_mode, half, TABLE_OF_ERRORS[found[0]?.code]], () => [
        st.safe_mode ? el('div', 'note', t('safe_mode')) : '',
        half ? el('div', 'note', t('half', ...half)) : '',
        ...found.map(e => el('div', e.code ? 'alert' : 'note', ...errorBody(e)))]);
}

function drawOthers() {
    const shown = holds() === 'upload' && !restarts();
    $('others').hidden = !shown;
    if (!shown)
        return;
    const by = t(st.busy?.by || 'anyone');
    const total = st.total || st.limits.slot_size;
    $('others-text').textContent = t('others_by', by, t('of', kilobytes(st.written), kilobytes(total)));
    $('others-bar').value = total ? st.written / total : 0;
}

function drawBack() {
    const way = wayBack();
    const image = way?.image; // not while its slot is being written
    $('rollback').hidden = !image;
    $('rollback').textContent = image ? t(way.needs_force ? 'again_to' : age(image, runningImage()) > 0 ? 'forward_to'
        : 'back_to', label(image)) : '';
    $('no-way-back').textContent = st.no_way_back || '';
    $('staged').hidden = !st.staged || following;
    if (st.staged)
        $('staged-text').textContent = t('waits', label(st.staged.image));
}

// The status says that there is one; what it is and what it waits for is asked for, now and then.
async function drawOffer() {
    const {state, version} = st.offer || {};
    const is = (state === 'offered' || state === 'idle') && version;
    $('offer').hidden = !is;
    if (!is || !changed('offer', [is, state, st.uptime_ms >> 12]))
        return;
    const {offer} = await request('/api/ota/offer') || {};
    if (!offer)
        return;
    const fits = state === 'offered'; // the robot says of any other release why it is not offered
    $('offer-title').textContent = fits ? t('offered', offer.version, kilobytes(offer.size)) : t('unfit', offer.version);
    $('offer-choices').hidden = !fits;
    $('offer-notes').textContent = offer.notes && t('news', offer.notes);
    $('offer-wait').textContent = offer.wait || '';
}

function drawStatus() {
    drawRunning();
    drawOffer();
    drawPending();
    drawLast();
    drawConditions();
    drawOthers();
    drawBack();
    put('slots', [st.slots, st.boot_slot], () => st.slots.map(drawSlot));
    put('facts', [file?.name, file?.verdict, file?.sha256, st.limits, runningImage()], facts);
    put('warnings', [file?.verdict.info, runningImage()], warnings);
    $('open').hidden = !st.open;
    $('account').hidden = st.open;
    drawButtons();
}

// ---- the file ----

// What is worth knowing before this image takes the place of the running one.
function comparison(image) {
    const now = runningImage();
    if (isStub(image))
        return 'arduino';
    if (!now)
        return 'other';
    if (image.build === now.build)
        return 'same';
    return {'-1': 'older', 1: 'newer'}[age(image, now)] || 'other';
}

const isOtherProject = image =>
    image?.project && runningImage() && !isStub(image) && !isStub(runningImage()) && image.project !== runningImage().project;

function facts() {
    const {info, cure} = file?.verdict || {};
    const slot = st.limits.slot_size;
    const rows = !file ? [] : [['file', file.name],
        ['size', info && slot ? t('of', kilobytes(file.size), kilobytes(slot)) : kilobytes(file.size)]];

    if (info)
        rows.push(['chip', info.chip]);
    if (info?.build)
        rows.push(['firmware', el('span', '', ...named(info))]);
    if (info?.date)
        rows.push(['built', info.date + ' ' + info.time], ['ESP-IDF', info.idf]);
    if (cure?.info?.build)
        rows.push(['inside', el('span', '', ...named(cure.info))]);
    if (file?.sha256)
        rows.push(['SHA-256', el('span', 'build', file.sha256)]);
    return rows.flatMap(([key, value]) => [el('dt', '', t(key)), el('dd', '', value)]);
}

function warnings() {
    const {info, code} = file?.verdict || {};
    if (!info?.build || code)
        return [];
    const kind = comparison(info);
    return [isOtherProject(info) // of which none is newer or older
        ? tick('other-project', 'note', t('project', info.project, runningImage().project))
        : el('p', kind === 'newer' ? 'soft' : 'note', t(kind))];
}

// Of two files chosen quickly the last one counts, whichever is read first.
async function choose(source) {
    if (!source || !is('free'))
        return;
    clear();
    file = null;
    latest = source;
    $('bars').hidden = $('cure').hidden = true;
    phase('idle');
    if (st)
        drawStatus(); // reading takes a moment, in which nothing of the file before may be sent
    const read = await readFile(source).catch(() => null);
    if (latest !== source)
        return;
    if (read)
        show(read);
    else
        fail(failure('unreadable'));
}

async function readFile(source) {
    const bytes = new Uint8Array(await source.slice(0, FILE_MAX).arrayBuffer());
    return judged(source.name, bytes, source.size, source);
}

function show(read) {
    const {code, cure} = read.verdict;

    file = read;
    $('cure').hidden = !cure;
    fail(code ? read.verdict : null);
    if (st)
        drawStatus();
    phase(code ? 'idle' : 'judged');
}

// What is packed is judged by what is in it, and sent as it is.
async function judged(name, bytes, size, source) {
    const image = await unpacked(bytes);
    const limits = {...st?.limits, signed: st?.signature.enforced, size: image === bytes ? size : image.length};
    let verdict = judge(image, name, {...limits, running: runningImage()});
    if (!verdict.code && !verdict.info.base)
        verdict = await judgeHash(image, verdict.info) || verdict;
    const digest = verdict.code ? '' : verdict.info.sha256 || await sha256(image);
    return {name, bytes, image, size: verdict.info?.base ? verdict.info.size : limits.size, source, verdict, sha256: digest};
}

function drop(files) {
    if (files.length < 2) {
        choose(files[0]);
    } else if (is('free')) {
        clear();
        fail(failure('several', Array.from(files, f => f.name).join(', ')));
    }
}

// ---- packed files ----

async function through(stream, bytes) {
    const parts = [];
    const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
    for (let size = 0, part; size < FILE_MAX && !(part = await reader.read()).done; size += part.value.length)
        parts.push(part.value);
    return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const takesGzip = () => st?.limits.accepts.includes('gzip');

// What a gzip or zlib file holds; else, and where nobody can tell, the bytes themselves.
async function unpacked(bytes) {
    const format = bytes[0] === 0x1F ? 'gzip' : bytes[0] === 0x78 && 'deflate';
    try {
        return format && takesGzip() ? await through(new DecompressionStream(format), bytes) : bytes;
    } catch (e) {
        return bytes;
    }
}

// What goes over the wire. All of it is packed before the first byte is sent, so offsets count the bytes of one form.
// Only where that saves a tenth: less does not make up for the time that unpacking takes the robot.
async function packed({bytes, image, source}) {
    await source?.slice(0, 1).arrayBuffer(); // or fails where the file has changed since
    try {
        const small = takesGzip() && image === bytes ? await through(new CompressionStream('gzip'), bytes) : bytes;
        return small.length < 0.9 * bytes.length ? small : bytes;
    } catch (e) {
        return bytes;
    }
}

// ---- an upload ----

const isMine = () => mine && st.update === mine.id;
const lostError = () => connectionLost(mine.at || isMine() ? mine.safe : file.sent);
const safe = (n, total) => [thousands(n), kilobytes(total)];
const isBroken = () => $('phase').dataset.word === 'broke_off';

// {id, query, at, key} of this tab's upload once the robot knows it, and may wait for the rest of it. It outlives the
// page being loaded anew; other tabs shall see somebody else's in it.
const KEPT = 'upload' + root;
let half = JSON.parse(stored('sessionStorage', KEPT));
const keep = value => stored('sessionStorage', KEPT, JSON.stringify(half = value));

// A tab that somebody duplicates begins with a copy of that: it asks, and whose upload runs says so.
const tabs = window.BroadcastChannel && new BroadcastChannel(KEPT);
const claim = () => mine && tabs?.postMessage(mine.id);
if (tabs) {
    tabs.onmessage = ({data}) => {
        if (!data)
            claim();
        else if (data === half?.id && !mine)
            keep(null);
    };
    tabs.postMessage('');
}

async function start() {
    const options = [$('later').checked && 'activate=later', file.force && 'force=1'].filter(Boolean);
    const id = hexes(crypto.getRandomValues(new Uint8Array(4)));
    const it = mine = {id, query: ['id=' + id, 'boot=' + st.boot, ...options].join('&'), before: st,
        began: performance.now(), safe: 0, since: 0, reached: -1, tries: 0};

    clear();
    Object.assign(file, {total: file.size, sent: 0, written: 0});
    quarter = 0;
    $('bars').hidden = false;
    drawBars();
    phase('sending');
    listen();
    it.bytes = await packed(file).catch(() => null);
    if (mine === it && it.bytes) {
        file.total = it.bytes.length;
        await (it.before.limits.resume_ms ? sendParts(it, options) : sendWhole(it));
    } else if (mine === it) {
        end('failed');
        fail(failure('unreadable'));
    }
}

async function sendParts(it, options) {
    it.key = [await sha256(it.bytes), ...options].join();
    if (half?.key === it.key) // the same bytes go on there, for others it is given up
        Object.assign(it, half, {offset: NaN, safe: st.update === half.id ? st.received : 0});
    else
        it.old = half?.at;
    claim();
    while (mine === it)
        await goOn(it);
}

// To a robot that does not wait for the rest of an upload.
async function sendWhole(it) {
    const x = await send('POST', 'upload?' + it.query, {'Content-Type': 'application/octet-stream'}, new Blob([it.bytes]));

    if (mine !== it)
        return;
    if (isDown(x))
        broken();
    else
        answered(x);
}

// One request of the upload. Its status is 0 where the connection broke, or was given up.
function send(method, address, headers, body, offset = 0) {
    const x = mine.request = new XMLHttpRequest();

    x.open(method, `${root}/api/ota/${address}`);
    x.timeout = body ? 0 : 5000;
    for (const [name, value] of Object.entries({'Accept-Language': language, ...headers}))
        x.setRequestHeader(name, value);
    x.upload.onprogress = ({loaded, total}) => {
        file.sent = loaded < total ? Math.min(offset + loaded, file.total) : file.total;
        drawBars();
    };
    return new Promise(done => {
        x.onloadend = () => done(x);
        x.send(body);
    });
}

const TUS = {'Tus-Resumable': '1.0.0'};
// Nobody there, or a proxy says that it does not get through: the robot says the same with a code of its own.
const isDown = ({status, responseText}) => !status || /429|50[234]/.test(status) && !/"code"/.test(responseText);

// The next request of an upload that may break off. it.old: the address of another, which is to be given up first;
// it.at: its own, once it has one; it.offset: what is safe there, NaN: to be asked. Without an address the robot says
// what has become of it, or begins it.
async function goOn(it) {
    const {old, at, offset} = it;
    const x = old ? await send('DELETE', old, TUS)
        : !at ? await send('POST', 'uploads?' + it.query, {...TUS, 'Upload-Length': file.total})
        : isNaN(offset) ? await send('HEAD', at, TUS)
        : await send('PATCH', at, {...TUS, 'Upload-Offset': offset, 'Content-Type': 'application/offset+octet-stream'},
            new Blob([it.bytes.subarray(offset)]), offset);

    if (mine !== it)
        return;
    if (isDown(x) || half && /"(busy|upload_offset)"/.test(x.responseText))
        await pause(it);
    else if (old)
        it.old = '';
    else if (x.status === 201 || at && x.status < 300)
        acknowledged(it, x);
    else if (at && x.status === 404)
        it.at = '';
    else if (x.status === 401 && !x.responseText) // of HEAD; the status has words
        await look().then(() => end('failed'));
    else
        answered(x);
}

function acknowledged(it, x) {
    const [at] = /uploads\?.*/.exec(x.getResponseHeader('Location')) || [it.at];
    const offset = Number(x.getResponseHeader('Upload-Offset'));
    const {id, query, key} = it;

    it.tries = offset > it.reached ? 0 : it.tries + 1;
    file.sent = it.safe = it.reached = it.offset = offset;
    it.at = offset < file.total ? at : '';
    it.since = 0;
    keep({id, query, at, key});
    drawBars();
    if (it.tries > TRIES)
        broken(failure('stuck', ...safe(offset, file.total)));
    else if (isBroken())
        phase('sending');
}

// The robot waits for the rest so long, and no longer does the page.
async function pause(it) {
    it.offset = NaN;
    it.since ||= performance.now();
    if (performance.now() - it.since > it.before.limits.resume_ms) {
        broken();
        return;
    }
    file.sent = it.safe;
    phase('sending', 'broke_off');
    drawBars();
    await sleep(700);
}

const tellCancel = () => request('/api/ota/cancel', {method: 'POST'});

// What is on its way in between would go on coming after the connection's end: the robot is told, too.
function cancel() {
    const x = mine?.request;

    if (half)
        request('/api/ota/' + half.at, {method: 'DELETE', headers: TUS});
    else if (isMine() || st.state === 'idle') // and not another's, which would end with it
        tellCancel();
    dropped = [mine?.id, half?.id];
    keep(null);
    end('judged', 'cancelled');
    x?.abort();
}

function drawBars() {
    for (const [name, n, all] of [['sent', file.sent, file.total], ['written', file.written, file.size]]) {
        $('progress-' + name).value = n / all;
        $('figure-' + name).textContent = t('of', kilobytes(n), kilobytes(all));
    }
    const done = file.written / file.size;
    drawPace(done);
    if (Math.floor(done * 4) > quarter) { // a screen reader hears four numbers, not five a second
        quarter = Math.floor(done * 4);
        $('quarter').textContent = quarter * 25 + ' %';
    }
}

function drawPace(done) {
    const ms = mine && !isBroken() ? performance.now() - mine.began : 0;
    const rate = ms > 1000 && file.written ? file.written / ms * 1000 : 0;
    $('pace').textContent = rate ? t('pace', Math.floor(done * 100), kilobytes(rate),
        Math.ceil((file.size - file.written) / rate)) : '';
}

function end(name, word) {
    mine = null;
    $('pace').textContent = '';
    deaf();
    phase(name, word);
}

function answered({status, responseText}) {
    const {before} = mine;
    let answer;

    try {
        answer = JSON.parse(responseText);
    } catch (e) {
        answer = failure('stranger', status);
    }
    if (answer.success) {
        file.sent = file.total;
        file.written = file.size;
    }
    if (!answer.say && !/^login_/.test(answer.code)) // else it goes on after that
        keep(null);
    end(answer.success ? answer.already || answer.staged ? 'done' : 'rebooting' : 'failed', '');
    drawBars();
    if (!answer.success)
        fail(answer);
    else if (($('bars').hidden = !!answer.already))
        result('good', () => t('already', label(answer)));
    else if (answer.staged)
        result('wait', () => t('waits', label(answer)));
    else
        follow(answer, before);
}

// Before all was sent nothing of it can have been activated; after that only the device knows.
function broken(e = lostError()) {
    const {before, key, safe: came} = mine;

    end('failed');
    if ((key ? came : file.sent) === file.total)
        follow({...file.verdict.info, unsure: e, slot: st.next}, before);
    else
        fail(e);
}

async function cure() {
    const {at, size} = file.verdict.cure;
    show(await judged('firmware.bin', file.image.slice(at, at + size), size));
    if (!$('upload').disabled)
        start();
}

// ---- what the robot says ----

async function drawLog() {
    const answer = await request('/api/ota/log');
    const entries = answer?.entries || [];
    journal(entries);
    ended = entries.find(isOfUpdate);
    if (st)
        drawLast();
    return entries;
}

function take(status) {
    st = status;
    heard = performance.now();
    if (seen !== st.last?.seq)
        drawLog();
    seen = st.last?.seq;
    if (isMine() && st.state !== 'idle')
        drawOwn();
    if (dropped.includes(st.update) && st.state === 'receiving')
        tellCancel();
    drawStatus();
}

function drawOwn() {
    file.written = Math.min(st.written, file.size);
    mine.safe = st.received;
    if (mine.request)
        mine.request.heard = true;
    drawBars();
    if (st.state === 'verifying')
        phase('verifying');
    else if (isBroken())
        drawPhase();
}

async function look() {
    const status = await request('/api/ota/status');
    if (status?.slots) {
        isLoggedIn();
        take(status);
    }
    $('all').hidden = false; // not before, so that nothing moves under the reader
    return status?.slots ? status : null;
}

async function watch() {
    for (;; await sleep(mine ? 300 : 1000)) {
        if (following || events || document.hidden)
            continue;
        const before = st;
        const now = await look();
        if (now && before && is('free') && !following && (restarts() || now.boot !== before.boot))
            follow({}, before);
    }
}

function listen() {
    events = new EventSource(root + '/api/ota/events');
    events.addEventListener('status', e => take(JSON.parse(e.data)));
    events.onerror = deaf;
}

function deaf() {
    events?.close();
    events = null;
}

// A network that is frozen ends no connection: silence itself must show.
function listenForSilence() {
    const silence = document.hidden || following ? 0 : performance.now() - heard;
    const silent = silence > SILENCE_MS;
    if (mine?.at && silence > 3 * SILENCE_MS && mine.request.heard) // it was heard while this was sent
        mine.request.abort();
    if (silent === $('offline').hidden) {
        $('offline').hidden = !silent;
        drawButtons();
    }
}

// ---- after a restart ----

// Waits through the restart and says what runs then. goal: the firmware that should, {slot, build, project,
// version}; empty: any. goal.unsure: the answer to the upload was lost, so there may be no restart at all; it is
// the error to show then.
async function follow(goal, before = st) {
    let deadline = performance.now() + WAIT_MS;

    following = true;
    phase(goal.unsure ? 'waiting' : 'rebooting');
    for (let over = false; !over; await sleep(400)) {
        const now = await look();
        if (isOut()) {
            deadline = performance.now() + WAIT_MS;
        } else if (now && now.boot !== before.boot) {
            deadline = performance.now() + WAIT_MS;
            over = await isBack(goal, before);
        } else {
            over = isLost(goal, now, before, performance.now() > deadline);
        }
    }
    following = false;
    heard = performance.now();
    drawButtons();
}

// No restart seen yet. True: there will be none.
function isLost(goal, now, before, late) {
    if (now && goal.unsure && now.state === 'idle') {
        const {seq, event, code, text} = now.last || {};
        fail(seq !== before.last?.seq && event === 'refused' ? {code, detail: text} : goal.unsure);
        phase('failed');
        return true;
    }
    if (late)
        conclude('bad', () => t(now ? 'same_boot' : 'lost'));
    else if (!now)
        phase('waiting');
    return late && !!now;
}

// It runs again. True: what runs is decided.
async function isBack(goal, before) {
    const slot = running();
    const image = slot?.image;

    if (restarts() || slot?.state === 'invalid')
        return false;
    if (goal.build && (slot?.label !== goal.slot || image?.build !== goal.build)) {
        const entry = await entryOf(goal, before);
        return entry || !goal.unsure ? wentBack(goal, image, entry) : notInstalled(image, goal.unsure);
    }
    // the power went during an upload: the failure stays, and this is what it means
    if (!goal.build && error && image?.build !== file?.verdict.info?.build)
        return notInstalled(image, error);
    const {pending} = st;
    return conclude(pending ? 'wait' : 'good',
        () => t('now', label(image), pending ? waitingFor() : slot ? t(slot.state) : ''));
}

function notInstalled(image, e) {
    fail(e);
    return conclude('bad', () => t('not_installed', label(image)));
}

const entryOf = async (goal, before) => (await drawLog()).find(e => e.build === goal.build &&
    e.seq > (before.last?.seq || 0) && BAD_ENDS.test(e.event));

const wentBack = (goal, image, entry) => conclude(entry?.event === 'power_lost' ? 'wait' : 'bad', () => t('back',
    label(goal), entry ? t(entry.event) : '', entry?.text || t('why'), label(image)));

// ---- confirm, roll back, restart ----

async function tell(what, then = look, body) {
    const headers = body && {'Content-Type': 'application/json'};

    clear();
    const answer = await request('/api/ota/' + what, {method: 'POST', headers, body: body && JSON.stringify(body)});
    if (answer?.success)
        then(answer);
    else
        fail(answer || {say: () => t('no_answer')});
}

// Opens the question, or closes it. question: {text, by, act}, asked by that button.
function ask(question) {
    const by = question ? question.by : asked?.by;

    asked = question;
    $('ask').hidden = !question;
    if (question) {
        $('ask-text').textContent = question.text;
        $('ask-yes').textContent = t(by);
        $('ask-yes').focus();
    } else if (by) {
        $(by).focus();
    }
}

function askRollback() {
    const way = wayBack();
    const {slot, image} = way;
    const goal = {...image, slot};
    const text = way.needs_force ? t('ask_force', label(image), way.why) : t('ask_back', label(image));
    const act = () => tell('rollback' + (way.needs_force ? '?force=1' : ''), () => follow(goal));
    return {text, by: 'rollback', act};
}

const askRestart = () => ({text: t('ask_restart'), by: 'reboot', act: () => tell('reboot', () => follow({}))});

// "← Robot" only where the application serves a page of its own: without one the root leads here.
async function findHome() {
    try {
        const {type, ok} = await fetch($('home').href, {method: 'HEAD', redirect: 'manual'});
        $('home').hidden = type === 'opaqueredirect' || !ok;
    } catch (e) {
        $('home').hidden = true;
    }
}

// ---- hands ----

$('choose').onclick = () => $('file').click();
$('file').onchange = () => {
    choose($('file').files[0]);
    $('file').value = '';
};
document.ondragover = e => {
    e.preventDefault();
    $('drop').className = is('free') ? 'over' : '';
};
document.ondragleave = () => $('drop').className = '';
document.ondrop = e => {
    e.preventDefault();
    $('drop').className = '';
    drop(e.dataTransfer.files);
};
const onClick = {
    upload: start, cure, cancel,
    confirm: () => tell('confirm'),
    rollback: () => ask(asked ? null : askRollback()),
    reboot: () => ask(asked ? null : askRestart()),
    'ask-no': () => ask(null),
    'ask-yes': () => {
        const {act} = asked;
        ask(null);
        act();
    },
    'others-end': () => tell('cancel'),
    activate: () => {
        const goal = {...st.staged.image, slot: st.staged.slot};
        tell('activate', () => follow(goal));
    }
};
for (const id of Object.keys(onClick))
    $(id).onclick = onClick[id];
for (const choice of ['install', 'later', 'skip'])
    $('offer-' + choice).onclick = () => tell('offer', () => looks.offer = 0, {choice});
document.onkeydown = e => {
    if (e.key === 'Escape' && asked)
        ask(null);
};
document.onvisibilitychange = () => heard = performance.now();
window.onbeforeunload = e => {
    if (!mine)
        return;
    e.preventDefault();
    e.returnValue = ''; // without it Chrome before 119 does not ask
};

speak(() => {
    drawPhase();
    fail(error);
    if (told)
        result(...told);
    if (file && !$('bars').hidden)
        drawBars();
    if (st)
        drawStatus();
    drawLog();
});
loadErrors();
findHome();
setInterval(listenForSilence, 500);
watch();
