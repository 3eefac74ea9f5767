// A shopping cart that is changed in a transaction, which does nothing if the cart has changed since it was read.
const maxItems = 20;

/** @param {import('poolbench').Session} session */
export default async ({ client, key, value, random, step, think }) => {
  const cart = key();
  await step('look', () => client.hgetall(cart));
  // The customer's time, which is left out of all latencies.
  await think(2);
  await step('add', async () => {
    for (;;) {
      await client.watch(cart);
      const isFull = (await client.hlen(cart)) >= maxItems;
      const change = client.multi();
      if (isFull) change.del(cart);
      else change.hset(cart, `item-${Math.floor(random() * maxItems)}`, value());
      // Null: somebody else has changed the cart, so try again.
      if ((await change.exec()) !== null) return;
    }
  });
};
