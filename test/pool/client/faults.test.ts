import { describe } from 'vitest';
import { networkFaults } from '../../support/faults/network-faults.ts';
import { serverFaults } from '../../support/faults/server-faults.ts';
import { testFaults } from '../../support/faults/undergo.ts';

describe('faults of the server', () => {
  testFaults(serverFaults);
});

describe('faults of the network', () => {
  testFaults(networkFaults);
});
