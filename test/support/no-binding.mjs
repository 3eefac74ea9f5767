import { appendFileSync } from 'node:fs';

// A Node that refuses what socket.ts asks it for, and notes who asks.
process.binding = name => {
  appendFileSync(process.env.ASKED_FOR, `${name}\n`);
  throw new Error('No such module');
};
