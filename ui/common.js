// SPDX-License-Identifier: Apache-2.0
// What both pages share: the language, elements, requests, the journal.
// Text out of files and devices goes into the page as text nodes only.
'use strict';

// key: [English, Russian]; {0} is replaced by the first argument
const WORDS = {
    arduino: ['Arduino build, no version of its own; add OTAPULT_FIRMWARE',
        'Сборка Arduino без собственной версии; добавьте OTAPULT_FIRMWARE'],
    lang: ['RU', 'EN'],
    runs: ['Runs now', 'Сейчас работает'],
    journal: ['Journal', 'Журнал'],
    event: ['What', 'Событие'], when: ['When', 'Когда'], firmware: ['Firmware', 'Прошивка'],
    more: ['Details', 'Подробности'],
    moment: ['boot {0}, {1} s', 'запуск {0}, {1} с'],
    nothing: ['Nothing yet.', 'Пока ничего.'], account: ['Account', 'Доступ'],
    no_answer: ['The robot does not answer.', 'Робот не отвечает.'],
    slot: ['slot {0}', 'раздел {0}'],
    refused: ['refused', 'отклонена'], activated: ['installed', 'установлена'],
    confirmed: ['confirmed', 'подтверждена'],
    rejected: ['rejected by its checks', 'не прошла свои проверки'],
    crashed: ['crashed', 'аварийно завершилась'],
    power_lost: ['power was lost, tried again', 'пропало питание, новая попытка'],
    gave_up: ['power was lost too often', 'питание пропадало слишком часто'],
    not_loaded: ['could not be loaded', 'не запустилась'], rolled_back: ['rolled back', 'откат'],
    source: ['the source of releases', 'источник выпусков'],
    staged: ['written, waits to be started', 'записана, ждёт запуска'],
    crash_loop: ['kept crashing', 'постоянно аварийно завершалась'], upload_ended: ['ended by hand', 'прервана'],
    open: ['No password, no signature: anyone on this network can upload firmware.',
        'Без пароля и подписи: загрузить прошивку может любой в этой сети.']
};

// Where the robot's sites begin: behind a reverse proxy that may be a folder.
const root = location.pathname.replace(/(\/api\/ota.*|\/)$/, '');

const $ = id => document.getElementById(id);
const sleep = ms => new Promise(done => setTimeout(done, ms));

const preferred = () => navigator.languages.map(l => l.slice(0, 2)).find(l => /ru|en/.test(l)) || 'en';
let language = stored('localStorage', 'language') || preferred();

// Storage may be forbidden; what was to be kept then lasts as long as the page.
function stored(where, key, value) {
    try {
        if (value)
            window[where].setItem(key, value);
        return window[where].getItem(key);
    } catch (e) {
        return null;
    }
}

const russian = () => language === 'ru' ? 1 : 0;
const t = (key, ...args) => WORDS[key] ? WORDS[key][russian()].replace(/{(\d)}/g, (all, n) => args[n]) : key;

// Fills every element with data-t; `redraw` does the rest of the page.
function speak(redraw) {
    document.documentElement.lang = language;
    document.title = t('title');
    for (const e of document.querySelectorAll('[data-t]'))
        e.textContent = t(e.dataset.t);
    $('lang').lang = russian() ? 'en' : 'ru';
    $('lang').title = russian() ? 'English' : 'По-русски';
    $('lang').onclick = () => {
        language = russian() ? 'en' : 'ru';
        stored('localStorage', 'language', language);
        speak(redraw);
    };
    redraw();
}

function el(tag, className, ...children) {
    const e = document.createElement(tag);
    e.className = className;
    e.append(...children.filter(Boolean));
    return e;
}

// The answer's JSON; null when nothing or something else came. Who must log in first is taken there, unless the
// page stays(answer).
async function request(path, options = {}) {
    const stop = new AbortController(); // AbortSignal.timeout() is younger than the phones that are to work
    const timer = setTimeout(() => stop.abort(), 2500);
    try {
        const headers = {'Accept-Language': language, ...options.headers};
        const answer = await fetch(root + path, {cache: 'no-store', signal: stop.signal, ...options, headers});
        const json = await answer.json();
        if (!answer.ok && !json.code) // a proxy's
            return null;
        if (json.code !== 'login_required' || $('login'))
            return json;
        if (!window.stays?.(json))
            location = root + '/api/ota/account#' + location.pathname;
        return null;
    } catch (e) {
        return null;
    } finally {
        clearTimeout(timer);
    }
}

const thousands = n => Math.ceil(n / 1024).toLocaleString(language);
const kilobytes = n => thousands(n) + (russian() ? ' КБ' : ' KB');

// The description is the Arduino core's and not the firmware's.
const isStub = image => image.project === 'arduino-lib-builder';

const titled = image => isStub(image) ? t('arduino') : image.project + ' ' + image.version;

// Project, version and build id, wherever a firmware is named.
const named = image => [titled(image) + ' ', el('span', 'build', image.build)];

// Of events and of slots' states; the others are bad.
const TONES = {
    confirmed: 'good', activated: 'good', rolled_back: 'wait', power_lost: 'wait',
    valid: 'good', pending_verify: 'wait', new: 'wait', none: 'soft', undefined: 'soft', empty: 'soft',
    account: 'soft', upload_ended: 'wait', staged: 'wait', source: 'wait'
};
const tone = word => TONES[word] || 'bad';

// Whoever ended an upload by hand has refused nothing.
const eventOf = e => e.code === 'upload_ended' ? e.code : e.event;

function journal(entries) {
    const rows = entries.map(e => el('tr', '',
        el('td', tone(eventOf(e)), t(eventOf(e))),
        el('td', 'soft', t('moment', e.boot, e.uptime_s)),
        el('td', '', ...(e.build ? named(e) : [])),
        el('td', 'soft', [e.code, e.text, e.by !== 'anyone' && e.by].filter(Boolean).join(': '))));
    const head = el('tr', '', ...['event', 'when', 'firmware', 'more'].map(key => el('th', '', t(key))));
    $('log').replaceChildren(rows.length
        ? el('table', '', el('thead', '', head), el('tbody', '', ...rows)) : el('p', 'soft', t('nothing')));
}
