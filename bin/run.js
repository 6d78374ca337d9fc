#!/usr/bin/env node
import module from 'node:module';
import { fileURLToPath } from 'node:url';

// First, and everything else by dynamic import: static imports run before it and would not be cached.
module.enableCompileCache?.();
const { start } = await import('../dist/src/console/start.js');
await start({ root: fileURLToPath(new URL('..', import.meta.url)) });
