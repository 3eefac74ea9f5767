import { timingSafeEqual } from 'node:crypto';
import { ok, type Reply } from './protocol.ts';
import {
  type Call,
  type Command,
  globPattern,
  integer,
  notAnInteger,
  type ServerState,
  type Session,
  syntaxError,
  text,
} from './state.ts';

const many = Number.POSITIVE_INFINITY;

/** Commands on the server. */
export const serverCommands: Readonly<Record<string, Command>> = {
  info: { arity: [0, many], run: info },
  config: { arity: [1, many], run: config },
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
    const [userSeconds, systemSeconds] = [(user / 1e6).toFixed(6), (system / 1e6).toFixed(6)];
    return [
      ['used_cpu_sys', systemSeconds],
      ['used_cpu_user', userSeconds],
      // One thread does all of it, as far as Node tells.
      ['used_cpu_sys_main_thread', systemSeconds],
      ['used_cpu_user_main_thread', userSeconds],
    ];
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
  const subcommand = text(call, 0).toUpperCase();
  if (subcommand === 'RESETSTAT' && call.args.length === 1) {
    call.state.calls.clear();
    return ok;
  }
  if (subcommand !== 'GET' || call.args.length < 2) {
    return {
      error: `ERR unknown subcommand or wrong number of arguments for '${text(call, 0)}'. Try CONFIG HELP.`,
    };
  }
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

/** The Redis whose manners clients may expect. */
export const spokenRedisVersion = '7.0.0';

/** Commands on the connection itself. */
export const connectionCommands: Readonly<Record<string, Command>> = {
  ping: { arity: [0, 1], run: ({ args: [message] }) => message ?? { status: 'PONG' } },
  echo: { arity: [1, 1], run: ({ args: [message] }) => message ?? '' },
  hello: { arity: [0, many], run: hello },
  auth: { arity: [1, 2], run: auth },
  select: { arity: [1, 1], run: select },
  client: { arity: [1, many], run: client },
  quit: { arity: [0, many], run: quit },
  // Clients that ask for the command table live with an empty one.
  command: { arity: [0, many], run: () => [] },
};

/** Commands that a client may send before it has logged in. */
export const openCommands: ReadonlySet<string> = new Set(['auth', 'hello', 'quit']);

function hello(call: Call): Reply {
  const { session, state } = call;
  let protocol = session.protocol;
  let name: string | undefined;
  if (call.args.length > 0) {
    const wanted = integer(text(call, 0));
    if (wanted === undefined) return { error: 'ERR Protocol version is not an integer or out of range' };
    if (wanted !== 2 && wanted !== 3) return { error: 'NOPROTO unsupported protocol version' };
    protocol = wanted;
  }
  for (let at = 1; at < call.args.length; at += 1) {
    const option = text(call, at).toUpperCase();
    if (option === 'AUTH' && at + 2 < call.args.length) {
      const refused = logIn(state, session, text(call, at + 1), text(call, at + 2));
      if (refused !== undefined) return refused;
      at += 2;
    } else if (option === 'SETNAME' && at + 1 < call.args.length) {
      at += 1;
      name = text(call, at);
    } else return { error: `ERR Syntax error in HELLO option '${text(call, at)}'` };
  }
  if (!session.authenticated) {
    return {
      error:
        'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used',
    };
  }
  session.protocol = protocol;
  if (name !== undefined) session.name = name;
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

function auth(call: Call): Reply {
  const [username, password] =
    call.args.length === 1 ? ['default', text(call, 0)] : [text(call, 0), text(call, 1)];
  if (call.state.password === undefined) {
    return {
      error:
        'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    };
  }
  return logIn(call.state, call.session, username, password) ?? ok;
}

function logIn(state: ServerState, session: Session, username: string, password: string): Reply | undefined {
  const right =
    username === 'default' && (state.password === undefined || sameText(password, state.password));
  if (!right) return { error: 'WRONGPASS invalid username-password pair or user is disabled.' };
  session.authenticated = true;
  return undefined;
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, 'latin1'), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
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
  const subcommand = text(call, 0).toUpperCase();
  switch (`${subcommand} ${args.length - 1}`) {
    case 'SETNAME 1':
      if (/[^!-~]/.test(text(call, 1))) {
        return { error: 'ERR Client names cannot contain spaces, newlines or special characters.' };
      }
      session.name = text(call, 1);
      return ok;
    case 'SETINFO 2':
      return /^LIB-(NAME|VER)$/i.test(text(call, 1))
        ? ok
        : { error: `ERR Unrecognized option '${text(call, 1)}'` };
    case 'ID 0':
      return session.id;
    case 'GETNAME 0':
      return session.name === '' ? null : session.name;
    case 'LIST 0':
      return [...state.sessions.values()].map(describe).join('');
    case 'INFO 0':
      return describe(session);
    case 'REPLY 1':
      return text(call, 1).toUpperCase() === 'ON' ? ok : syntaxError;
    default:
      return {
        error: `ERR unknown subcommand or wrong number of arguments for '${text(call, 0)}'. Try CLIENT HELP.`,
      };
  }
}

function describe(session: Session): string {
  const { id, address, name, database, protocol } = session;
  return `id=${id} addr=${address} name=${name} db=${database} resp=${protocol}\n`;
}

function quit({ session }: Call): Reply {
  session.closing = true;
  return ok;
}
