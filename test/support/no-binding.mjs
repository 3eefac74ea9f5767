import { appendFileSync } from 'node:fs';

// A Node that does not hand out what direct-socket.ts asks it for; who asks is noted.
process.binding = name => {
  appendFileSync(process.env.ASKED_FOR, `${name}\n`);
  throw new Error('No such module');
};
