import { spokenRedisVersion } from './connection-commands.ts';
import { ok, type Reply } from './reply.ts';
import { type Call, type Command, globPattern, type ServerState, text } from './session.ts';

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
