import { serverFaults } from '../support/faults/server-faults.ts';
import { testFaults } from '../support/faults/undergo.ts';

testFaults(serverFaults);
