import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { NestctlError } from '../errors.js';

// Below every system's range for outgoing connections, so that the port is likely still free next time.
const LOWEST = 15_432;
const HIGHEST = 29_999;

/** A loopback port that nothing listens on: the preferred one if it is free. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isFree(port)) return port;
  }
  throw new NestctlError(`No free port found between ${LOWEST} and ${HIGHEST}.`, {
    kind: 'conflict',
    code: 'no_port',
  });
}

async function isFree(port: number): Promise<boolean> {
  return !(await answers(port)) && (await canListen(port));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Where another program listens on all addresses, macOS still lets one listen on loopback alone. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
