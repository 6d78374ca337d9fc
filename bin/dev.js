#!/usr/bin/env node
// Runs the sources as they are, without a build or a manifest.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Plugin, settings } from '@oclif/core';
import { register } from 'tsx/esm/api';

register();
settings.enableAutoTranspile = false;
const { start } = await import('../src/console/start.ts');
const root = fileURLToPath(new URL('..', import.meta.url));
const text = await readFile(`${root}/package.json`, 'utf8');
const pjson = JSON.parse(text.replaceAll('./dist/', './'));
const plugin = new Plugin({ isRoot: true, root, pjson, ignoreManifest: true });
await plugin.load();
await start({ root, pjson, plugins: [plugin] });
