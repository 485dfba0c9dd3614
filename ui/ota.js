// SPDX-License-Identifier: Apache-2.0
// The upload page. It shows what the device said last, and claims nothing it has not seen.
'use strict';

Object.assign(WORDS, {
    title: ['Firmware update', 'Обновление прошивки'],
    home: ['← Robot', '← Робот'],
    new: ['New firmware', 'Новая прошивка'],
    drop: ['Drop firmware.bin here, or', 'Перетащите сюда firmware.bin или'],
    choose: ['Choose file', 'Выбрать файл'],
    upload: ['Upload firmware', 'Загрузить прошивку'],
    cancel: ['Cancel', 'Отмена'],
    cure: ['Send only the application', 'Отправить только приложение'],
    sent: ['Sent', 'Отправлено'], written: ['Written', 'Записано'],
    of: ['{0} of {1}', '{0} из {1}'],
    enforced: ['signature: enforced, keys {0}', 'подпись: обязательна, ключи {0}'],
    slots: ['Slots', 'Разделы'],
    confirm: ['Confirm', 'Подтвердить'], rollback: ['Roll back', 'Откатить'],
    reboot: ['Restart', 'Перезагрузить'],
    ask: ['Restart with {0}: ', 'Перезагрузить в {0}: '],
    next: ['boots next', 'загрузится следующим'],
    none: ['no record', 'записи нет'], new_image: ['new', 'новая'],
    pending_verify: ['waits for confirmation', 'ждёт подтверждения'],
    valid: ['confirmed', 'подтверждена'], invalid: ['rejected', 'отвергнута'],
    empty: ['no firmware', 'прошивки нет'],
    file: ['File', 'Файл'], chip: ['Chip', 'Чип'], built: ['Built', 'Собрана'], size: ['Size', 'Размер'],
    same: ['the same build as runs now', 'та же сборка, что работает'],
    newer: ['newer than what runs', 'новее текущей'], older: ['older than what runs', 'старее текущей'],
    other: ['another build', 'другая сборка'],
    unreadable: ['The file cannot be read, or has changed. Choose it again.',
        'Файл не читается или изменился. Выберите его снова.'],
    judged: ['An application that fits. It can be uploaded.', 'Приложение подходит. Можно загружать.'],
    sending: ['Uploading. Keep this page open.', 'Загрузка. Не закрывайте страницу.'],
    verifying: ['The robot verifies what it wrote.', 'Робот проверяет записанное.'],
    rebooting: ['The robot restarts.', 'Робот перезагружается.'],
    waiting: ['Waiting for the robot.', 'Ждём робота.'],
    cancelled: ['Cancelled.', 'Отменено.'],
    others: ['Another update is running: {0}', 'Идёт другое обновление: {0}'],
    now: ['Build {0} is running: {1}', 'Работает сборка {0}: {1}'],
    back: ['Came back with the old build {0}: {1}', 'Вернулась прежняя сборка {0}: {1}'],
    why: ['the reason is not known', 'причина неизвестна'],
    lost: ['Did not come back within 60 s: look at its power, WiFi and address.',
        'Не вернулся за 60 с: проверьте питание, WiFi и адрес.'],
    same_boot: ['Did not restart within 60 s.', 'Не перезагрузился за 60 с.']
});

const WAIT_MS = 60000;
const FILE_MAX = 1 << 25;

let st = null;      // the last status
let file = null;    // {name, bytes, size, source, verdict, written}
let error = null;   // what #error shows
let told = null;    // [tone, text()] of #result
let upload = null;  // the XMLHttpRequest while it runs
let events = null;  // the EventSource while it delivers
let following = false;
let sent = 0;
let again = 0;      // how often the upload began
let drawn = '';
let seen = -1;

// ---- showing ----

const free = () => /idle|judged|done|failed/.test($('phase').dataset.phase);
const running = () => st?.slots.find(slot => slot.running);
const previous = () => st?.slots.find(slot => !slot.running && slot.image);
const stateOf = slot => t(slot.state === 'new' ? 'new_image' : slot.state);
const waitingFor = () => t('pending_verify') + (st.waiting_for && ': ' + st.waiting_for);

function phase(name, word = name) {
    Object.assign($('phase').dataset, {phase: name, word});
    $('choose').disabled = $('cure').disabled = !free();
    $('upload').disabled = !free() || !file || !!file.verdict.code;
    $('cancel').hidden = name !== 'sending';
    drawPhase();
}

function drawPhase() {
    const {word} = $('phase').dataset;
    const others = free() && !following && st && st.state !== 'idle';
    $('phase').textContent = others ? t('others', kilobytes(st.written)) : WORDS[word] ? t(word) : '';
}

function result(tone, text) {
    told = [tone, text];
    $('result').className = $('result').dataset.tone = tone;
    $('result').textContent = text();
}

const clear = () => {
    result('', () => '');
    fail(null);
};

// e: an error body of the API, or a verdict of the judge; null: none.
function fail(e) {
    const box = $('error');
    const row = TABLE_OF_ERRORS[e?.code];

    error = e;
    box.hidden = !e;
    delete box.dataset.code;
    box.replaceChildren();
    if (!e)
        return;
    box.dataset.code = e.code || '';
    box.append(el('strong', '', e.error || ERRORS[e.code]?.[0]), el('p', '', row?.[language] || e.hint),
        el('small', '', e.detail));
    box.scrollIntoView({block: 'nearest'});
}

const unreadable = () => fail({error: 'Upload failed', hint: t('unreadable')});

// code: {en, ru}, of the device
const TABLE_OF_ERRORS = {};

async function loadErrors() {
    const answer = await request('/api/ota/errors');
    for (const row of answer?.errors || [])
        TABLE_OF_ERRORS[row.code] = row;
    fail(error);
}

function drawSlot(slot) {
    const {image, label, state} = slot;
    const place = slot.running ? el('span', 'badge', t('runs'))
        : label === st.boot_slot && el('span', 'badge wait', t('next'));
    const card = el('div', 'slot',
        el('div', '', el('b', '', label), ' ' + kilobytes(slot.size)),
        el('div', '', ...(image ? named(image) : [t('empty')])),
        el('div', 'soft', image && image.date + ' ' + image.time),
        el('div', '', el('span', 'badge ' + tone(state), stateOf(slot)), ' ', place));
    Object.assign(card.dataset, {label, state, running: slot.running, build: image?.build || ''});
    return card;
}

function drawStatus() {
    const slot = running();
    const image = slot?.image;
    const look = JSON.stringify([st.slots, st.boot_slot, st.signature, language]);

    if (look !== drawn) {
        $('running').dataset.build = image?.build || '';
        $('running').replaceChildren(el('p', 'big', ...(image ? named(image) : ['—'])),
            el('p', 'soft', slot && [t('slot', slot.label), stateOf(slot), image?.idf].join(' · ')),
            el('p', 'soft', st.signature.enforced && t('enforced', st.signature.keys.join(' ') || '–')));
        $('slots').replaceChildren(...st.slots.map(drawSlot));
        drawFacts();
    }
    drawn = look;
    $('pending').hidden = $('confirm').hidden = !st.pending;
    $('pending').textContent = st.pending ? waitingFor() + `, ${Math.ceil(st.confirm_left_ms / 1000)} s` : '';
    $('rollback').hidden = !previous();
    $('open').hidden = !st.open;
    $('account').hidden = st.open;
    drawPhase();
}

function drawFacts() {
    const info = file?.verdict.info;
    const slot = st?.limits.slot_size;
    const rows = !file ? [] : [['file', file.name],
        ['size', info && slot ? t('of', kilobytes(file.size), kilobytes(slot)) : kilobytes(file.size)]];

    if (info)
        rows.push(['chip', info.chip]);
    if (info?.build)
        rows.push(['firmware', el('span', '', ...named(info), el('div', '', t(comparison(info))))],
            ['built', [info.date, info.time, 'ESP-IDF', info.idf].join(' ')]);
    const pairs = rows.flatMap(([key, value]) => [el('dt', '', t(key)), el('dd', '', value)]);
    $('facts').replaceChildren(...pairs);
}

// Is this image older or newer than the running one, as far as both say? An Arduino build's version and
// date are those of its library.
function comparison(image) {
    const now = running()?.image;
    const age = key => {
        const [a, b] = [image, now].map(i => key(i).map(Number));
        return a.map((n, at) => n - (b[at] || 0)).find(n => n) || 0;
    };
    if (image.build === now?.build)
        return 'same';
    if (!now || image.project === 'arduino-lib-builder')
        return 'other';
    const newer = age(i => i.version.match(/\d+/g) || []) || age(i => [Date.parse(i.date + ' ' + i.time)]);
    return newer > 0 ? 'newer' : newer < 0 ? 'older' : 'other';
}

function drawBars() {
    for (const [name, n] of [['sent', sent], ['written', file.written]]) {
        $('progress-' + name).value = n / file.size;
        $('figure-' + name).textContent = t('of', kilobytes(n), kilobytes(file.size));
    }
}

// ---- the device ----

async function drawLog() {
    const answer = await request('/api/ota/log');
    journal(answer?.entries || []);
    return answer?.entries || [];
}

function take(status) {
    const before = st;
    st = status;
    if (!before && st.error)
        fail(st.error);
    if (seen !== st.last?.seq)
        drawLog();
    seen = st.last?.seq;
    if (upload && st.state !== 'idle')
        drawUpload(before);
    drawStatus();
}

// A browser sends again by itself when the connection breaks: once is enough.
function drawUpload(before) {
    file.written = Math.min(st.written, file.size);
    drawBars();
    if (st.state === 'verifying')
        phase('verifying');
    if (st.received < before?.received && again++ > 1) {
        upload.onabort = broken;
        upload.abort();
    }
}

async function look() {
    const status = await request('/api/ota/status');
    $('offline').hidden = !!status || following;
    if (status)
        take(status);
    return status;
}

async function watch() {
    for (;; await sleep(upload ? 300 : 1000)) {
        if (following || events || document.hidden)
            continue;
        const before = st;
        const now = await look();
        if (now && before && free() && !following && (now.state === 'rebooting' || !sameBoot(now, before)))
            follow({}, before);
    }
}

function listen() {
    events = new EventSource('/api/ota/events');
    events.addEventListener('status', e => take(JSON.parse(e.data)));
    events.onerror = deaf;
}

function deaf() {
    events?.close();
    events = null;
}

// ---- after a restart ----

const sameBoot = (now, before) => now.boot ? now.boot === before.boot : now.uptime_ms >= before.uptime_ms;

// Waits through the restart and says what runs then. goal: the {slot, build} that should; empty: any.
// goal.unsure: the answer to the upload was lost, so there may be no restart at all.
async function follow(goal, before = st) {
    let deadline = performance.now() + WAIT_MS;

    following = true;
    phase(goal.unsure ? 'waiting' : 'rebooting');
    for (let over = false; !over; await sleep(400)) {
        const now = await look();
        if (now && !sameBoot(now, before)) {
            deadline = performance.now() + WAIT_MS;
            over = await isBack(goal, before);
        } else {
            over = isOut(goal, now, before, performance.now() > deadline);
        }
    }
    following = false;
    drawPhase();
}

// No restart seen yet. True: there will be none.
function isOut(goal, now, before, late) {
    if (now && goal.unsure && now.state === 'idle') {
        const {seq, event, code, text} = now.last || {};
        fail(seq !== before.last?.seq && event === 'refused' ? {code, detail: text} : lost());
        phase('failed');
        return true;
    }
    if (late) {
        result('bad', () => t(now ? 'same_boot' : 'lost'));
        phase('failed');
    } else if (!now) {
        phase('waiting');
    }
    return late && !!now;
}

// It runs again. True: what runs is decided.
async function isBack(goal, before) {
    const slot = running();
    const build = slot?.image?.build || '—';

    if (st.state === 'rebooting' || slot?.state === 'invalid')
        return false;
    if (goal.slot && (slot?.label !== goal.slot || build !== goal.build))
        return wentBack(goal, build, before);
    fail(null);
    const {pending} = st;
    result(pending ? 'wait' : 'good', () => t('now', build, pending ? waitingFor() : slot ? stateOf(slot) : ''));
    phase(pending ? 'waiting' : 'done', '');
    return !pending;
}

async function wentBack(goal, build, before) {
    const entry = (await drawLog()).find(e => e.build === goal.build && e.seq > (before.last?.seq || 0) &&
        /rejected|crashed|power_lost|gave_up|not_loaded/.test(e.event));
    const again = entry?.event === 'power_lost';

    const why = () => entry ? t(entry.event) + (entry.text && ': ' + entry.text) : t('why');
    result(again ? 'wait' : 'bad', () => t('back', build, why()));
    phase(again ? 'waiting' : 'failed', '');
    return !again;
}

// ---- a file ----

async function choose(source) {
    if (!source || !free())
        return;
    clear();
    file = null;
    $('bars').hidden = $('cure').hidden = true;
    try {
        const bytes = new Uint8Array(await source.slice(0, FILE_MAX).arrayBuffer());
        await judged(source.name, bytes, source.size, source);
    } catch {
        unreadable();
    }
    drawFacts();
    phase(!file || file.verdict.code ? 'idle' : 'judged');
}

async function judged(name, bytes, size, source) {
    let verdict = judge(bytes, name, {...st?.limits, signed: st?.signature.enforced, size});
    if (!verdict.code)
        verdict = await judgeHash(bytes, verdict.info) || verdict;
    file = {name, bytes, size, source, verdict, written: 0};
    $('cure').hidden = !verdict.cure;
    fail(verdict.code ? verdict : null);
}

// ---- an upload ----

const lost = () => refuse('connection_lost', {got: st?.received || 0});

async function start() {
    const form = new FormData();

    clear();
    try {
        await file.source?.slice(0, 1).arrayBuffer();
    } catch {
        unreadable();
        return;
    }
    form.append('firmware', new Blob([file.bytes]), file.name);
    sent = again = file.written = 0;
    upload = new XMLHttpRequest();
    upload.open('POST', '/api/ota/upload');
    upload.setRequestHeader('Accept-Language', language);
    upload.upload.onprogress = progress;
    upload.onload = answered;
    upload.onerror = broken;
    upload.onabort = () => stop('judged', 'cancelled');
    $('bars').hidden = false;
    drawBars();
    phase('sending');
    listen();
    upload.send(form);
}

function progress({loaded, total}) {
    sent = loaded < total ? Math.min(loaded, file.size) : file.size;
    drawBars();
}

function stop(name, word) {
    upload = null;
    deaf();
    phase(name, word);
}

function answered() {
    const {status, responseText} = upload;
    let answer;

    try {
        answer = JSON.parse(responseText);
    } catch {
        answer = {error: 'Upload failed', hint: 'HTTP ' + status};
    }
    stop(answer.success ? 'rebooting' : 'failed');
    if (!answer.success) {
        fail(answer);
        return;
    }
    sent = file.written = file.size;
    drawBars();
    follow(answer);
}

// Before all was sent nothing can have changed; after that only the device knows.
function broken() {
    stop('failed');
    if (sent === file.size)
        follow({unsure: true, slot: st?.next, build: file.verdict.info.build});
    else
        fail(lost());
}

async function cure() {
    const {at, size} = file.verdict.cure;
    await judged('firmware.bin', file.bytes.slice(at, at + size), size);
    drawFacts();
    if (!file.verdict.code)
        start();
}

// ---- confirm, roll back, restart ----

async function ask(what, then = look) {
    const answer = await request('/api/ota/' + what, {method: 'POST'});
    fail(answer?.success ? null : answer || {error: t('no_answer')});
    if (answer?.success)
        then(answer);
}

function askRollback(open) {
    const to = previous();
    $('ask').hidden = !open;
    $('rollback').ariaExpanded = open;
    $('ask-text').replaceChildren(t('ask', to.label), ...named(to.image));
    $(open ? 'rollback-yes' : 'rollback').focus();
}

// ---- hands ----

$('choose').onclick = () => $('file').click();
$('file').onchange = () => {
    choose($('file').files[0]);
    $('file').value = '';
};
document.ondragover = e => {
    e.preventDefault();
    $('drop').className = free() ? 'over' : '';
};
document.ondragleave = () => $('drop').className = '';
document.ondrop = e => {
    e.preventDefault();
    $('drop').className = '';
    choose(e.dataTransfer.files[0]);
};
$('upload').onclick = start;
$('cure').onclick = cure;
$('cancel').onclick = () => upload?.abort();
$('confirm').onclick = () => ask('confirm');
$('rollback').onclick = () => askRollback($('ask').hidden);
$('rollback-no').onclick = () => askRollback(false);
$('rollback-yes').onclick = () => {
    const {label, image} = previous();
    askRollback(false);
    ask('rollback', () => follow({slot: label, build: image.build}));
};
$('reboot').onclick = () => ask('reboot', () => follow({}));

speak(() => {
    drawPhase();
    fail(error);
    if (told)
        result(...told);
    if (file)
        drawBars();
    if (st)
        drawStatus();
    drawLog();
});
loadErrors();
watch();
