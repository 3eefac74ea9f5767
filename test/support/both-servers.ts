import { afterAll, beforeAll } from 'vitest';
import { type Control, connectControl } from '../../src/main/server/control.ts';
import { parseAddress } from '../../src/main/server/url.ts';
import { patient } from './connections.ts';
import { shareServer, type TestServer } from './servers.ts';

export interface Running {
  readonly server: TestServer;
  readonly control: Control;
}

/** A real Redis and a real Valkey for all tests of a file, by name, each with a control connection. */
export function startBothServers(): ReadonlyMap<string, Running> {
  const running = new Map<string, Running>();
  beforeAll(async () => {
    for (const name of ['redis', 'valkey'] as const) {
      const server = await shareServer(name);
      const control = await connectControl(parseAddress(server.url), patient);
      running.set(name, { server, control });
    }
  });
  afterAll(() => {
    for (const { control } of running.values()) control.close();
  });
  return running;
}
