// SPDX-License-Identifier: Apache-2.0
// What the upload page says. key: [English, Russian]
'use strict';

Object.assign(WORDS, {
    title: ['Firmware update', 'Обновление прошивки'],
    home: ['← Robot', '← Робот'],
    fresh: ['New firmware', 'Новая прошивка'],
    drop: ['Drop firmware.bin here, or', 'Перетащите сюда firmware.bin или'],
    choose: ['Choose file', 'Выбрать файл'],
    upload: ['Upload firmware', 'Загрузить прошивку'],
    cancel: ['Cancel', 'Отмена'],
    cure: ['Send only the application', 'Отправить только приложение'],
    several: ['One file at a time, please. Dropped were: {0}', 'Нужен один файл, а перетащили: {0}'],

    // bytes under way
    sent: ['Sent', 'Отправлено'], written: ['Written', 'Записано'],
    of: ['{0} of {1}', '{0} из {1}'],
    pace: ['{0} %, {1}/s, {2} s left', '{0} %, {1}/с, осталось {2} с'],

    // the file
    file: ['File', 'Файл'], chip: ['Chip', 'Чип'], built: ['Built', 'Собрана'], size: ['Size', 'Размер'],
    inside: ['Inside', 'Внутри'],
    same: ['The same build as runs now.', 'Та же сборка, что уже работает.'],
    newer: ['Newer than what runs.', 'Новее текущей.'], older: ['Older than what runs.', 'Старее текущей.'],
    other: ['Another build; which is newer cannot be told.', 'Другая сборка; какая новее, неизвестно.'],
    project: ['This is “{0}”, and on the robot runs “{1}”. Install it all the same.',
        'Это «{0}», а на роботе работает «{1}». Всё равно установить.'],
    force: ['I have read this. Install it all the same.', 'Прочитано. Всё равно установить.'],
    unreadable: ['The file cannot be read, or has changed. Choose it again.',
        'Файл не читается или изменился. Выберите его снова.'],

    // what is under way
    judged: ['An application that fits. It can be uploaded.', 'Приложение подходит. Можно загружать.'],
    blocked: ['Cannot be uploaded now: see above.', 'Сейчас загрузить нельзя: причина выше.'],
    tick: ['An application that fits. Tick the box to upload it.', 'Приложение подходит. Чтобы загрузить, поставьте галочку.'],
    sending: ['Uploading. Keep this page open.', 'Идёт загрузка. Не закрывайте страницу.'],
    broke_off: ['Connection lost, {0} of {1} are safe; going on as soon as the robot answers.',
        'Связь потеряна, {0} из {1} сохранены; продолжим, как только робот ответит.'],
    half: ['Your upload broke off, {0} of {1} are safe. Upload the same file to go on.',
        'Ваша загрузка прервалась, {0} из {1} сохранены. Чтобы продолжить, загрузите тот же файл.'],
    stuck: ['The robot answers, but the rest of the file does not get to it: look at the proxy or WiFi in between. ' +
        '{0} of {1} are safe; upload it again to go on.',
        'Робот отвечает, но остаток файла до него не доходит: проверьте прокси или WiFi. ' +
        '{0} из {1} сохранены; чтобы продолжить, загрузите снова.'],
    stranger: ['Not the robot answers, but a proxy: HTTP {0}.', 'Отвечает не робот, а прокси: HTTP {0}.'],
    patch: ['A patch for what runs. It can be uploaded.', 'Патч к тому, что работает. Можно загружать.'],
    verifying: ['The robot verifies what it wrote.', 'Робот проверяет записанное.'],
    rebooting: ['The robot restarts.', 'Робот перезапускается.'],
    waiting: ['Waiting for the robot.', 'Ждём робота.'],
    cancelled: ['Cancelled.', 'Отменено.'],
    later: ['Write now, start it later', 'Записать сейчас, запустить позже'],
    waits: ['{0} is written and verified, and waits to be started.', '{0} записана, проверена и ждёт запуска.'],
    activate: ['Start it', 'Запустить'],

    // what the robot was offered
    unfit: ['{0} is there, not for this robot', '{0} вышла, но не для этого робота'],
    offered: ['{0} is available, {1}', 'Доступна {0}, {1}'],
    news: ['What is new: {0}', 'Что нового: {0}'],
    install: ['Install', 'Установить'], not_now: ['Later', 'Позже'], skip: ['Skip this version', 'Пропустить эту версию'],

    // somebody else's update
    others: ['The robot is being updated', 'Робот сейчас обновляется'],
    others_by: ['By {0}: {1}', 'Обновляет {0}: {1}'],
    anyone: ['somebody on this network', 'кто-то в этой сети'],
    folder: ['the robot itself', 'сам робот'], hawkbit: ['the robot itself', 'сам робот'],
    busy: ['Under way: {0}.', 'Сейчас идёт {0}.'],
    busy_rollback: ['a rollback', 'откат'], busy_restart: ['a restart', 'перезапуск'],
    busy_confirm: ['a confirmation', 'подтверждение'], busy_activation: ['a start of what was written', 'запуск записанного'],
    busy_keys: ['a change of keys', 'смена ключей'], busy_slots: ['a look at the slots', 'чтение разделов'],
    end_other: ['End that update', 'Прервать это обновление'],

    // how it ended
    now: ['{0} runs: {1}', 'Работает {0}: {1}'],
    emptied: ['The other slot is empty now: the firmware before this one is gone; the running one is untouched.',
        'Другой раздел теперь пуст: прежней прошивки больше нет; текущая не тронута.'],
    already: ['{0} runs already; nothing was written.', '{0} уже работает; ничего не записано.'],
    back: ['{0} {1}: {2}. {3} runs again.', '{0} {1}: {2}. Снова работает {3}.'],
    not_installed: ['The robot restarted. {0} runs; your file is not installed.',
        'Робот перезапустился. Работает {0}; ваш файл не установлен.'],
    why: ['the reason is not known', 'причина неизвестна'],
    lost: ['Did not come back within 60 s: look at its power, WiFi and address.',
        'Не вернулся за 60 с: проверьте питание, WiFi и адрес.'],
    same_boot: ['Did not restart within 60 s.', 'Не перезапустился за 60 с.'],
    last: ['Last: {0}', 'Последнее: {0}'],
    log_in: ['Log in, in another tab; the file stays here', 'Войти в другой вкладке; файл останется здесь'],

    // slots
    enforced: ['signature: enforced, keys {0}', 'подпись: обязательна, ключи {0}'],
    safe_mode: ['Safe mode: the firmware kept crashing, so nothing moves. Upload another one, or restart.',
        'Безопасный режим: прошивка аварийно завершалась, поэтому всё остановлено. ' +
        'Загрузите другую или перезапустите робота.'],
    slots: ['Slots', 'Разделы'],
    confirm: ['Confirm', 'Подтвердить'], rollback: ['Roll back', 'Откатить'],
    back_to: ['Roll back to {0}', 'Откатить на {0}'], forward_to: ['Forward to {0}', 'Вперёд на {0}'],
    again_to: ['Try {0} again', 'Ещё раз попробовать {0}'],
    reboot: ['Restart', 'Перезапустить'],
    ask_restart: ['Restart the robot now?', 'Перезапустить робота сейчас?'],
    ask_back: ['Restart with {0}?', 'Перезапустить с {0}?'],
    ask_force: ['{0}: {1}. Restart with it all the same?', '{0}: {1}. Всё равно запустить её?'],
    confirm_first: ['Before the next update: wait, confirm the firmware that runs, or roll back.',
        'Прежде чем загружать следующую: подождите, подтвердите работающую прошивку или откатите её.'],
    confirm_left: ['{0}, {1} s left', '{0}, осталось {1} с'],
    soak_left: ['all checks pass; confirmed in {0} s', 'все проверки проходят; подтверждение через {0} с'],
    next: ['boots next', 'запустится следующей'],
    none: ['no record', 'записи нет'], new: ['new', 'новая'],
    pending_verify: ['waits for confirmation', 'ждёт подтверждения'],
    valid: ['confirmed', 'подтверждена'], invalid: ['rejected', 'отвергнута'],
    aborted: ['not confirmed in time', 'не подтверждена вовремя'],
    undefined: ['state not kept', 'состояние не хранится'],
    empty: ['no firmware', 'прошивки нет']
});
