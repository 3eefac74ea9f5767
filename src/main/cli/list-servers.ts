import { exitOnInterrupt } from '../interrupt.ts';
import { findServerBinary } from '../server/find-server.ts';
import { howToInstall, serverFacts, startable } from '../server/servers.ts';

/** `npm run servers`: which servers can be started here, fetching packages and release archives where needed. */

exitOnInterrupt();
for (const server of startable) {
  const found = await findServerBinary(server, line => console.log(`${server}: ${line}`));
  if ('reason' in found) {
    console.log(`${server}: none (${found.reason})\n  ${howToInstall(server)}`);
    // The tests need the servers that have a package.
    if (serverFacts(server).unpacked.from === 'distribution package') process.exitCode = 1;
  } else {
    const from = found.from === 'PATH' ? 'on PATH' : `${found.from}, unpacked privately`;
    console.log(`${server}: ${found.version} ${found.path} (${from})`);
  }
}
