import { networkFaults } from '../support/faults/network-faults.ts';
import { testFaults } from '../support/faults/undergo.ts';

testFaults(networkFaults);
