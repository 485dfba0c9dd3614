// SPDX-License-Identifier: Apache-2.0
// Login, password and API tokens.
'use strict';

Object.assign(WORDS, {
    title: ['Account', 'Доступ'],
    update: ['← Update', '← Обновление'],
    login: ['Log in', 'Войти'], logout: ['Log out', 'Выйти'],
    password: ['Password of admin', 'Пароль администратора'],
    first: ['The first password stands on the device\'s console.', 'Первый пароль показан на консоли устройства.'],
    change: ['Change password', 'Сменить пароль'],
    old: ['Old password', 'Старый пароль'],
    new: ['New password, 12 characters or more', 'Новый пароль, не менее 12 символов'],
    repeat: ['New password again', 'Новый пароль ещё раз'],
    differ: ['The two new passwords differ.', 'Новые пароли различаются.'],
    changed: ['The password is changed. All other sessions have ended.', 'Пароль изменён. Все остальные сеансы завершены.'],
    tokens: ['API tokens', 'Токены API'],
    what: ['For scripts: curl -H "Authorization: Bearer …". A token may do all but what this page does.',
        'Для скриптов: curl -H "Authorization: Bearer …". Токену доступно всё, кроме этой страницы.'],
    name: ['Name of a new token: letters, digits, . _ -', 'Имя нового токена: латинские буквы, цифры, . _ -'],
    called: ['Name', 'Имя'],
    make: ['Make a token', 'Создать токен'],
    once: ['Copy it now: it is not shown again.', 'Скопируйте сейчас: больше он показан не будет.'],
    used: ['Last use', 'Использован'], never: ['never', 'ни разу'],
    revoke: ['Revoke', 'Отозвать'],
    again: ['Is it on, and in this network? Then try again.', 'Включён ли он и в этой ли сети? Затем повторите.'],
    no_login: ['This device asks for no login.', 'Это устройство не требует входа.']
});

// Where the login was asked for; nothing else, whatever the address says.
const from = ['/', '/api/ota'].map(path => root + path).find(path => location.hash === '#' + path);

let known = null;   // the last answer of /api/ota/tokens

const post = (what, body) => request('/api/ota/' + what, {
    method: 'POST', headers: body ? {'Content-Type': 'application/json'} : {}, body: body && JSON.stringify(body)
});

// Beside what was pressed: at the page's top nobody with a phone sees them.
const place = before => before.before($('error'), $('result'));

function fail(e) {
    $('error').hidden = !e;
    $('error').dataset.code = e?.code || '';
    $('error').replaceChildren();
    if (e)
        $('error').append(el('strong', '', e.detail || e.error), el('p', '', e.hint));
}

// True: it worked.
function done(answer) {
    fail(answer?.success ? null : answer || {error: t('no_answer'), hint: t('again')});
    $('result').textContent = '';
    return !!answer?.success;
}

function tokenRow({name, boot, uptime_s}) {
    const button = el('button', '', t('revoke'));
    button.onclick = async () => {
        place($('fresh'));
        if (!done(await post('tokens/revoke', {name})))
            return;
        $('fresh').hidden ||= $('fresh').dataset.name === name;
        await look();
        $('name').focus(); // the button is gone
    };
    button.ariaLabel = t('revoke') + ' ' + name;
    return el('tr', '', el('td', '', name), el('td', 'soft', boot ? t('moment', boot, uptime_s) : t('never')),
        el('td', '', button));
}

function draw() {
    if (!known?.tokens)
        return;
    const head = el('tr', '', el('th', '', t('called')), el('th', '', t('used')), el('th', ''));
    $('tokens').replaceChildren(known.tokens.length
        ? el('table', '', el('thead', '', head), el('tbody', '', ...known.tokens.map(tokenRow)))
        : el('p', 'soft', t('nothing')));
}

async function look() {
    known = await request('/api/ota/tokens');
    const outside = known?.code === 'login_required';
    const open = known?.code === 'open_profile';

    $('inside').hidden = !known?.tokens;
    if (!known?.tokens)
        place($('login')); // and not where nobody sees them
    $('login').hidden = !outside;
    if (outside)
        $('password').focus();
    if (open)
        $('result').textContent = t('no_login');
    else if (!known?.tokens && !outside)
        fail(known || {error: t('no_answer'), hint: t('again')});
    draw();
}

function onsubmit(id, act) {
    $(id).onsubmit = async e => {
        e.preventDefault();
        const button = $(id).querySelector('button');
        place(button);
        fail(null);
        button.disabled = true; // a password takes a moment to compare
        await act();
        button.disabled = false;
        if (document.activeElement === document.body)
            button.focus(); // which it lost with being disabled
    };
}

onsubmit('login', async () => {
    const answer = await post('login', {password: $('password').value});
    $('password').value = '';
    if (!done(answer))
        $('password').focus();
    else if (from)
        location.replace(from);
    else
        await look();
});

onsubmit('create', async () => {
    const answer = await post('tokens/create', {name: $('name').value});
    if (!done(answer))
        return;
    $('fresh').hidden = false;
    $('fresh').dataset.name = answer.name;
    $('token').textContent = answer.token;
    $('name').value = '';
    await look();
});

onsubmit('change', async () => {
    if ($('new').value !== $('repeat').value) {
        fail({error: t('differ')});
        return;
    }
    if (!done(await post('password', {password: $('old').value, new: $('new').value})))
        return;
    $('change').reset();
    $('result').textContent = t('changed');
});

$('logout').onclick = async () => {
    place($('logout'));
    $('fresh').hidden = true;
    $('token').textContent = '';
    if (done(await post('logout')))
        await look();
};

speak(() => {
    $('name').title = t('name');
    fail(null); // it was said in the other language
    draw();
});
look();
