#!/usr/bin/env node
// Checks signed evidence with the public keys alone: no database, no packages, nothing but Node.js.
import { verifyStandalone } from '../dist/src/evidence/verify-standalone.js';

const { exitCode, stdout, stderr } = await verifyStandalone(process.argv.slice(2));
process.exitCode = exitCode;
process.stdout.write(stdout);
process.stderr.write(stderr);
