// `poolbench claims` on the suites of $SUITES: which suites there are is no option of the command line.
import { claims } from '../../dist/main/cli/claims.js';
import { parseCommandLine } from '../../dist/main/cli/command-line.js';
import { PoolbenchError } from '../../dist/main/errors.js';

try {
  const { operands, options } = parseCommandLine(process.argv.slice(2));
  process.exitCode = await claims(operands[0], options, JSON.parse(process.env.SUITES));
} catch (error) {
  if (!(error instanceof PoolbenchError)) throw error;
  process.stderr.write(`poolbench: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
