import { describe } from 'vitest';
import { networkFaults } from '../../support/faults/network-faults.ts';
import { serverFaults } from '../../support/faults/server-faults.ts';
import { testFaults } from '../../support/faults/undergo.ts';

describe('what a server does loses no operation', () => {
  testFaults(serverFaults);
});

describe('what the network does loses no operation', () => {
  testFaults(networkFaults);
});
