// A cache beside a database: what is not in the cache is read from the database, and put into the cache for a while.
const keepMs = 500;
const databaseMs = 2;

/** @param {import('poolbench').Session} session */
export default async ({ client, key, value, step, think }) => {
  const user = key();
  const cached = await step('look', () => client.get(user));
  if (cached !== null) return;
  // The database takes its time, which is not the cache's.
  await think(databaseMs);
  await step('fill', () => client.set(user, value(), 'PX', keepMs));
};
