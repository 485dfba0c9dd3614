// SPDX-License-Identifier: Apache-2.0
// What build systems read of the project: ESP-IDF, PlatformIO and Arduino. Formats, one version everywhere,
// and that every file they name is there.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import { startRover } from '../e2e/support/rover.mjs';
import { program } from '../e2e/support/run.mjs';
import { at, entries, list, read, ROOT, run } from '../support/project.mjs';

const VERSION = read('CMakeLists.txt').match(/project\(otapult VERSION (\S+)/)[1];
const LIBRARY = JSON.parse(read('library.json'));
const PROPERTIES = Object.fromEntries(entries(read('library.properties')).map(line => line.split(/=(.*)/s)));
const yaml = async file => JSON.parse(await run('python3',
    ['-c', 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))', at(file)]));

function scratch(t) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-board-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    return folder;
}

test('one version everywhere: CMakeLists.txt has it', async () => {
    assert.match(VERSION, /^\d+\.\d+\.\d+$/);
    assert.equal((await yaml('idf_component.yml')).version, VERSION);
    assert.equal(LIBRARY.version, VERSION);
    assert.equal(PROPERTIES.version, VERSION);
});

describe('idf_component.yml', () => {
    test('names targets, licence and the least ESP-IDF', async () => {
        const manifest = await yaml('idf_component.yml');
        assert.deepEqual(manifest.targets, ['esp32', 'esp32c3', 'esp32c6', 'esp32s2', 'esp32s3']);
        assert.equal(manifest.license, 'Apache-2.0');
        assert.equal(manifest.dependencies.idf, '>=5.1');
    });

    test('leaves nothing out that the component needs', async () => {
        const { exclude } = (await yaml('idf_component.yml')).files;
        const gone = exclude.map(pattern => pattern.replace('/**/*', '/'));
        for (const folder of gone)
            assert.ok(fs.existsSync(at(folder)), folder);
        for (const file of [...await componentSources('6.0.1'), 'Kconfig', 'CMakeLists.txt', 'include/otapult/esp_idf.h'])
            assert.ok(!gone.some(folder => file.startsWith(folder)), file);
    });

    test('states the releases with known fixes which component.cmake looks for, and docs/board.md', async () => {
        const [, least] = read('port/esp-idf/component.cmake').match(/otapult_least ([\d. ]+)\)/);
        for (const version of least.split(' ')) {
            assert.ok(read('idf_component.yml').includes(version), version);
            assert.ok(read('docs/board.md').includes(version), version);
        }
    });
});

// What CMakeLists.txt tells ESP-IDF, in both of its passes: the arguments of idf_component_register().
async function component(version, folder = ROOT, early = true) {
    const [major, minor, patch] = version.split('.');
    const script = `
        cmake_minimum_required(VERSION 3.16)
        set(ESP_PLATFORM 1)
        set(IDF_VERSION_MAJOR ${major})
        set(IDF_VERSION_MINOR ${minor})
        set(IDF_VERSION_PATCH ${patch})
        macro(idf_component_register)
            message(NOTICE "\${ARGN}")
            ${early ? 'return()' : ''}
        endmacro()
        include(${folder}/CMakeLists.txt)`;
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-cmake-')), 'script.cmake');
    fs.writeFileSync(file, script);
    const text = await run('sh', ['-c', 'cmake -P "$0" 2>&1', file]);
    fs.rmSync(path.dirname(file), { recursive: true });
    const words = { text };
    let word;
    for (const part of text.split('\n').find(line => line.includes(';'))?.split(';') ?? [])
        /^[A-Z_]+$/.test(part) ? words[word = part] = [] : words[word].push(part);
    return words;
}

async function componentSources(version) {
    return (await component(version)).SRCS.map(file => path.relative(ROOT, file));
}

describe('the component of ESP-IDF', () => {
    test('is every source of the core and the port, and the packed pages', async () => {
        const rooms = fs.readdirSync(at('src')).flatMap(room => list(`src/${room}`, '.c'));
        assert.deepEqual((await componentSources('5.1.0')).sort(),
            [...rooms, ...list('port/esp-idf', '.c'), ...list('ui/generated', '.c').filter(file => !/rover/.test(file))].sort());
    });

    test('has folders of headers that are there', async () => {
        const { INCLUDE_DIRS, PRIV_INCLUDE_DIRS } = await component('5.1.0');
        for (const folder of [...INCLUDE_DIRS, ...PRIV_INCLUDE_DIRS])
            assert.ok(fs.statSync(folder).isDirectory(), folder);
    });

    // PlatformIO lays the objects of a component outside of the project into one folder.
    test('has no two sources of one name', async () => {
        const names = (await componentSources('5.1.0')).map(file => path.basename(file));
        assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
    });

    test('requires the components whose headers it includes', async () => {
        const { REQUIRES, PRIV_REQUIRES } = await component('5.1.0');
        const owners = Object.fromEntries(entries(read('test/package/headers.txt')).map(line => line.split(/ +/)));
        const sources = [...list('port/esp-idf', '.c'), ...list('port/esp-idf', '.h'), 'include/otapult/esp_idf.h',
            'src/trust/sha256.h', 'src/trust/certificate.c'];
        const included = new Set(sources.flatMap(file =>
            [...read(file).matchAll(/#include <([^>]+)>/g)].map(match => match[1])));
        for (const header of included) {
            assert.ok(owners[header], `${header}: test/package/headers.txt does not say whose it is`);
            assert.ok(['-', ...REQUIRES, ...PRIV_REQUIRES].includes(owners[header]), `${header}: ${owners[header]}`);
        }
        for (const [, header] of read('include/otapult/esp_idf.h').matchAll(/#include <([^>]+)>/g))
            assert.ok(['-', ...REQUIRES].includes(owners[header]), `${header} is public`);
    });

    test('warns of an ESP-IDF with known faults, and only of such', async () => {
        for (const [version, warned] of [['5.1.7', false], ['5.2.6', true], ['5.2.7', false], ['5.3.5', true],
            ['5.4.10', false], ['5.5.4', true], ['6.0.0', true], ['6.0.2', false], ['6.1.0', false]])
            assert.equal(/known fault/.test((await component(version, ROOT, false)).text), warned, version);
    });

    test('is not the host build: CMakeLists.txt stops behind it', async () => {
        assert.doesNotMatch((await component('5.1.0', ROOT, false)).text, /CMake Error/);
    });

    test('the rover is one, too', async () => {
        const { SRCS, PRIV_REQUIRES } = await component('6.0.1', at('rover/board'));
        for (const file of SRCS)
            assert.ok(fs.existsSync(file), file);
        assert.ok(SRCS.some(file => file.endsWith('rover/drive.c')));
        assert.ok(!PRIV_REQUIRES.includes('json') && PRIV_REQUIRES.includes('esp_driver_ledc') &&
            PRIV_REQUIRES.includes('esp_driver_gpio'));
        const { PRIV_REQUIRES: between } = await component('5.3.5', at('rover/board'));
        assert.ok(between.includes('esp_driver_gpio')); // ledc.h includes driver/gpio.h, and says so to nobody
        const old = (await component('5.2.7', at('rover/board'))).PRIV_REQUIRES;
        assert.ok(old.includes('json') && old.includes('driver'));
        assert.ok(old.includes(path.basename(ROOT)), 'the component Otapult is called as its folder');
        const { dependencies } = await yaml('rover/board/idf_component.yml');
        assert.deepEqual(Object.keys(dependencies), ['idf', 'espressif/mdns', 'espressif/qrcode', 'espressif/cjson']);
    });
});

describe('the pages of ui/generated', () => {
    const pages = [...read('ui/ui.cmake').matchAll(/^ui_page\(\S+ (\w+)\)$/gm)].map(([, symbol]) => symbol);

    test('are all there, and no other', () => {
        assert.ok(pages.length >= 2);
        assert.deepEqual(list('ui/generated', '.c'), pages.sort().map(page => `ui/generated/${page}.c`));
    });

    for (const page of pages) {
        // Not byte for byte: another zlib may pack the same page in another way.
        test(`${page} is what ui/ makes now: make pages`, () => {
            const parts = text => {
                const bytes = text.match(/page\[\d+\] = \{([^}]*)\}/)[1].split(',').map(Number).slice(0, -1);
                return { page: zlib.gunzipSync(Buffer.from(bytes)).toString(), rest: text.match(/\.headers = .*/)[0] };
            };
            assert.deepEqual(parts(read(`ui/generated/${page}.c`)), parts(read(`build/asan/ui/${page}.c`)));
        });
    }
});

describe('PlatformIO', () => {
    test('library.json names what is there', () => {
        assert.equal(LIBRARY.license, 'Apache-2.0');
        assert.deepEqual(LIBRARY.platforms, ['espressif32']);
        for (const name of LIBRARY.export.include)
            assert.ok(fs.existsSync(at(name)), name);
        for (const { base, files } of LIBRARY.examples)
            files.forEach(file => assert.ok(fs.existsSync(at(base, file)), file));
        const folders = LIBRARY.build.flags.map(flag => flag.replace(/^-I /, ''));
        for (const header of LIBRARY.headers)
            assert.ok(folders.some(folder => fs.existsSync(at(folder, header))), header);
        for (const folder of folders)
            assert.ok(LIBRARY.export.include.includes(folder), folder);
    });

    test('library.json builds what the component builds', async () => {
        const plus = LIBRARY.build.srcFilter.filter(word => word[0] === '+').map(word => word.slice(2, -1));
        assert.deepEqual(LIBRARY.build.srcFilter[0], '-<*>');
        for (const file of await componentSources('5.1.0'))
            assert.ok(plus.some(part => file.startsWith(part.replace(/\*\.c$/, ''))), file);
        for (const part of plus)
            assert.ok(fs.existsSync(at(path.dirname(part))), part);
    });

    const ini = { sections: {} };
    let section, key;
    for (const line of read('rover/platformio.ini').split('\n').filter(line => line.trim() && !/^[;#]/.test(line))) {
        const [, title] = line.match(/^\[(.*)\]$/) ?? [];
        const [, name, value] = line.match(/^(\w[\w.]*) *= *(.*)$/) ?? [];
        if (title)
            section = ini.sections[title] = {};
        else if (name)
            section[key = name] = value;
        else
            section[key] += ` ${line.trim()}`;
    }
    const environment = name => Object.assign({}, ini.sections.env,
        ...ini.sections[`env:${name}`].extends.split(/, */).map(base => ini.sections[base]));

    test('the rover has an environment for ESP-IDF and one for Arduino, over the air and by USB', () => {
        for (const [name, framework] of [['esp32-s3-devkitc1-n16r8', 'espidf'],
            ['esp32-s3-devkitc1-n16r8-arduino', 'arduino']]) {
            const air = environment(name), usb = environment(`${name}-usb`);
            assert.equal(air.framework, framework);
            assert.equal(usb.framework, framework);
            assert.equal(air.upload_protocol, 'custom');
            assert.equal(usb.upload_protocol, undefined);
            assert.ok(fs.existsSync(at('rover', air['board_build.partitions'])));
        }
        assert.equal(ini.sections.platformio.default_envs, 'esp32-s3-devkitc1-n16r8');
        assert.ok(fs.existsSync(at('rover', ini.sections.platformio.src_dir)));
    });

    test('an Arduino build of the rover finds its sources and headers', () => {
        const { build_src_filter, build_flags } = environment('esp32-s3-devkitc1-n16r8-arduino');
        for (const [, part] of build_src_filter.matchAll(/[+-]<([^*>]+\.c)>/g))
            assert.ok(fs.existsSync(at('rover/board', part)), part);
        for (const [, part] of build_flags.matchAll(/-I \$PROJECT_DIR(\S*)/g))
            assert.ok(fs.existsSync(at('rover', `.${part}`)), part);
    });

    test('its upload command is the brief\'s, and this curl understands it', async t => {
        const { upload_command, upload_port } = environment('esp32-s3-devkitc1-n16r8');
        const file = path.join(scratch(t), 'firmware.bin');
        fs.writeFileSync(file, 'nothing');
        const command = upload_command.replace('$SOURCE', file).replace('$UPLOAD_PORT', '127.0.0.1:1');
        assert.match(command, /-F|--form "firmware=@/);
        assert.match(command, /\/api\/ota\/upload"$/);
        assert.equal(upload_port, 'rover.local:8080');
        await assert.rejects(run('sh', ['-c', command]), /Failed to connect|Couldn't connect/);
    });
});

describe('the partition table of the rover', () => {
    const TYPES = { app: 0, data: 1 };
    const SUBTYPES = { app: { ota_0: 0x10, ota_1: 0x11, factory: 0 }, data: { ota: 0, nvs: 2, coredump: 3, spiffs: 0x82 } };

    // As ESP-IDF's gen_esp32part.py writes it; facts page, section 4.1.
    function compile(csv) {
        const table = Buffer.alloc(3072, 0xff);
        let end = 0;
        for (const line of entries(csv)) {
            const [label, type, subtype, offset, size] = line.split(/, */);
            table.fill(0, end, end + 32);
            table.writeUInt16LE(0x50aa, end);
            table[end + 2] = TYPES[type];
            table[end + 3] = SUBTYPES[type][subtype];
            table.writeUInt32LE(Number(offset), end + 4);
            table.writeUInt32LE(Number(size), end + 8);
            table.write(label, end + 12, 16, 'latin1');
            end += 32;
        }
        table.fill(0xeb, end, end + 2);
        createHash('md5').update(table.subarray(0, end)).digest().copy(table, end + 16);
        return table;
    }

    const table = compile(read('rover/partitions_16MB.csv'));

    test('has the checksum that Arduino\'s default_16MB has', () => {
        assert.equal(table.toString('hex', 6 * 32 + 16, 7 * 32), 'b32dcdb83b1674af27768c92b1f88a62');
    });

    test('is byte for byte that of the virtual board', async t => {
        const rover = await startRover();
        t.after(() => rover.stop());
        assert.deepEqual(fs.readFileSync(rover.flashPath).subarray(0x8000, 0x8c00), table);
    });

    test('is fit for updates over the air, says otapult info, and one without OTA slots is not', async t => {
        const folder = scratch(t);
        const info = async (name, bytes) => {
            fs.writeFileSync(path.join(folder, name), bytes);
            return run(program('otapult'), ['info', path.join(folder, name)]);
        };
        const none = compile('nvs, data, nvs, 0x9000, 0x6000\nfactory, app, factory, 0x10000, 0x100000\n');
        assert.match(await info('small.bin', compile(read('rover/partitions_4MB.csv'))), /^  fit for updates over the air$/m);
        assert.match(await info('two.bin', table), /^  fit for updates over the air$/m);
        await assert.rejects(info('none.bin', none), /^  not fit for updates over the air: it has no OTA slots/m);
    });
});

test('every chip has settings of its own, with a table that fills its flash, and none has PSRAM of another', async () => {
    const common = read('rover/sdkconfig.defaults');
    assert.doesNotMatch(common, /SPIRAM|FLASHSIZE|PARTITION/);
    for (const chip of (await yaml('idf_component.yml')).targets) {
        const own = read(`rover/sdkconfig.defaults.${chip}`);
        const [, size] = own.match(/^CONFIG_ESPTOOLPY_FLASHSIZE_(\d+)MB=y$/m);
        const [, file] = own.match(/^CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="(.*)"$/m);
        const [offset, length] = entries(read('rover', file)).pop().split(/, */).slice(3).map(Number);
        assert.equal(offset + length, Number(size) << 20, chip);
        assert.equal(/^CONFIG_SPIRAM=y$/m.test(own), chip === 'esp32s3', chip);
    }
});

describe('Kconfig', () => {
    // One level of menu, and of what Kconfig knows no more than is used here.
    for (const file of ['Kconfig', 'rover/board/Kconfig.projbuild']) {
        test(`${file} is well formed`, () => {
            const lines = read(file).split('\n').map(line => line.replace(/\s+$/, ''));
            const menus = lines.filter(line => /^menu "/.test(line)).length;
            assert.equal(menus, 1);
            assert.equal(lines.filter(line => line === 'endmenu').length, menus);
            let help = false;
            for (const line of lines.filter(line => line && !line.startsWith('#'))) {
                help = help ? /^ {12}/.test(line) : false;
                assert.ok(help || /^(menu|endmenu|    (config|comment|menu) |        (bool|int|string|default|range|depends|help|select)\b)/
                    .test(line), `${file}: ${line}`);
                help = help || line.trim() === 'help';
            }
        });
    }

    // Each default of an option that is no switch, also those for some chip or profile only.
    const options = file => [...read(file).matchAll(/^ {4}config (\w+)\n(?! {8}bool)((?: {8}.*\n)+)/gm)]
        .flatMap(([, name, lines]) => [...lines.matchAll(/^ {8}default (.*?)(?: if .*)?$/gm)].map(([, value]) => [`CONFIG_${name}`, value]));

    test('the port knows the options of Kconfig, and has the same defaults where there is none', () => {
        const sources = list('port/esp-idf', '.c').map(file => read(file)).join('\n');
        const known = [...sources.matchAll(/#define (CONFIG_OTAPULT_\w+) (.*)$/gm)].map(([, name, value]) => [name, value]);
        assert.ok(known.length > 0);
        assert.deepEqual(known.sort(), options('Kconfig').sort());
    });

    test('settings.h has the defaults of the rover\'s Kconfig, under the same names', () => {
        const own = options('rover/board/Kconfig.projbuild');
        assert.ok(own.length >= 10);
        for (const [name, value] of own)
            assert.match(read('rover/board/settings.h'), new RegExp(`#define ${name} +${value}\n`), name);
    });
});

describe('Arduino', () => {
    test('library.properties has the fields of the library specification', () => {
        for (const field of ['name', 'version', 'author', 'maintainer', 'sentence', 'paragraph', 'category', 'architectures', 'includes'])
            assert.ok(PROPERTIES[field], field);
        assert.equal(PROPERTIES.architectures, 'esp32');
        assert.equal(PROPERTIES.category, 'Communication');
    });
});

describe('what the forge reads', () => {
    test('the workflow runs .ci/run on both releases that CONTRIBUTING.md names', async () => {
        const { jobs } = await yaml('.github/workflows/ci.yml');
        assert.deepEqual(jobs.run.strategy.matrix.suite, ['bookworm', 'trixie']);
        assert.ok(jobs.run.steps.some(step => step.run === '.ci/run'));
        const text = read('CONTRIBUTING.md');
        for (const suite of jobs.run.strategy.matrix.suite)
            assert.ok(text.includes(`SUITE=${suite}`), suite);
    });

    test('the issue form asks for what is needed, and its fields have names of their own', async () => {
        const { body } = await yaml('.github/ISSUE_TEMPLATE/fault.yml');
        const ids = body.map(field => field.id);
        assert.equal(new Set(ids).size, ids.length);
        assert.deepEqual(body.filter(field => field.validations?.required).map(field => field.id),
            ['what', 'steps', 'version', 'where']);
    });

    test('every target that CONTRIBUTING.md calls is in the Makefile', () => {
        const targets = [...read('CONTRIBUTING.md').matchAll(/(?:`|^)make ([a-z]+)/gm)].map(m => m[1]);
        assert.ok(targets.length >= 8);
        for (const target of targets)
            assert.match(read('Makefile'), new RegExp(`^${target}:`, 'm'));
    });

    test('CHANGELOG.md begins with the version that is being made', () => {
        assert.equal(read('CHANGELOG.md').match(/^## (\S+?),? /m)[1], VERSION);
    });
});
