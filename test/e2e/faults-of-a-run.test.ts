import { testRunFaults } from '../support/faults/endure.ts';
import { runFaults } from '../support/faults/run-faults.ts';

testRunFaults(runFaults);
