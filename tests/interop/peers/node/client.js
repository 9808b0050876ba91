'use strict';

// The interop test's client on grpc-js. The exit code is the verdict: 0 pass, 1 fail (one line says why), 2 wrong usage.
// It waits as long as the server does; who runs it limits the time.

const cases = require('./cases.js');
const { Failure } = require('./exchange.js');
const { grpc, LARGEST_MESSAGE, TestService, readArguments, wholeNumber } = require('./test_service.js');

const SOAKS = { rpc_soak, channel_soak };
const USAGE = `client.js [--server_host 127.0.0.1] --server_port PORT --test_case CASE
          [--soak_iterations 10] [--soak_max_failures 0] [--use_tls=false]
CASE: ${[...Object.keys(cases), ...Object.keys(SOAKS)].join(', ')}`;
const OPTIONS = {
  'grpc.enable_http_proxy': 0,
  'grpc.max_receive_message_length': LARGEST_MESSAGE,
  // Without this a second channel to the same address would share the first one's connection.
  'grpc.use_local_subchannel_pool': 1,
};

function parse() {
  const values = readArguments(USAGE, {
    server_host: { type: 'string', default: '127.0.0.1' },
    server_port: { type: 'string' },
    test_case: { type: 'string' },
    soak_iterations: { type: 'string', default: '10' },
    soak_max_failures: { type: 'string', default: '0' },
  });
  const name = values.test_case ?? '';
  if (!Object.hasOwn(cases, name) && !Object.hasOwn(SOAKS, name)) {
    console.error(`no such case: ${name}\n${USAGE}`);
    process.exit(2);
  }
  return {
    name,
    address: `${values.server_host}:${wholeNumber(values, 'server_port', 1, 65535)}`,
    iterations: wholeNumber(values, 'soak_iterations', 1, 1e9),
    maxFailures: wholeNumber(values, 'soak_max_failures', 0, 1e9),
  };
}

/** Runs `use` with a client on a channel of its own. */
async function withClient(address, use) {
  const client = new TestService(address, grpc.credentials.createInsecure(), OPTIONS);
  try {
    await use(client);
  } finally {
    client.close();
  }
}

/** large_unary over and over on one channel. */
async function rpc_soak(settings) {
  await withClient(settings.address, (client) => repeat(settings, () => cases.large_unary(client)));
}

/** large_unary over and over, each time on a new channel. */
async function channel_soak(settings) {
  await repeat(settings, () => withClient(settings.address, cases.large_unary));
}

async function repeat({ iterations, maxFailures }, once) {
  const failures = [];
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    try {
      await once();
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      failures.push(`iteration ${iteration}: ${error.message}`);
    }
  }
  if (failures.length > maxFailures) {
    throw new Failure(`${failures.length} of ${iterations} failed, first ${failures[0]}`);
  }
}

/** Ends the process at once: a call that has not ended would keep it. */
function leave(code, verdict) {
  console.log(verdict);
  process.exit(code);
}

async function main() {
  const settings = parse();
  try {
    const soak = SOAKS[settings.name];
    await (soak ? soak(settings) : withClient(settings.address, cases[settings.name]));
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    leave(1, `${settings.name}: FAIL: ${error.message}`);
  }
  leave(0, `${settings.name}: pass`);
}

main();
