import { beforeAll, describe } from 'vitest';
import { loadClient } from '../../../src/pool/client/libraries.ts';
import { fileOf, losingNames, ringNames } from '../../support/connections.ts';
import { networkFaults } from '../../support/faults/network-faults.ts';
import { serverFaults } from '../../support/faults/server-faults.ts';
import { testFaults } from '../../support/faults/undergo.ts';

describe('faults of the server', () => {
  testFaults(serverFaults);
});

describe('faults of the network', () => {
  testFaults(networkFaults);
});

/** Those in which clients differ most: how they report errors, log in, notice a loss, and take what is no reply. */
const telling = new Set([
  'Every batch has a command that the server refuses',
  'The password is changed, and connections are lost',
  'Connections go silent without a FIN (half-open)',
  'Connections end in the middle of a reply',
  'Garbage between two replies',
]);

describe('faults with the clients that are loaded, and with wire over io_uring', () => {
  // It takes a second on a busy machine, in which no other connection is opened.
  beforeAll(async () => {
    for (const client of losingNames) await loadClient(client, fileOf(client) ?? '');
  });

  // All of them take a minute: `npm run reliability` goes through them.
  const faults = [...serverFaults, ...networkFaults];
  const all = process.env.POOLBENCH_ALL_FAULTS !== undefined;
  testFaults(all ? faults : faults.filter(({ name }) => telling.has(name)), [...losingNames, ...ringNames]);
});
