import { ok, type Reply } from './protocol.ts';
import {
  type Call,
  type Command,
  globPattern,
  integer,
  notAnInteger,
  type ServerState,
  text,
} from './state.ts';

const many = Number.POSITIVE_INFINITY;

/** The Redis version that clients may expect the behaviour of. */
const spokenRedisVersion = '7.0.0';

/** Commands on the server and on the connection itself. */
export const serverCommands: Readonly<Record<string, Command>> = {
  info: { arity: [0, many], run: info },
  config: { arity: [1, many], run: config },
  ping: { arity: [0, 1], run: ({ args: [message] }) => message ?? { status: 'PONG' } },
  echo: { arity: [1, 1], run: ({ args: [message] }) => message ?? '' },
  hello: { arity: [0, many], run: hello },
  // Only a server that runs already may need a password, and this one is always started.
  auth: { arity: [1, 2], run: () => noPassword },
  select: { arity: [1, 1], run: select },
  client: { arity: [1, many], run: client },
  quit: { arity: [0, many], run: quit },
  // Clients that ask for the command table accept an empty one.
  command: { arity: [0, many], run: () => [] },
};

const noPassword: Reply = {
  error:
    'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
};

const sections: Readonly<Record<string, (state: ServerState) => (readonly [string, string | number])[]>> = {
  server: state => [
    ['redis_version', spokenRedisVersion],
    ['server_name', 'poolbench-embedded'],
    ['poolbench_embedded', state.version],
    ['redis_mode', 'standalone'],
    ['process_id', process.pid],
    ['tcp_port', state.port],
    ['uptime_in_seconds', Math.floor((Date.now() - state.startedAt) / 1000)],
  ],
  clients: state => [
    ['connected_clients', state.sessions.size],
    ['maxclients', state.maxClients],
  ],
  memory: () => [
    ['used_memory', process.memoryUsage.rss()],
    ['maxmemory', 0],
    ['maxmemory_policy', 'noeviction'],
  ],
  persistence: () => [
    ['loading', 0],
    ['aof_enabled', 0],
  ],
  replication: () => [['role', 'master']],
  cpu: () => {
    const { user, system } = process.cpuUsage();
    // Node does not tell its threads apart: the main thread is taken to use all of it.
    return ['', '_main_thread'].flatMap(thread => [
      [`used_cpu_sys${thread}`, (system / 1e6).toFixed(6)] as const,
      [`used_cpu_user${thread}`, (user / 1e6).toFixed(6)] as const,
    ]);
  },
  commandstats: state => [...state.calls].map(([name, calls]) => [`cmdstat_${name}`, `calls=${calls}`]),
  cluster: () => [['cluster_enabled', 0]],
  keyspace: state =>
    state.databases
      .map((database, index) => [`db${index}`, database.size] as const)
      .filter(([, size]) => size > 0)
      .map(([name, size]) => [name, `keys=${size}`]),
};

function info(call: Call): Reply {
  const asked = call.args.map((_, index) => text(call, index).toLowerCase());
  const all = asked.some(name => name === 'all' || name === 'everything');
  const standard = asked.length === 0 || asked.includes('default');
  const parts: string[] = [];
  for (const [name, fields] of Object.entries(sections)) {
    if (!all && !asked.includes(name) && !(standard && name !== 'commandstats')) continue;
    const lines = fields(call.state).map(([key, value]) => `${key}:${value}\r\n`);
    parts.push(`# ${name.charAt(0).toUpperCase()}${name.slice(1)}\r\n${lines.join('')}`);
  }
  return parts.join('\r\n');
}

function config(call: Call): Reply {
  if (text(call, 0).toUpperCase() !== 'GET' || call.args.length < 2) return unknownSubcommand(call, 'CONFIG');
  const settings = [
    ['maxclients', String(call.state.maxClients)],
    ['save', ''],
    ['appendonly', 'no'],
    ['maxmemory', '0'],
    ['maxmemory-policy', 'noeviction'],
    ['io-threads', '1'],
    ['databases', String(call.state.databases.length)],
  ] as const;
  const patterns = call.args.slice(1).map(glob => globPattern(glob.toString('latin1'), 'si'));
  return { map: settings.filter(([name]) => patterns.some(pattern => pattern.test(name))) };
}

function hello(call: Call): Reply {
  const { session, state } = call;
  let { protocol, name } = session;
  if (call.args.length > 0) {
    const wanted = integer(text(call, 0));
    if (wanted === undefined) return { error: 'ERR Protocol version is not an integer or out of range' };
    if (wanted !== 2 && wanted !== 3) return { error: 'NOPROTO unsupported protocol version' };
    protocol = wanted;
  }
  for (let at = 1; at < call.args.length; at += 2) {
    if (text(call, at).toUpperCase() !== 'SETNAME' || at + 1 === call.args.length)
      return { error: `ERR Syntax error in HELLO option '${text(call, at)}'` };
    name = text(call, at + 1);
  }
  Object.assign(session, { protocol, name });
  return {
    map: [
      ['server', 'poolbench-embedded'],
      ['version', spokenRedisVersion],
      ['poolbench_embedded', state.version],
      ['proto', protocol],
      ['id', session.id],
      ['mode', 'standalone'],
      ['role', 'master'],
      ['modules', []],
    ],
  };
}

function select(call: Call): Reply {
  const index = integer(text(call, 0));
  if (index === undefined) return notAnInteger;
  if (index < 0 || index >= call.state.databases.length) return { error: 'ERR DB index is out of range' };
  call.session.database = index;
  return ok;
}

function client(call: Call): Reply {
  const { session, state, args } = call;
  const name = text(call, 1);
  switch (`${text(call, 0).toUpperCase()} ${args.length - 1}`) {
    case 'SETNAME 1':
      if (/[^!-~]/.test(name))
        return { error: 'ERR Client names cannot contain spaces, newlines or special characters.' };
      session.name = name;
      return ok;
    case 'ID 0':
      return session.id;
    case 'GETNAME 0':
      return session.name === '' ? null : session.name;
    case 'LIST 0':
      return [...state.sessions.values()]
        .map(
          ({ id, address, name, database, protocol }) =>
            `id=${id} addr=${address} name=${name} db=${database} resp=${protocol}\n`,
        )
        .join('');
    default:
      return unknownSubcommand(call, 'CLIENT');
  }
}

function unknownSubcommand(call: Call, command: string): Reply {
  return {
    error: `ERR unknown subcommand or wrong number of arguments for '${text(call, 0)}'. Try ${command} HELP.`,
  };
}

function quit({ session }: Call): Reply {
  session.closing = true;
  return ok;
}
