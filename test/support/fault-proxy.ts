import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with one request on its way to the server behind, or with the answer. */
export type Fault =
  /** Answered instead of the server. */
  | {
      readonly status: number;
      readonly code?: string;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    }
  /** Never answered. */
  | 'hang'
  /** The connection is reset before the server sees it. */
  | 'reset'
  /** The server does it, but its answer is lost. */
  | 'lose_answer'
  /** The answer's body ends after so many bytes, and the connection with it. */
  | { readonly cutAfter: number }
  /** One bit of the answer's body is another. */
  | 'flip'
  /** Headers added to the real answer. */
  | { readonly headers: Record<string, string> };

export interface FaultProxy {
  readonly port: number;
  /** `METHOD /path?query` of everything that arrived. */
  readonly seen: string[];
  /** Chooses the fault for a request; nothing is wrong when absent. */
  fault: ((line: string) => Fault | undefined) | undefined;
  /** Milliseconds each request is held before it goes on. */
  delay: number;
  close(): Promise<void>;
}

/** Stands between a client and a real HTTP server and does what bad networks and busy servers do. */
export async function startFaultProxy(behind: number): Promise<FaultProxy> {
  const seen: string[] = [];
  const server = createServer((from, to) => {
    const line = `${from.method} ${from.url}`;
    seen.push(line);
    const fault = proxy.fault?.(line);
    setTimeout(() => pass(from, to, behind, fault), proxy.delay);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultProxy = {
    port: (server.address() as AddressInfo).port,
    seen,
    fault: undefined,
    delay: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function pass(from: IncomingMessage, to: ServerResponse, port: number, fault: Fault | undefined): void {
  if (fault === 'hang') {
    from.resume();
    return;
  }
  if (fault === 'reset') {
    from.socket.resetAndDestroy();
    return;
  }
  if (typeof fault === 'object' && 'status' in fault) {
    from.resume();
    from.on('end', () => {
      to.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers });
      const body = fault.body ?? `<Error><Code>${fault.code}</Code><Message>x</Message></Error>`;
      to.end(from.method === 'HEAD' ? '' : body);
    });
    return;
  }
  const { method, url, headers } = from;
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
    if (fault === 'lose_answer') {
      answer.resume();
      answer.on('end', () => from.socket.resetAndDestroy());
      return;
    }
    const added = typeof fault === 'object' && 'headers' in fault ? fault.headers : {};
    to.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...added });
    let at = 0;
    answer.on('data', (chunk: Buffer) => {
      if (fault === 'flip' && at === 0) chunk[0] = (chunk[0] ?? 0) ^ 1;
      at += chunk.length;
      const cut =
        typeof fault === 'object' && 'cutAfter' in fault ? fault.cutAfter : Number.POSITIVE_INFINITY;
      if (at <= cut) to.write(chunk);
      else to.write(chunk.subarray(0, Math.max(0, chunk.length - (at - cut))), () => to.destroy());
    });
    answer.on('end', () => to.end());
    answer.on('error', () => to.destroy());
  });
  onward.on('error', () => to.destroy());
  from.on('error', () => onward.destroy());
  from.pipe(onward);
}
