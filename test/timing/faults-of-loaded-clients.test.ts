import { beforeAll, describe } from 'vitest';
import { loadClient } from '../../src/pool/client/libraries.ts';
import { fileOf, loadedNames } from '../support/connections.ts';
import { networkFaults } from '../support/faults/network-faults.ts';
import { serverFaults } from '../support/faults/server-faults.ts';
import { testFaults } from '../support/faults/undergo.ts';

// It takes a second on a busy machine, in which no other connection is opened.
beforeAll(async () => {
  for (const client of loadedNames) await loadClient(client, fileOf(client) ?? '');
});

describe('faults of the server', () => {
  testFaults(serverFaults, loadedNames);
});

describe('faults of the network', () => {
  testFaults(networkFaults, loadedNames);
});
