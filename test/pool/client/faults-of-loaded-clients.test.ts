import { describe } from 'vitest';
import { loadedNames } from '../../support/connections.ts';
import { networkFaults } from '../../support/faults/network-faults.ts';
import { serverFaults } from '../../support/faults/server-faults.ts';
import { testFaults } from '../../support/faults/undergo.ts';

describe('faults of the server', () => {
  testFaults(serverFaults, loadedNames);
});

describe('faults of the network', () => {
  testFaults(networkFaults, loadedNames);
});
