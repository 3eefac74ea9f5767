// The file of the addon: build.mjs writes it, and src/pool/client/ring-socket.ts loads it if io_uring is needed. That loads this
// module by `require`, because `import()` is asynchronous. The name has the hash of the source, so that an addon of another
// version is never loaded, and libuv's major version, because the addon calls libuv. N-API is the same in all versions of Node.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

exports.addonFile = () => {
  const hash = createHash('sha256').update(readFileSync(join(__dirname, 'ring.c'))).digest('hex').slice(0, 12);
  const [uv] = process.versions.uv.split('.');
  return join(__dirname, '../prebuilds', `${process.platform}-${process.arch}`, `ring-${hash}.uv${uv}.node`);
};
