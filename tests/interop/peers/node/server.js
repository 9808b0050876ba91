'use strict';

// The interop test's server on grpc-js, plaintext, on 127.0.0.1. It serves until it is killed.

const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

const {
  grpc,
  ECHO_INITIAL,
  ECHO_TRAILING,
  LARGEST_MESSAGE,
  TestService,
  payload,
  readArguments,
  wholeNumber,
} = require('./test_service.js');

const USAGE = 'server.js [--port 0] [--use_tls=false]    port 0 takes any free one';

/** What the call is to end with. */
class StatusError extends Error {
  constructor(code, details) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

/** The methods that are implemented; UnimplementedCall is missing on purpose. */
const methods = {
  EmptyCall: single(async () => ({})),
  UnaryCall: single(async ({ request }) => {
    refuseExpectedCompression(request);
    endWith(request.response_status);
    return { payload: sizedPayload(request.response_size) };
  }),
  StreamingInputCall: single(async (call) => {
    let size = 0;
    for await (const request of requests(call)) {
      refuseExpectedCompression(request);
      size += request.payload?.body.length ?? 0;
    }
    return { aggregated_payload_size: size };
  }),
  StreamingOutputCall: stream((call) => sendReplies(call, call.request)),
  FullDuplexCall: stream(async (call) => {
    for await (const request of requests(call)) {
      await sendReplies(call, request);
    }
  }),
  HalfDuplexCall: stream(async (call) => {
    const all = [];
    for await (const request of requests(call)) {
      all.push(request);
    }
    for (const request of all) {
      await sendReplies(call, request);
    }
  }),
};

/** A handler whose call has one reply, which `answer` gives. */
function single(answer) {
  return async (call, callback) => {
    const trailing = echo(call);
    try {
      callback(null, await answer(call), trailing);
    } catch (error) {
      callback(Object.assign(error, { metadata: trailing }));
    }
  };
}

/** A handler whose call has a stream of replies, which `answer` sends. */
function stream(answer) {
  return async (call) => {
    const trailing = echo(call);
    try {
      await answer(call);
      call.end(trailing);
    } catch (error) {
      call.emit('error', Object.assign(error, { metadata: trailing }));
    }
  };
}

/** Sends back the initial metadata that the client asks for, and gives the trailers that it asks for. */
function echo(call) {
  const initial = new grpc.Metadata();
  const trailing = new grpc.Metadata();
  for (const [key, metadata] of [[ECHO_INITIAL, initial], [ECHO_TRAILING, trailing]]) {
    call.metadata.get(key).forEach((value) => metadata.add(key, value));
  }
  if (initial.get(ECHO_INITIAL).length > 0) {
    call.sendMetadata(initial);
  }
  return trailing;
}

/** The stream's requests. Plain iteration would destroy the call at their end, replies and all. */
function requests(call) {
  return call.iterator({ destroyOnReturn: false });
}

async function sendReplies(call, request) {
  endWith(request.response_status);
  for (const { size, interval_us } of request.response_parameters) {
    if (interval_us > 0) {
      await sleep(interval_us / 1000);
    }
    if (!call.write({ payload: sizedPayload(size) })) {
      await once(call, 'drain');
    }
  }
}

/** grpc-js hides whether a message came compressed. The clients that are tested against this server never compress. */
function refuseExpectedCompression(request) {
  if (request.expect_compressed?.value) {
    throw new StatusError(grpc.status.INVALID_ARGUMENT, 'expect_compressed is set, but the message is not compressed');
  }
}

function endWith(status) {
  if (status?.code) {
    throw new StatusError(status.code, status.message);
  }
}

function sizedPayload(size) {
  if (size < 0 || size > LARGEST_MESSAGE) {
    const details = `a payload of ${size} octets is asked; 0 to ${LARGEST_MESSAGE} will do`;
    throw new StatusError(grpc.status.INVALID_ARGUMENT, details);
  }
  return payload(size);
}

function main() {
  const values = readArguments(USAGE, { port: { type: 'string', default: '0' } });
  const address = `127.0.0.1:${wholeNumber(values, 'port', 0, 65535)}`;
  const server = new grpc.Server({ 'grpc.max_receive_message_length': LARGEST_MESSAGE });
  server.addService(TestService.service, methods);
  server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) {
      console.error(`${address}: ${error.message}`);
      process.exit(1);
    }
    console.log(`listening on port ${port}`);
  });
}

main();
