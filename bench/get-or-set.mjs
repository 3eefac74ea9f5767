/** One command a session, as the operations of the built-in mix. */
export default async ({ client, key, value, random }) => {
  if (random() < 0.5) await client.get(key());
  else await client.set(key(), value());
};
