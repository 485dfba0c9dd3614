// SPDX-License-Identifier: Apache-2.0
// The rover's home page: what runs, a drive pad, where the rover is, the journal.
'use strict';

Object.assign(WORDS, {
    title: ['Rover', 'Ровер'],
    drive: ['Drive', 'Движение'],
    ahead: ['Ahead', 'Вперёд'], back: ['Back', 'Назад'], left: ['Left', 'Влево'], right: ['Right', 'Вправо'],
    stop: ['Stop', 'Стоп'],
    keys: ['Hold a button or an arrow key.', 'Удерживайте кнопку или стрелку на клавиатуре.'],
    uptime: ['up {0}', 'в работе {0}'],
    where: ['x {0} m, y {1} m, heading {2}°: {3}', 'x {0} м, y {1} м, курс {2}°: {3}'],
    driving: ['driving', 'едет'], standing: ['standing', 'стоит'],
    held: ['held still by an update', 'стоит: идёт обновление'],
    safe: ['held still: safe mode', 'стоит: безопасный режим'],
    safe_mode: ['Safe mode: the firmware kept crashing, so nothing moves. Upload another one.',
        'Безопасный режим: прошивка аварийно завершалась, поэтому всё остановлено. Загрузите другую.'],
    updating: ['An update runs: the robot stands still until it has ended.',
        'Идёт обновление: робот стоит, пока оно не закончится.']
});

const REPEAT_MS = 300; // a command holds for 1 s
const TRAIL = 300;     // points

let rover = null;   // the last /api/status
let name = null;    // of this robot
let safe = false;   // the robot is in safe mode
let newest = null;  // seq of the journal's newest entry
let shown = '';
let held = null;    // the button held
let command = null; // what to send next
let sending = false;
let refused = '';   // the code of what #refusal says
let repeat = 0;
const trail = [];

// ---- showing ----

function duration(seconds) {
    const two = n => String(n).padStart(2, '0');
    const minutes = Math.floor(seconds / 60);
    return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(Math.floor(seconds) % 60)}`;
}

function drawFirmware() {
    const {firmware} = rover;
    const look = JSON.stringify([firmware, language]);
    if (look !== shown) {
        $('fw').dataset.build = firmware.build || '';
        const name = firmware.build ? named(firmware) : ['—'];
        $('fw').replaceChildren(el('p', 'big', ...name), el('p', 'soft'));
    }
    shown = look;
    const uptime = t('uptime', duration(rover.uptime_ms / 1000));
    $('fw').lastChild.textContent = (firmware.slot ? t('slot', firmware.slot) + ' · ' : '') + uptime;
}

function drawName() {
    $('name').textContent = name ? '· ' + name : '';
    document.title = (name ? name + ': ' : '') + t('title');
}

// The map follows the rover; its y points up, the page's down.
function drawMap() {
    const [x, y] = [rover.x, -rover.y];
    const [lastX, lastY] = trail[trail.length - 1] || [];

    if (x !== lastX || y !== lastY)
        trail.push([x, y]);
    trail.splice(0, trail.length - TRAIL);
    $('map').setAttribute('viewBox', [x - 1.5, y - 1, 3, 2].join(' '));
    $('ground').setAttribute('x', Math.floor(x) - 6);
    $('ground').setAttribute('y', Math.floor(y) - 6);
    $('trail').setAttribute('points', trail.join(' '));
    $('rover').setAttribute('transform', `translate(${x} ${y}) rotate(${-rover.heading})`);
    $('where').textContent = t('where', rover.x.toFixed(2), rover.y.toFixed(2), Math.round(rover.heading),
        t(rover.held ? safe ? 'safe' : 'held' : rover.driving ? 'driving' : 'standing'));
}

function draw() {
    for (const button of $('pad').children)
        button.ariaLabel = button.title = t(button.dataset.name);
    drawName();
    if (!rover)
        return;
    drawFirmware();
    drawMap();
}

// ---- the device ----

async function look() {
    const status = await request('/api/status');
    $('offline').hidden = !!status;
    if (status?.firmware) {
        rover = status;
        if (refused === 'held' && !rover.held)
            refusal(null);
        draw();
    }
}

async function lookAtUpdates() {
    const status = await request('/api/ota/status');
    if (!status)
        return;
    $('open').hidden = !status.open;
    safe = status.safe_mode;
    name = status.name;
    drawName();
    if ((status.last?.seq || 0) !== newest)
        await drawLog();
    newest = status.last?.seq || 0;
}

async function drawLog() {
    journal((await request('/api/ota/log'))?.entries || []);
}

async function watch() {
    for (let n = 0;; n++) {
        if (!document.hidden) {
            await look();
            if (n % 8 === 0)
                await lookAtUpdates();
        }
        await sleep(rover?.driving || held ? 150 : 500);
    }
}

// ---- driving ----

// One command at a time, and always the latest: a stop never waits behind old commands.
async function send() {
    if (sending)
        return;
    sending = true;
    while (command) {
        const body = JSON.stringify(command);
        command = null;
        const headers = {'Content-Type': 'application/json'};
        const answer = await request('/api/drive', {method: 'POST', headers, body});
        if (refused !== 'held' || answer?.success === false) // a stop is always allowed, and says nothing of the next drive
            refusal(answer);
    }
    sending = false;
}

// That an update holds the robot is no fault of the driver's, and is over by itself.
function refusal(answer) {
    refused = answer?.success === false ? answer.code : '';
    const waits = refused === 'held';
    $('refusal').hidden = !refused;
    $('refusal').className = waits ? 'note' : 'alert';
    $('refusal').textContent = !refused ? '' : waits ? t(safe ? 'safe_mode' : 'updating')
        : [answer.detail, answer.hint].filter(Boolean).join('. ');
}

function drive(button) {
    command = {left: Number(button.dataset.left), right: Number(button.dataset.right)};
    send();
}

function hold(button) {
    if (held === button)
        return;
    letGo();
    held = button;
    button.classList.add('held');
    drive(button);
    repeat = setInterval(() => drive(button), REPEAT_MS);
}

function letGo() {
    if (!held)
        return;
    clearInterval(repeat);
    held.classList.remove('held');
    held = null;
    command = {left: 0, right: 0};
    send();
}

const buttonOf = e => e.target.closest?.('#pad button');

function buttonOfKey(e) {
    if (e.ctrlKey || e.altKey || e.metaKey)
        return null;
    if ([' ', 'Enter'].includes(e.key))
        return buttonOf(e);
    return [...$('pad').children].find(button => button.dataset.key === e.key);
}

$('pad').onpointerdown = e => {
    const button = buttonOf(e);
    if (!button || e.button !== 0)
        return;
    e.preventDefault();
    button.focus();
    button.setPointerCapture(e.pointerId);
    hold(button);
};
$('pad').onpointerup = $('pad').onpointercancel = letGo;
$('pad').oncontextmenu = e => e.preventDefault();
document.onkeydown = e => {
    const button = buttonOfKey(e);
    if (!button)
        return;
    e.preventDefault();
    hold(button);
};
document.onkeyup = e => {
    if (held && buttonOfKey(e) === held)
        letGo();
};
window.onblur = document.onvisibilitychange = letGo;

speak(() => {
    draw();
    drawLog();
});
watch();
