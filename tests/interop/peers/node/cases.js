'use strict';

// The cases of the interop test. Each takes a client of the service and throws if the server errs.

const { Exchange, Failure, check, checkStatus, single } = require('./exchange.js');
const { grpc, ECHO_INITIAL, ECHO_TRAILING, TestService, UnimplementedService, payload } = require('./test_service.js');

const LARGE_REQUEST = 271828;
const LARGE_RESPONSE = 314159;
const REQUEST_SIZES = [27182, 8, 1828, 45904];
const RESPONSE_SIZES = [31415, 9, 2653, 58979];
const AGGREGATED_SIZE = 74922;
const INITIAL_VALUE = 'test_initial_metadata_value';
const TRAILING_VALUE = Buffer.from([0xab, 0xab, 0xab]);
const STATUS_MESSAGE = 'test status message';
const SPECIAL_MESSAGE = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n';
const { OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED } = grpc.status;

async function empty_unary(client) {
  const method = TestService.service.EmptyCall;
  // The octets as they came: a decoded message would not show fields that it does not know.
  const raw = (octets) => octets;
  const { reply, status } = await single((callback) =>
    client.makeUnaryRequest(method.path, method.requestSerialize, raw, {}, callback),
  );
  checkStatus(status, OK);
  check('octets in the reply', reply?.length, 0);
}

async function large_unary(client) {
  const { reply, status } = await single((callback) => client.UnaryCall(largeRequest(), callback));
  checkStatus(status, OK);
  check('octets of payload', reply?.payload?.body.length, LARGE_RESPONSE);
}

async function client_streaming(client) {
  const { reply, status } = await single((callback) => {
    const call = client.StreamingInputCall(callback);
    for (const size of REQUEST_SIZES) {
      call.write({ payload: payload(size) });
    }
    call.end();
    return call;
  });
  checkStatus(status, OK);
  check('aggregated size', reply?.aggregated_payload_size, AGGREGATED_SIZE);
}

async function server_streaming(client) {
  const response_parameters = RESPONSE_SIZES.map((size) => ({ size }));
  const exchange = new Exchange(client.StreamingOutputCall({ response_parameters }));
  checkStatus(await exchange.ended, OK);
  check('sizes of the replies', exchange.sizes, RESPONSE_SIZES);
}

async function ping_pong(client) {
  const exchange = new Exchange(client.FullDuplexCall());
  for (const [turn, size] of RESPONSE_SIZES.entries()) {
    exchange.call.write(duplexRequest(REQUEST_SIZES[turn], size));
    await exchange.replies(turn + 1);
    check('sizes of the replies', exchange.sizes, RESPONSE_SIZES.slice(0, turn + 1));
  }
  exchange.call.end();
  checkStatus(await exchange.ended, OK);
  check('sizes of the replies', exchange.sizes, RESPONSE_SIZES);
}

async function empty_stream(client) {
  const exchange = new Exchange(client.FullDuplexCall());
  exchange.call.end();
  checkStatus(await exchange.ended, OK);
  check('replies', exchange.sizes.length, 0);
}

async function custom_metadata(client) {
  const metadata = new grpc.Metadata();
  metadata.set(ECHO_INITIAL, INITIAL_VALUE);
  metadata.set(ECHO_TRAILING, TRAILING_VALUE);
  const { reply, initial, status } = await single((callback) => client.UnaryCall(largeRequest(), metadata, callback));
  checkStatus(status, OK);
  check('octets of payload', reply?.payload?.body.length, LARGE_RESPONSE);
  checkMetadata(initial, status.metadata);

  const exchange = new Exchange(client.FullDuplexCall(metadata));
  exchange.call.write(duplexRequest(LARGE_REQUEST, LARGE_RESPONSE));
  exchange.call.end();
  const ended = await exchange.ended;
  checkStatus(ended, OK);
  check('sizes of the replies', exchange.sizes, [LARGE_RESPONSE]);
  checkMetadata(exchange.initial, ended.metadata);
}

async function status_code_and_message(client) {
  const response_status = { code: UNKNOWN, message: STATUS_MESSAGE };
  const { status } = await single((callback) => client.UnaryCall({ response_status }, callback));
  checkStatus(status, UNKNOWN, STATUS_MESSAGE);

  const exchange = new Exchange(client.FullDuplexCall());
  exchange.call.write({ response_status });
  exchange.call.end();
  checkStatus(await exchange.ended, UNKNOWN, STATUS_MESSAGE);
  check('replies', exchange.sizes.length, 0);
}

async function special_status_message(client) {
  const response_status = { code: UNKNOWN, message: SPECIAL_MESSAGE };
  const { status } = await single((callback) => client.UnaryCall({ response_status }, callback));
  checkStatus(status, UNKNOWN, SPECIAL_MESSAGE);
}

async function unimplemented_method(client) {
  const { status } = await single((callback) => client.UnimplementedCall({}, callback));
  checkStatus(status, UNIMPLEMENTED);
}

async function unimplemented_service(client) {
  const other = new UnimplementedService('unused', grpc.credentials.createInsecure(), {
    channelOverride: client.getChannel(),
  });
  const { status } = await single((callback) => other.UnimplementedCall({}, callback));
  checkStatus(status, UNIMPLEMENTED);
}

async function cancel_after_begin(client) {
  const { status } = await single((callback) => {
    const call = client.StreamingInputCall(callback);
    call.cancel();
    return call;
  });
  checkStatus(status, CANCELLED);
}

async function cancel_after_first_response(client) {
  const exchange = new Exchange(client.FullDuplexCall());
  exchange.call.write(duplexRequest(REQUEST_SIZES[0], RESPONSE_SIZES[0]));
  await exchange.replies(1);
  exchange.call.cancel();
  checkStatus(await exchange.ended, CANCELLED);
  check('sizes of the replies', exchange.sizes, [RESPONSE_SIZES[0]]);
}

async function timeout_on_sleeping_server(client) {
  const exchange = new Exchange(client.FullDuplexCall({ deadline: Date.now() + 1 }));
  exchange.call.write({ payload: payload(REQUEST_SIZES[0]) });
  checkStatus(await exchange.ended, DEADLINE_EXCEEDED);
  check('replies', exchange.sizes.length, 0);
}

function largeRequest() {
  return { response_size: LARGE_RESPONSE, payload: payload(LARGE_REQUEST) };
}

function duplexRequest(requestSize, responseSize) {
  return { response_parameters: [{ size: responseSize }], payload: payload(requestSize) };
}

/** Both fields came back, once each, and only where they belong. */
function checkMetadata(initial, trailing) {
  if (initial === undefined) {
    throw new Failure('no initial metadata');
  }
  const hex = (metadata) => metadata.get(ECHO_TRAILING).map((value) => value.toString('hex'));
  check('initial metadata', initial.get(ECHO_INITIAL), [INITIAL_VALUE]);
  check('trailers', hex(trailing), [TRAILING_VALUE.toString('hex')]);
  check('trailing field in the initial metadata', hex(initial), []);
  check('initial field in the trailers', trailing.get(ECHO_INITIAL), []);
}

module.exports = {
  empty_unary,
  large_unary,
  client_streaming,
  server_streaming,
  ping_pong,
  empty_stream,
  custom_metadata,
  status_code_and_message,
  special_status_message,
  unimplemented_method,
  unimplemented_service,
  cancel_after_begin,
  cancel_after_first_response,
  timeout_on_sleeping_server,
};
