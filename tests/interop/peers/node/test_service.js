'use strict';

// grpc.testing.TestService for grpc-js, loaded at run time from ../../proto.

const path = require('node:path');
const { parseArgs } = require('node:util');

const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const ECHO_INITIAL = 'x-grpc-test-echo-initial';
const ECHO_TRAILING = 'x-grpc-test-echo-trailing-bin';
const LARGEST_MESSAGE = 1 << 20; // octets

const definition = loader.loadSync('grpc/testing/test.proto', {
  includeDirs: [path.join(__dirname, '..', '..', 'proto')],
  keepCase: true,
  defaults: true,
});
const { TestService, UnimplementedService } = grpc.loadPackageDefinition(definition).grpc.testing;

/** A payload of `size` zeros. */
function payload(size) {
  return { body: Buffer.alloc(size) };
}

/** Reads the command line; explains and ends the process where it is asked for help or makes no sense. */
function readArguments(usage, options) {
  try {
    const all = { use_tls: { type: 'string', default: 'false' }, help: { type: 'boolean', default: false }, ...options };
    const { values } = parseArgs({ options: all });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (values.use_tls !== 'false') {
      throw new Error('--use_tls: plaintext only');
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

/** The whole number from `least` to `most` that an argument must be. */
function wholeNumber(values, name, least, most) {
  const number = Number(values[name]);
  if (!/^[0-9]+$/.test(values[name] ?? '') || number < least || number > most) {
    console.error(`--${name}: a whole number from ${least} to ${most} is needed`);
    process.exit(2);
  }
  return number;
}

module.exports = {
  grpc,
  ECHO_INITIAL,
  ECHO_TRAILING,
  LARGEST_MESSAGE,
  TestService,
  UnimplementedService,
  payload,
  readArguments,
  wholeNumber,
};
